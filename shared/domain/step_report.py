"""What a step of the timer reports: six figures, of which "could not look" is one."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """The figures of one step. ``complete`` is false when the step could not look at everything; then the rest is a minimum."""

    step: str
    checked: int = 0
    found: int = 0
    deleted: int = 0
    overdue: int = 0
    oldest_overdue_seconds: float = 0.0
    complete: bool = True
