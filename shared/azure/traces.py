"""Traces of jobs over all tenants, without content: a page of them in the order of job ids, or a look at one."""

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import Document, find_document, query_rows
from shared.domain.orphan import Trace
from shared.patience import patient

PAGE = 500

_PAGE = (
    "SELECT c.id, c.dataClass, c.tenantId, c.jobId, c._etag, c.expires_at, c.status, c.content_expires_at, c.deleted_at, "
    "c.held_until, c.kept_seconds FROM c WHERE c.jobId > @after ORDER BY c.jobId ASC OFFSET 0 LIMIT @page"
)


class Traces:
    """Reads; raises `StoreUnavailable`."""

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    @patient
    async def page(self, *, after: str) -> list[Trace]:
        """Return up to `PAGE` documents behind a job id; those of one job are neighbours, and the last job may be cut."""
        return [_trace(row) for row in await query_rows(self._container, _PAGE, {"after": after, "page": PAGE}, page=PAGE)]

    @patient
    async def read(self, document_id: str, *, of: Trace) -> Trace | None:
        """Read one document of the job that a trace belongs to, None when it is not there."""
        found = await find_document(self._container, document_id, [of.tenant_id, of.job_id])
        return None if found is None else _trace(found)


def _trace(document: Document) -> Trace:
    return Trace(
        document_id=document["id"],
        data_class=document.get("dataClass", ""),
        tenant_id=document["tenantId"],
        job_id=document["jobId"],
        etag=document["_etag"],
        expires_at=document.get("expires_at", 0.0),
        status=document.get("status"),
        content_expires_at=document.get("content_expires_at"),
        deleted_at=document.get("deleted_at"),
        held_until=document.get("held_until"),
        of_job="kept_seconds" in document,  # an event that is not a job's follows no policy
    )
