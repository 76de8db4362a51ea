"""A walk over all jobs in the order of their ids, a part of it in each run of the timer."""

from dataclasses import dataclass, replace
from typing import Final, Self

ROUND_SECONDS: Final = 10 * 3600.0
"""Seconds in which a walk goes round; two rounds are well within a day."""
DAY: Final = 86_400.0

_DIGITS: Final = 8
"""Leading hexadecimal digits of a job id that say where on the way it is: ids are MACs, spread evenly."""
_WAY: Final = 0x1_0000_0000


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Where a walk is: the last job id that was looked at, empty at the beginning; times in seconds since the epoch.

    ``whole_since`` is when the last round began that came to its end, None before there was one.
    """

    position: str
    began_at: float
    whole_since: float | None

    @classmethod
    def starting(cls, now: float) -> Self:
        """Begin the first round."""
        return cls(position="", began_at=now, whole_since=None)

    def at(self, position: str) -> Self:
        """Go on to a job."""
        return replace(self, position=position)

    def round(self, now: float) -> Self:
        """Come to the end, and begin anew."""
        return replace(self, position="", began_at=now, whole_since=self.began_at)

    def is_behind(self, now: float) -> bool:
        """Whether the walk has to be further on by now to come round in its time."""
        return _fraction(self.position) < (now - self.began_at) / ROUND_SECONDS

    def is_complete(self, now: float) -> bool:
        """Whether every job that there is was looked at within the last day."""
        return self.whole_since is not None and now - self.whole_since <= DAY


def _fraction(position: str) -> float:
    """How much of the way lies behind a job id; what is no hexadecimal number stands behind all of them."""
    try:
        return int(position[:_DIGITS].ljust(_DIGITS, "0"), 16) / _WAY
    except ValueError:
        return 1.0
