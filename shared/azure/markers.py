"""Markers of erasures as workers remember them: one query for each tenant and minute, and none for each job."""

from shared.azure.erasures import Erasures
from shared.clock import Clock
from shared.domain.erasure import Marked

CACHE_SECONDS = 60.0
CACHED_TENANTS = 1000


class Markers:
    """The marked subjects of each tenant; what another process marks is seen within `CACHE_SECONDS`."""

    def __init__(self, erasures: Erasures, *, clock: Clock) -> None:
        self._erasures = erasures
        self._clock = clock
        self._cache: dict[str, tuple[float, Marked]] = {}

    async def of(self, tenant: str) -> Marked:
        """Return the markers of a tenant; raises `StoreUnavailable`: not knowing is no reason to run a job."""
        asked_at = self._clock()  # before the query: a marker that is stored during it may not be in it
        cached = self._cache.get(tenant)
        if cached and 0 <= asked_at - cached[0] < CACHE_SECONDS:
            return cached[1]
        marked = await self._erasures.markers(tenant)
        if len(self._cache) >= CACHED_TENANTS:
            self._cache.clear()
        self._cache[tenant] = (asked_at, marked)
        return marked

    def forget(self, tenant: str) -> None:
        """Look anew the next time: this process has stored a marker of its own."""
        self._cache.pop(tenant, None)
