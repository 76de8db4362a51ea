"""When a webhook is tried again, and when its endpoint is given up: pure, so that tables of cases test it."""

import math
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from shared.domain.policy import DAY

_MINUTE = 60.0
_HOUR = 3600.0
PAUSES = (0.0, 5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""Seconds before each attempt, counted from the one before (Standard Webhooks 1.0); together about 75.6 hours."""

LONGEST_PAUSE = PAUSES[-1]
"""What a ``Retry-After`` may ask for at the most: an endpoint cannot park events for ever."""

FAILING_UNTIL_DISABLED = 3.0 * DAY
FAILURES_APART = 2.0 * DAY
"""Failures further apart than this are not one continuous failure: two attempts are never more than a day apart."""

_GONE = 410
_SUCCESS = range(200, 300)


@dataclass(frozen=True, kw_only=True)
class Again:
    """Deliver again at this time (seconds since the epoch)."""

    at: float


class Delivered:
    """The endpoint accepted the event."""


class Disable:
    """The endpoint says that it is gone: send it nothing more."""


class GiveUp:
    """That was the last attempt of this event."""


type Decision = Again | Delivered | Disable | GiveUp


def next_delivery(*, attempt: int, status: int | None, retry_after: str | None, now: float) -> Decision:
    """Decide after the ``attempt``-th attempt (1 is the first) was answered with a status, None when there was no answer.

    2xx is success, everything else (a redirect too) a failure. ``Retry-After`` (seconds or a date) can only lengthen the
    schedule's own pause.
    """
    if status in _SUCCESS:
        return Delivered()
    if status == _GONE:
        return Disable()
    if attempt >= len(PAUSES):
        return GiveUp()
    return Again(at=now + max(PAUSES[attempt], seconds_asked_for(retry_after, now=now)))


def seconds_asked_for(retry_after: str | None, *, now: float) -> float:
    """Read a ``Retry-After`` header: seconds, or an HTTP date; 0 for nonsense and the past, at most `LONGEST_PAUSE`."""
    value = (retry_after or "").strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:10]), int(LONGEST_PAUSE)))
    try:
        moment = parsedate_to_datetime(value)
        seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
    except (ValueError, OverflowError):
        return 0.0
    return min(max(0.0, seconds), LONGEST_PAUSE) if math.isfinite(seconds) else 0.0


@dataclass(frozen=True, kw_only=True)
class Failing:
    """A stretch of failures without a success between them; times in seconds since the epoch."""

    since: float
    last_at: float

    def lasts_too_long(self) -> bool:
        """Whether the endpoint is to be disabled."""
        return self.last_at - self.since >= FAILING_UNTIL_DISABLED


def failed_again(failing: Failing | None, *, now: float) -> Failing:
    """Lengthen the stretch by a failure, or begin a new one.

    A tenant whose events live shorter than the schedule leaves gaps in which nothing was tried: those prove nothing.
    """
    if failing is None or now - failing.last_at > FAILURES_APART:
        return Failing(since=now, last_at=now)
    return Failing(since=failing.since, last_at=max(now, failing.last_at))
