"""Step of the timer: plants a document of its own, and measures in a later run how long after its deadline it was gone."""

from dataclasses import dataclass
from secrets import token_hex

from shared.azure.probes import Probes
from shared.azure.stamp_state import StampState
from shared.clock import Clock
from shared.domain.probe import PROBE_SECONDS, measure
from shared.domain.step_report import Tally

_PLACE = "probe"


@dataclass(frozen=True, kw_only=True)
class Probing:
    """What the step works with; ``grace`` in seconds."""

    probes: Probes
    state: StampState
    clock: Clock
    grace: float

    async def look(self, tally: Tally) -> None:
        """Look at the probe of an earlier run; plant the next one when that is gone, or is overdue.

        ``oldest_overdue_seconds`` is how long past its deadline it was gone at the latest, or is still readable. ``found``
        and ``overdue`` are 1 for one that is readable past the grace. Incomplete: the look came too late to tell.
        """
        planted = await self.state.read(_PLACE)
        if planted is not None:
            readable = await self.probes.is_readable(planted["name"])
            measured = measure(deadline=planted["deadline"], grace=self.grace, readable=readable, now=self.clock())
            tally.checked = 1
            if measured is not None:
                tally.late(measured.late_seconds or 0.0)
                tally.found = tally.overdue = int(measured.overdue)
                tally.deleted = int(measured.gone)
                tally.complete = measured.late_seconds is not None
            if measured is None or not (measured.gone or measured.overdue):
                return
        await self._plant()

    async def _plant(self) -> None:
        """Plant first, then remember: a crash in between leaves a probe that nobody measures, and never a wrong measure."""
        name, deadline = f"probe-{token_hex(8)}", self.clock() + PROBE_SECONDS
        await self.probes.plant(name, deadline=deadline)
        await self.state.write(_PLACE, name=name, deadline=deadline)
