"""The retry decision: pure, so that a table of cases tests it."""

from dataclasses import dataclass

from shared.errors import Failure

LONGEST_BACKOFF = 300.0
"""Seconds between two attempts at the most, unless the service asks for more."""

ATTEMPTS: dict[Failure, int] = {
    Failure.UNAVAILABLE: 8,
    Failure.TIMEOUT: 3,
    Failure.INVALID_OUTPUT: 3,
    Failure.ACCESS_DENIED: 8,
    Failure.DEPLOYMENT_NOT_FOUND: 3,
    Failure.UNFILTERED: 3,
}
"""Rounds of model calls before a job fails. Absent: ``rate_limited`` waits until the deadline, ``rejected`` never repeats."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """Try again at this time (seconds since the epoch)."""

    at: float


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """The job ends here, with this error code."""

    code: str


def decide(failure: Failure, *, attempts: int, retry_after: float | None, now: float, expires_at: float) -> Again | GiveUp:
    """Decide after the ``attempts``-th round of model calls (1 is the first) has failed.

    A service's ``Retry-After`` (seconds) is honoured whole, else the pause doubles from one second. A job whose next attempt
    would come at its deadline or later ends as ``expired``.
    """
    if failure is Failure.REJECTED or attempts >= ATTEMPTS.get(failure, attempts + 1):
        return GiveUp(code=failure)
    pause = retry_after if retry_after is not None else min(LONGEST_BACKOFF, 2.0 ** min(attempts - 1, 20))
    at = now + max(pause, 0.0)
    return Again(at=at) if at < expires_at else GiveUp(code="expired")
