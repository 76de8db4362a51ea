"""How many jobs of one tenant other instances have: counts over the tenant's own partitions, which create no load elsewhere.

Jobs of this instance are known without asking: their attempt tokens begin with its name (`shared.generation.admit`).
"""

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import count_rows
from shared.clock import Clock

_COUNT = "SELECT VALUE COUNT(1) FROM c WHERE c.dataClass = 'receipt' AND "
_IN_FLIGHT = f"{_COUNT}c.status = 'in_progress' AND c.lease_until > @now AND NOT STARTSWITH(c.attempt_token, @instance)"
_STARTED = f"{_COUNT}c.started_at > @since AND NOT STARTSWITH(c.attempt_token, @instance)"
_ADMITTED = f"{_COUNT}c.created_at > @since"

MINUTE = 60.0


class Census:
    """Counts receipts. Not patient: who asks can do without the answer. Raises `StoreUnavailable`."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, instance: str) -> None:
        self._container = container
        self._clock = clock
        self._instance = instance

    async def in_flight_elsewhere(self, tenant: str) -> int:
        """Jobs that another instance works on, under a lease that has not run out."""
        return await self._count(_IN_FLIGHT, tenant, now=self._clock(), instance=self._instance)

    async def started_elsewhere(self, tenant: str) -> int:
        """Jobs that another instance has begun to work on in the last minute."""
        return await self._count(_STARTED, tenant, since=self._clock() - MINUTE, instance=self._instance)

    async def admitted(self, tenant: str) -> int:
        """Jobs that were admitted in the last minute, by whichever instance and way; on the queue: that were delivered once."""
        return await self._count(_ADMITTED, tenant, since=self._clock() - MINUTE)

    async def _count(self, query: str, tenant: str, **values: object) -> int:
        return await count_rows(self._container, query, values, key=[tenant])
