"""Documents of jobs, records for abuse review and alerts whose deadline is later than their tenant's policy has it now.

Each document says for how long it is kept (``kept_seconds`` from admission; a receipt also ``content_kept_seconds``), so that
an index finds those that a shorter policy concerns. A deadline is moved by the difference, and only ever to an earlier time.
What is kept for the review of a tenant that has opted out is kept for 0 seconds: it ends at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import NOT_FOUND, PRECONDITION_FAILED, Answered, Document, count_rows, foreign_errors, query_rows, sets
from shared.azure.marks import to_mark, until
from shared.clock import Clock
from shared.domain import abuse_alert, abuse_record
from shared.domain.policy import TenantPolicy, ttl
from shared.errors import StoreUnavailable
from shared.patience import patient

PAGE = 100

_FIELDS = (
    "SELECT c.id, c.tenantId, c.jobId, c.dataClass, c._etag, c.expires_at, c.kept_seconds, "
    "c.content_expires_at, c.content_kept_seconds, c.held_until, c.held_by FROM c"
)
"""Without content: what is to be forgotten sooner is not read for that."""
_COUNT = "SELECT VALUE COUNT(1) FROM c"
OF_JOBS: Mapping[str, str] = {
    "receipt": "(c.kept_seconds > @receipt OR c.content_kept_seconds > @output)",
    "output": "c.kept_seconds > @output",
    "event": "c.kept_seconds > @receipt",
}
"""Classes of container ``generations``, those by which reads decide first, and which documents of them are kept too long."""
OF_REVIEW: Mapping[str, str] = dict.fromkeys((abuse_record.DATA_CLASS, abuse_alert.DATA_CLASS), "c.kept_seconds > @review")
"""Those of ``abuse-monitoring``."""
_LIMITS = {"output": "output", **dict.fromkeys(OF_REVIEW, "review")}
"""Which clock of a policy a class has; any other has that of the receipt."""


@dataclass(frozen=True, kw_only=True)
class KeptTooLong:
    """A document that its policy wants gone earlier than it says itself."""

    document: Document

    def shortened(self, policy: TenantPolicy, *, now: float) -> dict[str, object]:
        """Return the fields with which it ends in time."""
        limits, data_class = _limits(policy), self.document["dataClass"]
        limit = limits[_LIMITS.get(data_class, "receipt")]
        if not limit:
            return {"expires_at": min(self.document["expires_at"], now), "kept_seconds": 0}
        values = self._moved("expires_at", "kept_seconds", limit)
        if data_class == "receipt":
            values |= self._moved("content_expires_at", "content_kept_seconds", limits["output"])
        return values

    def _moved(self, deadline: str, kept: str, limit: int) -> dict[str, object]:
        excess = max(0, self.document[kept] - limit)
        return {deadline: self.document[deadline] - excess, kept: self.document[kept] - excess}


class KeptDocuments:
    """Finds and shortens, one tenant and one data class at a time."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int, classes: Mapping[str, str] = OF_JOBS) -> None:
        self._container = container
        self._classes = classes
        self._clock = clock
        self._grace = grace

    async def too_long(self, policy: TenantPolicy) -> list[KeptTooLong]:
        """Return a page of a tenant's documents that are kept too long."""
        found: list[KeptTooLong] = []
        for data_class, condition in self._classes.items():
            room = PAGE - len(found)
            if room > 0:
                query = f"{_FIELDS} WHERE c.dataClass = '{data_class}' AND {condition} OFFSET 0 LIMIT {room}"
                found += [KeptTooLong(document=document) for document in await self._query(query, policy)]
        return found

    async def count(self, policy: TenantPolicy) -> dict[str, int]:
        """Count the documents whose deadline this policy would shorten, by data class."""
        counts = {}
        for data_class, condition in self._classes.items():
            query = f"{_COUNT} WHERE c.dataClass = '{data_class}' AND {condition}"
            counts[data_class] = await self._counted(query, policy)
        return counts

    @patient
    async def shorten(self, kept: KeptTooLong, policy: TenantPolicy) -> bool:
        """Move a document's deadlines; False when it was written since it was found, or is gone."""
        document, now = kept.document, self._clock()
        values = kept.shortened(policy, now=now)
        ends_at, held_until = float(str(values["expires_at"])), until(to_mark(document))
        values["ttl"] = ttl(ends_at, now=now, grace=self._grace, held_until=held_until)
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
    async def _query(self, query: str, policy: TenantPolicy) -> list[Document]:
        return await query_rows(self._container, query, _limits(policy), key=[policy.tenant_id])

    @patient
    async def _counted(self, query: str, policy: TenantPolicy) -> int:
        return await count_rows(self._container, query, _limits(policy), key=[policy.tenant_id])


def _limits(policy: TenantPolicy) -> dict[str, int]:
    """The seconds of each clock of a policy."""
    retention = policy.retention
    return {
        "output": retention.output_seconds,
        "receipt": retention.receipt_seconds,
        "review": 0 if policy.abuse_monitoring.opted_out else retention.abuse_record_seconds,
    }
