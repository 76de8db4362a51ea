"""Counts over all tenants, for the timer: what an index can count or order, and nothing of a document but a time."""

from collections.abc import Mapping

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import count_rows, query_rows
from shared.patience import patient

_COUNT = "SELECT VALUE COUNT(1) FROM c WHERE c.dataClass = @data_class"
_OLDEST = (
    "SELECT VALUE c.created_at FROM c WHERE c.dataClass = @data_class AND c.created_at <= @now "
    "ORDER BY c.created_at ASC OFFSET 0 LIMIT 1"
)
_DEADLINES = "SELECT VALUE COUNT(1) FROM c WHERE c.dataClass = 'output' AND c.expires_at > @after AND c.expires_at <= @until"
_LAPSED = "SELECT VALUE COUNT(1) FROM c WHERE c.dataClass = 'receipt' AND c.status = 'in_progress' AND c.lease_until <= @before"
_UNTAKEN = (
    "SELECT VALUE COUNT(1) FROM c WHERE c.dataClass = 'receipt' AND c.status = 'queued' "
    "AND c.lease_until <= @before AND c.not_before <= @before"
)


class Counts:
    """Counts documents of one container; raises `StoreUnavailable`."""

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    async def count(self, data_class: str) -> int:
        """How many documents of a class there are; Cosmos DB may still count what it hides behind its ``ttl``."""
        return await self._count(_COUNT, {"data_class": data_class})

    @patient
    async def oldest(self, data_class: str, *, now: float) -> float | None:
        """When the oldest document of a class was made (seconds since the epoch), None when there is none."""
        found = await query_rows(self._container, _OLDEST, {"data_class": data_class, "now": now})
        return float(min(found)) if found else None

    async def lapsed_claims(self, *, before: float) -> int:
        """How many jobs somebody began, whose lease ended before a time and who nobody took up since."""
        return await self._count(_LAPSED, {"before": before})

    async def untaken_jobs(self, *, before: float) -> int:
        """How many jobs wait that somebody could have taken since a time."""
        return await self._count(_UNTAKEN, {"before": before})

    async def deadlines_between(self, after: float, until: float) -> int:
        """How many outputs have their deadline behind one time and not behind another."""
        return await self._count(_DEADLINES, {"after": after, "until": until})

    @patient
    async def _count(self, query: str, values: Mapping[str, object]) -> int:
        return await count_rows(self._container, query, values)
