"""Everything that the store holds of one tenant, to be removed when the tenant goes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import NOT_FOUND, Answered, Document, foreign_errors
from shared.errors import StoreUnavailable
from shared.patience import patient

BY_JOB = frozenset({"generations", "abuse-monitoring"})
"""Containers with partition key (tenant, job); that of the others is the tenant."""
OF_TENANTS = (*sorted(BY_JOB), "fine-tuning", "policies", "privacy", "webhook-endpoints")
"""Every container that has documents of tenants. Evidence names tenants and stays."""

_KEPT = "policy"
"""Id of the document in ``policies`` that becomes the tombstone."""
_MINE = "SELECT c.id, c.tenantId, c.jobId, c.dataClass, c.scheduled_sequence_number FROM c WHERE c.tenantId = @tenant"


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What was removed: documents by class, and the sequence numbers of copies that still wait in a queue."""

    counts: Counter[str]
    waiting_copies: tuple[int, ...]


class TenantDocuments:
    """The documents of one tenant over all containers."""

    def __init__(self, containers: Mapping[str, ContainerProxy]) -> None:
        self._containers = containers

    async def remove(self, tenant: str) -> Removed:
        """Delete every document of a tenant but its policy; safe to repeat. Raises `StoreUnavailable`."""
        counts: Counter[str] = Counter()
        copies = []
        for name in self._containers:
            for document in await self._list(name, tenant):
                await self._delete(name, document)
                counts[document.get("dataClass", name)] += 1
                copies.append(document.get("scheduled_sequence_number"))
        return Removed(counts=counts, waiting_copies=tuple(copy for copy in copies if copy is not None))

    async def remaining(self, tenant: str) -> int:
        """Count what is left, by reading back; the tombstone does not count."""
        return sum([len(await self._list(name, tenant)) for name in self._containers])

    @patient
    async def _list(self, name: str, tenant: str) -> list[Document]:
        key = [tenant] if name in BY_JOB else tenant
        try:
            async with foreign_errors():
                found = self._containers[name].query_items(
                    _MINE, parameters=[{"name": "@tenant", "value": tenant}], partition_key=key
                )
                return [document async for document in found if document["id"] != _KEPT]
        except Answered:
            raise StoreUnavailable from None

    @patient
    async def _delete(self, name: str, document: Document) -> None:
        key = [document["tenantId"], document["jobId"]] if name in BY_JOB else document["tenantId"]
        try:
            async with foreign_errors():
                await self._containers[name].delete_item(document["id"], key)
        except Answered as answer:
            if answer.status != NOT_FOUND:
                raise StoreUnavailable from None
