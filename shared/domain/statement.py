"""The privacy statement: the state of each promise, decided from what the last runs recorded, and from nothing else.

``holding`` is said only of what the running service checked, completely and lately. Whatever was not looked at is ``unknown``,
with the reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from shared.domain import sources
from shared.domain.drift import Drift
from shared.domain.json_document import Json
from shared.domain.promises import PROMISES, Basis, Promise
from shared.domain.run_record import Run
from shared.domain.step_report import StepReport


class State(StrEnum):
    """Of a promise, now."""

    HOLDING = "holding"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """The reason of a state that is not simply ``holding``."""

    NOT_BUILT = "not_built"
    FACT_STALE = "fact_stale"
    HELD_BY_TESTS = "held_by_tests_of_this_commit"
    VENDORS_STATEMENT = "vendors_statement"
    NO_RECENT_RUN = "no_recent_run"
    CHECK_MISSING = "check_missing"
    CHECK_INCOMPLETE = "check_incomplete"
    PAST_DEADLINE = "past_deadline"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known when a statement is made: the last run, and the kinds of what the configuration check found.

    ``findings`` is None when that is not known. ``interval`` is the timer's and ``grace`` that of deletions, in seconds.
    """

    now: float
    interval: float
    grace: float
    run: Run | None
    findings: frozenset[str] | None


@dataclass(frozen=True, kw_only=True)
class Stated:
    """A promise and its state; ``causes`` are steps or kinds of findings, ``checked_at`` seconds since the epoch."""

    promise: Promise
    state: State
    why: Why | None = None
    causes: tuple[str, ...] = ()
    checked_at: float | None = None


def statement(seen: Seen) -> tuple[Stated, ...]:
    """State every promise."""
    return tuple(state(promise, seen) for promise in PROMISES)


def state(promise: Promise, seen: Seen) -> Stated:
    """State one promise: what breaks it comes first, then what was not looked at."""
    if promise.missing is not None:
        return Stated(promise=promise, state=State.UNKNOWN, why=Why.NOT_BUILT, causes=(promise.missing,))
    if promise.basis is not Basis.RUNTIME:
        why = Why.HELD_BY_TESTS if promise.basis is Basis.BUILD else Why.VENDORS_STATEMENT
        return Stated(promise=promise, state=State.UNKNOWN, why=_stale(promise, seen) or why)
    run = seen.run
    if run is None or not 0 <= seen.now - run.at <= 2 * seen.interval:
        return Stated(promise=promise, state=State.UNKNOWN, why=Why.NO_RECENT_RUN, checked_at=run.at if run else None)
    for verdict, why, causes in _verdicts(promise, run, seen):
        if causes:
            return Stated(promise=promise, state=verdict, why=why, causes=causes, checked_at=run.at)
    if stale := _stale(promise, seen):
        return Stated(promise=promise, state=State.UNKNOWN, why=stale, checked_at=run.at)
    return Stated(promise=promise, state=State.HOLDING, checked_at=run.at)


def as_json(stated: Stated) -> Json:
    """Write a state as the statement tells it; nothing in it names a tenant."""
    promise = stated.promise
    return {
        "id": promise.id,
        "sentence": promise.sentence,
        "state": stated.state,
        "why": stated.why,
        "causes": list(stated.causes),
        "basis": promise.basis,
        "checked_at": None if stated.checked_at is None else int(stated.checked_at),
        "sources": [sources.as_json(source) for source in promise.sources],
    }


def _verdicts(promise: Promise, run: Run, seen: Seen) -> Iterator[tuple[State, Why, tuple[str, ...]]]:
    """Everything that may be said against a promise, the gravest first; what has no cause says nothing."""
    found = seen.findings or frozenset()
    yield State.VIOLATED, Why.CONFIGURATION, tuple(sorted(Drift(kind) for kind in found & promise.violated_by))
    known = {step: run.steps[step] for step in promise.steps if step in run.steps}
    yield State.VIOLATED, Why.PAST_DEADLINE, tuple(step for step, report in known.items() if _is_late(report, seen))
    yield State.UNKNOWN, Why.CHECK_MISSING, tuple(step for step in promise.steps if step not in known)
    yield State.UNKNOWN, Why.CHECK_INCOMPLETE, tuple(step for step, report in known.items() if not report.complete)
    if promise.violated_by and seen.findings is None:
        yield State.UNKNOWN, Why.CHECK_INCOMPLETE, ("configuration",)


def _is_late(report: StepReport, seen: Seen) -> bool:
    """Whether a run left something past its deadline, or found it so late that only Cosmos's TTL had hidden it."""
    return report.overdue > 0 or report.oldest_overdue_seconds > seen.grace


def _stale(promise: Promise, seen: Seen) -> Why | None:
    today = datetime.fromtimestamp(seen.now, UTC).date()
    return Why.FACT_STALE if any(source.expires_on <= today for source in promise.sources) else None
