"""What looks like abuse in the outcomes of a tenant's jobs: content-free signs, thresholds of its policy, and nothing else.

Pure, so that traces test it. A sign counts within the policy's window only, and only if it is later than what was last resolved
about the same actor.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.abuse_alert import AlertKind, alert_id
from shared.domain.filter_outcome import Verdict
from shared.domain.macs import Mac
from shared.domain.policy import Detection

SIGNS: Final = frozenset({Verdict.ANNOTATED, Verdict.PROMPT_BLOCKED, Verdict.COMPLETION_BLOCKED})
"""Outcomes that say something of whoever asked; that a classifier was down does not."""
_ATTEMPTS: Final = ("jailbreak:", "indirect_attack:")
"""How the codes of prompt shields begin."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A job whose outcome says something; ``at`` is when it ended, in seconds since the epoch.

    ``principal``: client id of the application that submitted it; None for the queue.
    """

    tenant_id: str
    job_id: str
    subject: Mac | None
    principal: str | None
    at: float
    verdict: Verdict
    codes: tuple[str, ...] = ()

    @property
    def is_attempt(self) -> bool:
        """Whether a prompt shield noticed an attempt to get around the model's rules."""
        return any(code.startswith(_ATTEMPTS) for code in self.codes)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Enough signs of one kind about one actor of a tenant; the earliest first."""

    tenant_id: str
    kind: AlertKind
    subject: Mac | None
    principal: str | None
    signals: tuple[Signal, ...]

    @property
    def alert_id(self) -> str:
        """The id of the alert about it."""
        return alert_id(tenant=self.tenant_id, kind=self.kind, subject=self.subject, principal=self.principal)


def new_subject_candidates(signals: Iterable[Signal], detection: Detection, *, now: float) -> frozenset[Mac]:
    """Return the subjects of which it matters whether they were seen before: none, unless there are many of one principal."""
    if detection.new_subjects is None:
        return frozenset()
    subjects: defaultdict[str | None, set[Mac]] = defaultdict(set)
    for signal in _within(signals, detection, now):
        if signal.subject is not None:
            subjects[signal.principal].add(signal.subject)
    return frozenset(each for some in subjects.values() if len(some) >= detection.new_subjects for each in some)


def findings(
    signals: Iterable[Signal], detection: Detection, *, now: float, new: Collection[Mac], resolved: Mapping[str, float]
) -> tuple[Finding, ...]:
    """Decide about the signals of one tenant, in any order.

    ``new``: which of `new_subject_candidates` were not seen before the window. ``resolved``: when what was last known of an
    alert (by its id) was resolved, in seconds since the epoch.
    """
    recent = _within(signals, detection, now)
    return tuple(
        finding
        for kind, threshold, counts in (
            (AlertKind.JAILBREAK_ATTEMPTS, detection.jailbreak_attempts, _attempts),
            (AlertKind.BLOCKED_PROMPTS, detection.blocked_prompts, _blocked),
            (AlertKind.NEW_SUBJECTS, detection.new_subjects, _of_new(new)),
        )
        if threshold is not None
        for finding in _enough(kind, recent, counts, threshold, resolved)
    )


type _Actor = tuple[Mac | None, str | None]
type _Counts = Callable[[Signal], tuple[_Actor, object] | None]
"""To whom a signal counts, and as what: what is the same counts once. None when it does not."""


def _attempts(signal: Signal) -> tuple[_Actor, object] | None:
    return ((signal.subject, None), signal.job_id) if signal.subject and signal.is_attempt else None


def _blocked(signal: Signal) -> tuple[_Actor, object] | None:
    if signal.verdict is not Verdict.PROMPT_BLOCKED:
        return None
    return ((signal.subject, None) if signal.subject else (None, signal.principal)), signal.job_id


def _of_new(new: Collection[Mac]) -> _Counts:
    def counts(signal: Signal) -> tuple[_Actor, object] | None:
        return ((None, signal.principal), signal.subject) if signal.subject in new else None

    return counts


def _enough(
    kind: AlertKind, signals: Sequence[Signal], counts: _Counts, threshold: int, resolved: Mapping[str, float]
) -> Iterator[Finding]:
    by_actor: defaultdict[tuple[str, _Actor], dict[object, Signal]] = defaultdict(dict)
    for signal in signals:
        counted = counts(signal)
        if counted is None:
            continue
        (subject, principal), what = counted
        name = alert_id(tenant=signal.tenant_id, kind=kind, subject=subject, principal=principal)
        if signal.at > resolved.get(name, float("-inf")):
            by_actor[signal.tenant_id, (subject, principal)].setdefault(what, signal)
    for (tenant, (subject, principal)), found in by_actor.items():
        if len(found) >= threshold:
            signs = tuple(found.values())
            yield Finding(tenant_id=tenant, kind=kind, subject=subject, principal=principal, signals=signs)


def _within(signals: Iterable[Signal], detection: Detection, now: float) -> list[Signal]:
    since = now - detection.window_seconds
    recent = {signal.job_id: signal for signal in signals if signal.at > since and signal.verdict in SIGNS}
    return sorted(recent.values(), key=lambda signal: (signal.at, signal.job_id))
