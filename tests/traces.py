"""Traces of outcomes for the detection of abuse: benign ones, and attacks. Made up with a seed; nobody's traffic.

A benign trace is a day of several tenants: most prompts pass, a few are annotated or blocked by chance, most of these by
subjects who do it once. New subjects arrive all day, and traffic comes in bursts.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.abuse_alert import AlertKind
from shared.domain.detection import Finding, Signal, findings, new_subject_candidates
from shared.domain.filter_outcome import Verdict
from shared.domain.macs import Mac
from shared.domain.policy import DEFAULT_DETECTION

DAY: Final = 86_400.0
TENANTS: Final = ("bank", "forum", "school", "shop")
ANNOTATED, BLOCKED, ATTEMPTED = 0.008, 0.003, 0.001
"""Shares of benign prompts that are annotated, blocked, and taken for an attempt on the model's rules."""
HASTY: Final = 0.3
"""Share of those who are stopped that try again at once, in other words."""
AGAIN: Final = 40.0
"""How much more easily they are stopped again."""
STEP: Final = 300.0
"""Seconds between two runs of the timer."""


@dataclass(frozen=True, kw_only=True)
class Raised:
    """An alert that a run made."""

    tenant: str
    kind: AlertKind
    at: float


def benign(jobs: int, seed: int, *, roughness: float = 1.0) -> list[Signal]:
    """Outcomes of so many jobs of a day, those that passed included; ``roughness`` multiplies the shares of the others."""
    rng = random.Random(seed)  # noqa: S311 - a trace is to be the same each time
    trace: list[Signal] = []
    while len(trace) < jobs:
        tenant, at = rng.choice(TENANTS), _moment(rng)
        subject = _subject(tenant, int(rng.paretovariate(0.8)) + (int(at) // 60 if rng.random() < 0.3 else 0))
        principal = rng.choice((None, f"{tenant}-web", f"{tenant}-batch"))
        job = _job(rng, tenant, subject, principal, at, factor=roughness)
        trace.append(job)
        while job.verdict is not Verdict.PASSED and rng.random() < HASTY:
            job = _job(rng, tenant, subject, principal, job.at + rng.uniform(10, 120), factor=roughness * AGAIN)
            trace.append(job)
    return trace[:jobs]


def attack(kind: AlertKind, seed: int) -> list[Signal]:
    """An attack of one kind on one tenant, somewhere in the day."""
    rng = random.Random(seed)  # noqa: S311
    tenant, at = rng.choice(TENANTS), rng.uniform(0, DAY - 3600)
    blank = _job(rng, tenant, _subject(tenant, 666_000 + seed), f"{tenant}-web", at)
    match kind:
        case AlertKind.JAILBREAK_ATTEMPTS:
            one, number = replace(blank, verdict=Verdict.ANNOTATED, codes=("jailbreak:detected",)), rng.randint(3, 12)
        case AlertKind.BLOCKED_PROMPTS:
            one, number = replace(blank, verdict=Verdict.PROMPT_BLOCKED, codes=("violence:filtered:high",)), rng.randint(12, 40)
        case AlertKind.NEW_SUBJECTS:
            one, number = replace(blank, verdict=Verdict.PROMPT_BLOCKED), rng.randint(12, 40)
    rotates = kind is AlertKind.NEW_SUBJECTS
    return [
        replace(
            one,
            job_id=_id(rng),
            at=at + place * rng.uniform(5, 60),
            subject=_subject(tenant, 777_000 + place) if rotates else one.subject,
        )
        for place in range(number)
    ]


def alerts(trace: list[Signal], *, until: float = DAY) -> Iterator[Raised]:
    """Every alert that runs of the timer would make of a trace, with the default thresholds; an open one is not made again."""
    seen: dict[Mac, float] = {}
    for signal in sorted(trace, key=lambda each: each.at):
        if signal.subject is not None:
            seen.setdefault(signal.subject, signal.at)
    made: set[str] = set()
    for run in range(1, int(until / STEP) + 1):
        now = run * STEP
        for tenant in TENANTS:
            recent = [
                one for one in trace if one.tenant_id == tenant and now - DEFAULT_DETECTION.window_seconds < one.at <= now
            ]
            for finding in _found(recent, now, seen):
                if finding.alert_id not in made:
                    made.add(finding.alert_id)
                    yield Raised(tenant=tenant, kind=finding.kind, at=now)


def _found(recent: list[Signal], now: float, seen: dict[Mac, float]) -> tuple[Finding, ...]:
    candidates = new_subject_candidates(recent, DEFAULT_DETECTION, now=now)
    new = frozenset(each for each in candidates if seen[each] > now - DEFAULT_DETECTION.window_seconds)
    return findings(recent, DEFAULT_DETECTION, now=now, new=new, resolved={})


def _job(rng: random.Random, tenant: str, subject: Mac, principal: str | None, at: float, *, factor: float = 1.0) -> Signal:
    """A job whose outcome is left to chance; ``factor`` multiplies the shares of what does not pass."""
    luck = rng.random()
    verdict: Verdict = Verdict.PASSED
    codes: tuple[str, ...] = ()
    for share, found, code in (
        (ATTEMPTED, Verdict.ANNOTATED, "jailbreak:detected"),
        (BLOCKED, Verdict.PROMPT_BLOCKED, "violence:filtered:medium"),
        (ANNOTATED, Verdict.ANNOTATED, "hate:detected:low"),
    ):
        luck -= share * factor
        if luck < 0:
            verdict, codes = found, (code,)
            break
    return Signal(tenant_id=tenant, job_id=_id(rng), subject=subject, principal=principal, at=at, verdict=verdict, codes=codes)


def _moment(rng: random.Random) -> float:
    """A time of the day: half of the jobs come in twelve bursts of ten minutes."""
    if rng.random() < 0.5:
        return rng.randrange(12) * 7200.0 + rng.uniform(0, 600)
    return rng.uniform(0, DAY - 1)


def _subject(tenant: str, number: int) -> Mac:
    return Mac(kid=tenant, mac=f"{number:064x}")


def _id(rng: random.Random) -> str:
    return f"{rng.getrandbits(160):040x}"
