"""What a planted document tells of how late the machinery deletes."""

from dataclasses import dataclass
from typing import Final

PROBE_SECONDS: Final = 60.0
"""From planting to the deadline: less than the timer's interval, so that each run measures one probe."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A look at a probe past its deadline.

    ``late_seconds``: it was readable for so long at the least, or at the most when it is gone. None: too late to tell, since
    the store itself hides it after the grace, and the timer's own deletion can no longer be told from that.
    """

    late_seconds: float | None
    gone: bool
    overdue: bool


def measure(*, deadline: float, grace: float, readable: bool, now: float) -> Measured | None:
    """Judge a probe; None while its deadline has not come. ``overdue``: neither timer nor store has hidden it in time."""
    late = now - deadline
    if late <= 0:
        return None
    if readable:
        return Measured(late_seconds=late, gone=False, overdue=late > grace)
    return Measured(late_seconds=late if late <= grace else None, gone=True, overdue=False)
