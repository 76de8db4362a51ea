"""Traces of jobs over all tenants, without content: a page of them in the order of job ids, or a look at one."""

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import NOT_FOUND, Answered, Document, foreign_errors
from shared.domain.orphan import Trace
from shared.errors import StoreUnavailable
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
        parameters: list[dict[str, object]] = [{"name": "@after", "value": after}, {"name": "@page", "value": PAGE}]
        try:
            async with foreign_errors():
                answer = self._container.query_items(_PAGE, parameters=parameters, max_item_count=PAGE)
                return [_trace(document) async for document in answer]
        except Answered:
            raise StoreUnavailable from None

    @patient
    async def read(self, document_id: str, *, of: Trace) -> Trace | None:
        """Read one document of the job that a trace belongs to, None when it is not there."""
        try:
            async with foreign_errors():
                return _trace(dict(await self._container.read_item(document_id, [of.tenant_id, of.job_id])))
        except Answered as answer:
            if answer.status == NOT_FOUND:
                return None
            raise StoreUnavailable from None


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
