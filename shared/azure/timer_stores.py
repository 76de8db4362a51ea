"""What the timer reads and remembers over all tenants, beside what others read, too."""

from dataclasses import dataclass
from typing import Self

from azure.cosmos.aio import ContainerProxy

from shared.azure.counts import Counts
from shared.azure.probes import Probes
from shared.azure.stamp_state import StampState
from shared.azure.traces import Traces
from shared.clock import Clock


@dataclass(frozen=True, kw_only=True)
class TimerStores:
    """Traces of jobs, counts (of jobs, and of what is kept for abuse review), probes, and the timer's own state."""

    traces: Traces
    counts: Counts
    review_counts: Counts
    probes: Probes
    state: StampState

    @classmethod
    def of(
        cls,
        generations: ContainerProxy,
        privacy: ContainerProxy,
        abuse_monitoring: ContainerProxy,
        *,
        clock: Clock,
        grace: int,
    ) -> Self:
        """Make them from the containers."""
        return cls(
            traces=Traces(generations),
            counts=Counts(generations),
            review_counts=Counts(abuse_monitoring),
            probes=Probes(generations, clock=clock, grace=grace),
            state=StampState(privacy),
        )
