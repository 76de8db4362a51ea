"""Documents of container ``generations`` whose deadline is later than their tenant's policy has it now.

Each document says for how long it is kept (``kept_seconds`` from admission; a receipt also ``content_kept_seconds``), so that
an index finds those that a shorter policy concerns. A deadline is moved by the difference, and only ever to an earlier time.
"""

from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import NOT_FOUND, PRECONDITION_FAILED, Answered, Document, foreign_errors, sets
from shared.azure.marks import to_mark, until
from shared.clock import Clock
from shared.domain.policy import Retention, ttl
from shared.errors import StoreUnavailable
from shared.patience import patient

PAGE = 100

_FIELDS = (
    "SELECT c.id, c.tenantId, c.jobId, c.dataClass, c._etag, c.expires_at, c.kept_seconds, "
    "c.content_expires_at, c.content_kept_seconds, c.held_until, c.held_by FROM c"
)
"""Without content: what is to be forgotten sooner is not read for that."""
_COUNT = "SELECT VALUE COUNT(1) FROM c"
_CONDITIONS = {
    "receipt": "(c.kept_seconds > @receipt OR c.content_kept_seconds > @output)",
    "output": "c.kept_seconds > @output",
    "event": "c.kept_seconds > @receipt",
}


@dataclass(frozen=True, kw_only=True)
class KeptTooLong:
    """A document that its policy wants gone earlier than it says itself."""

    document: Document

    def shortened(self, retention: Retention) -> dict[str, object]:
        """Return the fields with which it ends in time."""
        own = retention.output_seconds if self.document["dataClass"] == "output" else retention.receipt_seconds
        values = self._moved("expires_at", "kept_seconds", own)
        if self.document["dataClass"] == "receipt":
            values |= self._moved("content_expires_at", "content_kept_seconds", retention.output_seconds)
        return values

    def _moved(self, deadline: str, kept: str, limit: int) -> dict[str, object]:
        excess = max(0, self.document[kept] - limit)
        return {deadline: self.document[deadline] - excess, kept: self.document[kept] - excess}


class KeptDocuments:
    """Finds and shortens, one tenant and one data class at a time."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    async def too_long(self, tenant: str, retention: Retention) -> list[KeptTooLong]:
        """Return a page of documents that are kept too long, receipts first: by them reads decide."""
        found: list[KeptTooLong] = []
        for data_class, condition in _CONDITIONS.items():
            room = PAGE - len(found)
            if room > 0:
                query = f"{_FIELDS} WHERE c.dataClass = '{data_class}' AND {condition} OFFSET 0 LIMIT {room}"
                found += [KeptTooLong(document=document) for document in await self._query(query, tenant, retention)]
        return found

    async def count(self, tenant: str, retention: Retention) -> dict[str, int]:
        """Count the documents whose deadline these retention times would shorten, by data class."""
        counts = {}
        for data_class, condition in _CONDITIONS.items():
            query = f"{_COUNT} WHERE c.dataClass = '{data_class}' AND {condition}"
            counts[data_class] = sum([int(count) for count in await self._query(query, tenant, retention)])
        return counts

    @patient
    async def shorten(self, kept: KeptTooLong, retention: Retention) -> bool:
        """Move a document's deadlines; False when it was written since it was found, or is gone."""
        document = kept.document
        values = kept.shortened(retention)
        ends_at, held_until = float(str(values["expires_at"])), until(to_mark(document))
        values["ttl"] = ttl(ends_at, now=self._clock(), grace=self._grace, held_until=held_until)
        try:
            async with foreign_errors():
                await self._container.patch_item(
                    document["id"],
                    [document["tenantId"], document["jobId"]],
                    sets(values),
                    etag=document["_etag"],
                    match_condition=MatchConditions.IfNotModified,
                    no_response=True,
                )
        except Answered as answer:
            if answer.status in {NOT_FOUND, PRECONDITION_FAILED}:
                return False
            raise StoreUnavailable from None
        return True

    @patient
    async def _query(self, query: str, tenant: str, retention: Retention) -> list[Any]:
        parameters: list[dict[str, object]] = [
            {"name": "@output", "value": retention.output_seconds},
            {"name": "@receipt", "value": retention.receipt_seconds},
        ]
        try:
            async with foreign_errors():
                found = self._container.query_items(query, parameters=parameters, partition_key=[tenant])
                return [row async for row in found]
        except Answered:
            raise StoreUnavailable from None
