"""How the time of one run is shared out among its steps."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TimeBudget:
    """``seconds`` for a number of steps, one after the other.

    Half of the time is reserved, the same for each step, so that no step can take all from those behind it. Of the rest a
    step may use half, which leaves as much again to the others; what a step does not use is theirs, too.
    """

    seconds: float
    steps: int

    @property
    def reserved(self) -> float:
        """Seconds that each step gets in any case."""
        return self.seconds / (2 * self.steps)

    def allowance(self, *, spent: float, done: int) -> float:
        """Return the seconds that the next step may take, after ``done`` steps that took ``spent`` seconds together."""
        behind = self.steps - done - 1
        free = max(0.0, self.seconds - spent - self.reserved * (behind + 1))
        return self.reserved + (free / 2 if behind else free)
