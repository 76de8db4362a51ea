"""What a step of the timer reports: six figures, of which "could not look" is one."""

from dataclasses import asdict, dataclass


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


@dataclass(kw_only=True)
class Tally:
    """The figures of a step while it runs: a step that fails, or is cut off, reports what it had counted so far."""

    step: str
    checked: int = 0
    found: int = 0
    deleted: int = 0
    overdue: int = 0
    oldest_overdue_seconds: float = 0.0
    complete: bool = True

    def late(self, seconds: float) -> None:
        """Note how long past its time something was."""
        self.oldest_overdue_seconds = max(self.oldest_overdue_seconds, seconds)

    def take(self, report: StepReport) -> None:
        """Take over the figures of a step that counts by itself."""
        self.checked, self.found, self.deleted = report.checked, report.found, report.deleted
        self.overdue, self.oldest_overdue_seconds = report.overdue, report.oldest_overdue_seconds
        self.complete = report.complete

    def report(self) -> StepReport:
        """Return the figures as they stand."""
        return StepReport(**asdict(self))
