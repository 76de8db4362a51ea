"""The throttle's decision: does a tenant's job run now, or when does it come back? Pure, so that a table of cases tests it.

A queue hands out its messages in their order, whoever sent them: to reach another tenant's message, those before it have to be
put back. What is put back gets a turn in the tenant's own line, paced so that a place is about to be free when it comes.
"""

from dataclasses import dataclass

from shared.domain.stamp import StampLimits

MINUTE = 60.0
SOONEST = 1.0
"""Seconds after which a job that was put back comes again at the earliest: sooner costs more than it waits."""

LATEST = 300.0
"""Seconds after which it comes again at the latest: job times change, and what was promised for later would be idle places."""

FIRST_GUESS = 1.0
"""A tenant's job time in seconds until one of its jobs has ended. Too short costs a second put-back, too long idle places."""

_WEIGHT = 0.2
"""Of the latest job in the job time."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a tenant uses of its limits: here, in this process, and elsewhere, in other instances as last seen.

    ``line_ends_at``: the last turn that this process has promised. ``frees_at``: when the first of the starts that count here
    is a minute old. Both in seconds since the epoch; ``job_seconds`` is how long a job of the tenant holds its place.
    """

    in_flight: int = 0
    in_flight_elsewhere: int = 0
    started: int = 0
    started_elsewhere: int = 0
    frees_at: float = 0.0
    job_seconds: float = FIRST_GUESS
    line_ends_at: float = 0.0


def decide(load: Load, limits: StampLimits, *, now: float, deadline: float, has_waited: bool, spread: float) -> float | None:
    """Return None when a job may run now, else when its message comes back (seconds since the epoch).

    ``has_waited``: the job comes from the line. While there is a line, a newcomer joins it, unless half of both limits is free:
    then the line is too slow. ``spread`` (0 to 1) scatters the jobs that are too many for the line, which would else come back
    at once. A job comes back when half of the time to its deadline is over at the latest, so that it has further chances.
    """
    in_flight = load.in_flight + load.in_flight_elsewhere
    started = load.started + load.started_elsewhere
    if deadline <= now:
        return None  # it ends without a model call
    is_free = in_flight < limits.requests_in_flight and started < limits.requests_per_minute
    is_idle = 2 * in_flight < limits.requests_in_flight and 2 * started < limits.requests_per_minute
    if is_free and (has_waited or is_idle or load.line_ends_at <= now):
        return None
    opens_at = now + SOONEST if started < limits.requests_per_minute else max(now + SOONEST, load.frees_at)
    turn = max(load.line_ends_at, opens_at) + _pace(load, limits)
    if turn > now + LATEST:
        turn = now + LATEST * (1 + spread) / 2
    return min(turn, now + max(SOONEST, (deadline - now) / 2))


def _pace(load: Load, limits: StampLimits) -> float:
    """Seconds from turn to turn: about the time after which this process's share of the limits has room for one more."""
    places = max(1, limits.requests_in_flight - load.in_flight_elsewhere)
    starts = max(1, limits.requests_per_minute - load.started_elsewhere)
    return max(load.job_seconds / places, MINUTE / starts)


def needs_look(own: int, limit: int) -> bool:
    """Whether the other instances matter: this one has half of the limit, and not yet all of it.

    So a tenant's occasional job costs no query. The price: with i instances, a tenant can have ``limit + (i - 1) * ceil(limit
    / 2)`` at once before each of them looks.
    """
    return limit <= 2 * own < 2 * limit


def retry_after(admitted: int, elsewhere: int, limit: int, *, frees_at: float, now: float) -> float | None:
    """Decide on a request over HTTP: None when it is within the minute's limit, else after how many seconds to come again."""
    if admitted + elsewhere < limit:
        return None
    return max(SOONEST, frees_at - now if admitted else MINUTE / limit)


def job_seconds(known: float | None, latest: float) -> float:
    """Return the tenant's job time after a job has ended: an exponentially weighted mean, in seconds."""
    return latest if known is None else known + _WEIGHT * (latest - known)
