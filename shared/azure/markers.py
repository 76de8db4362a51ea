"""Markers of erasures as workers remember them: one query for each tenant and minute, and none for each job."""

from shared.azure.erasures import Erasures
from shared.azure.remembered import Remembered
from shared.clock import Clock
from shared.domain.erasure import Marked

CACHE_SECONDS = 60.0


class Markers:
    """The marked subjects of each tenant; what another process marks is seen within `CACHE_SECONDS`."""

    def __init__(self, erasures: Erasures, *, clock: Clock) -> None:
        self._known = Remembered(erasures.markers, seconds=CACHE_SECONDS, clock=clock)

    async def of(self, tenant: str) -> Marked:
        """Return the markers of a tenant; raises `StoreUnavailable`: not knowing is no reason to run a job."""
        return await self._known.of(tenant)

    def forget(self, tenant: str) -> None:
        """Look anew the next time: this process has stored a marker of its own."""
        self._known.forget(tenant)
