"""Everything that the store holds of one tenant, to be removed when the tenant goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import NOT_FOUND, Answered, Document, foreign_errors, query_rows
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
class TenantDocument:
    """A document of a tenant: its class (the container's name where it has none), and the copy of a message that it knows."""

    container: str
    document: Document = field(repr=False)

    @property
    def data_class(self) -> str:
        """What it is counted as."""
        return str(self.document.get("dataClass", self.container))

    @property
    def waiting_copy(self) -> int | None:
        """Sequence number of the copy that waits in the queue for this job; with the document nobody knows it any more."""
        number: int | None = self.document.get("scheduled_sequence_number")
        return number


class TenantDocuments:
    """The documents of one tenant over all containers."""

    def __init__(self, containers: Mapping[str, ContainerProxy]) -> None:
        self._containers = containers

    async def all(self, tenant: str) -> list[TenantDocument]:
        """Return every document of a tenant but its policy; raises `StoreUnavailable`."""
        return [
            TenantDocument(container=name, document=document)
            for name in self._containers
            for document in await self._list(name, tenant)
        ]

    @patient
    async def delete(self, found: TenantDocument) -> None:
        """Delete a document; one that is gone is no error. Raises `StoreUnavailable`."""
        document = found.document
        key = [document["tenantId"], document["jobId"]] if found.container in BY_JOB else document["tenantId"]
        try:
            async with foreign_errors():
                await self._containers[found.container].delete_item(document["id"], key)
        except Answered as answer:
            if answer.status != NOT_FOUND:
                raise StoreUnavailable from None

    @patient
    async def _list(self, name: str, tenant: str) -> list[Document]:
        found = await query_rows(self._containers[name], _MINE, {"tenant": tenant}, key=[tenant] if name in BY_JOB else tenant)
        return [document for document in found if document["id"] != _KEPT]
