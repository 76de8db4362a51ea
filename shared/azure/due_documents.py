"""What the retention timer finds and deletes of jobs, and of records and alerts of abuse monitoring, each container by itself.

Documents past their deadline are still visible for the grace period (`shared.domain.policy.ttl`), which is when they are found
here, deleted under their etag, and read back: what was deleted is in no later page.
"""

from dataclasses import dataclass

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure import documents
from shared.azure.cosmos import (
    NOT_FOUND,
    PRECONDITION_FAILED,
    Answered,
    Document,
    Operation,
    find_document,
    foreign_errors,
    query_rows,
    sets,
)
from shared.azure.marks import NOT_HELD, until
from shared.clock import Clock
from shared.domain.generation import EXPIRED, Receipt, Status
from shared.domain.policy import ttl
from shared.errors import StoreUnavailable

PAGE = 500

_FIND_DUE = "SELECT c.id, c.tenantId, c.jobId, c.expires_at, c._etag FROM c"
_DUE = f"{_FIND_DUE} WHERE c.expires_at <= @now AND {NOT_HELD} ORDER BY c.expires_at ASC OFFSET 0 LIMIT @page"
_FIND_RECEIPTS = "SELECT * FROM c WHERE c.dataClass = 'receipt'"
_LIVE = "c.status IN ('queued', 'in_progress')"
_FORGETTABLE = (
    f"{_FIND_RECEIPTS} AND c.content_expires_at <= @now AND ({_LIVE} OR (NOT IS_NULL(c.content_mac) AND {NOT_HELD})) "
    "ORDER BY c.content_expires_at ASC OFFSET 0 LIMIT @page"
)
"""A hold keeps the MAC of a content, and keeps no job from its end."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """A document whose time has come: where it is, and since when (seconds since the epoch)."""

    document_id: str
    tenant_id: str
    job_id: str
    etag: str
    since: float
    receipt: Receipt | None = None


class DueDocuments:
    """Queries over all tenants, one page at a time: what is deleted is gone, so the next page is the same query again."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    async def expired(self) -> list[Due]:
        """Return a page of documents past their deadline, the oldest first."""
        return [_due(document, document["expires_at"]) for document in await self._query(_DUE)]

    async def forgettable(self) -> list[Due]:
        """Return a page of receipts whose content is past its deadline: still known by its MAC, or of a job without an end."""
        return [
            _due(document, document["content_expires_at"], documents.to_receipt(document))
            for document in await self._query(_FORGETTABLE)
        ]

    async def delete(self, due: Due) -> bool:
        """Delete a document; False when it was written since it was found. `expired` is the way to read back many."""
        try:
            async with foreign_errors():
                await self._container.delete_item(
                    due.document_id,
                    [due.tenant_id, due.job_id],
                    etag=due.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
        except Answered as answer:
            return answer.status == NOT_FOUND
        return True

    async def is_gone(self, due: Due) -> bool:
        """Read a document back."""
        return await find_document(self._container, due.document_id, [due.tenant_id, due.job_id]) is None

    async def forget_content(self, due: Due) -> bool:
        """Take the MAC of the content off a receipt, unless it is held, and end a job that nobody ended.

        False when it was written since.
        """
        receipt = due.receipt
        if receipt is None:
            return False
        now = self._clock()
        lives = ttl(receipt.expires_at, now=now, grace=self._grace, held_until=until(receipt.held))
        values: dict[str, object] = {"ttl": lives}
        if receipt.held is None or not receipt.held.stands(now):
            values["content_mac"] = None
        event: list[Operation] = []
        if not receipt.status.terminal:
            values |= {"status": Status.EXPIRED, "completed_at": now, "result": documents.of_result(EXPIRED)}
            event = [("create", (documents.of_event(receipt, EXPIRED, heard=True, now=now, grace=self._grace),))]
        try:
            async with foreign_errors():
                await self._container.execute_item_batch(
                    [("patch", ("receipt", sets(values)), {"if_match_etag": due.etag}), *event], [due.tenant_id, due.job_id]
                )
        except Answered as answer:
            if answer.status in {PRECONDITION_FAILED, NOT_FOUND}:
                return False
            raise StoreUnavailable from None
        return True

    async def _query(self, query: str) -> list[Document]:
        return await query_rows(self._container, query, {"now": self._clock(), "page": PAGE}, page=PAGE)


def _due(document: Document, since: float, receipt: Receipt | None = None) -> Due:
    return Due(
        document_id=document["id"],
        tenant_id=document["tenantId"],
        job_id=document["jobId"],
        etag=document["_etag"],
        since=since,
        receipt=receipt,
    )
