"""The documents of one data subject in a container partitioned by tenant and job: found by its MAC, erased job by job.

In ``generations`` receipts and outputs carry the MAC, so that one of them alone, as after a partial restore, is found as well.
In ``abuse-monitoring`` each partition has one document, which carries it: a record for review, or an alert.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from secrets import token_hex

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import (
    Answered,
    Document,
    Operation,
    count_rows,
    find_document,
    foreign_errors,
    query_rows,
    sets,
)
from shared.clock import Clock
from shared.domain.erasing import RECEIPT, Plan, Standing
from shared.domain.erasure import Erasure
from shared.domain.generation import Status
from shared.domain.macs import Mac
from shared.domain.policy import ttl
from shared.errors import WriteConflict
from shared.patience import patient

PAGE = 100

_FOUND = "SELECT c.jobId, c.subject, c.created_at FROM c"
_BEHIND = "c.jobId > @after"
_IN_ORDER = "ORDER BY c.jobId ASC OFFSET 0 LIMIT @page"
_LAST = "SELECT VALUE c.expires_at FROM c"
_RECORDS = "SELECT VALUE COUNT(1) FROM c"
_SEALED = "c.dataClass = 'abuse_record' AND c.expires_at > @now"
_READABLE = "c.dataClass = 'receipt' AND c.content_expires_at > @now"
_JOB = "SELECT c.id, c.expires_at, c.held_until, c.status, c.subject, c.deleted_at, c.scheduled_sequence_number, c._etag FROM c"


@dataclass(frozen=True, kw_only=True)
class Match:
    """A document that an erasure covers."""

    job_id: str
    subject: Mac
    created_at: float


@dataclass(frozen=True, kw_only=True)
class SealedRecords:
    """How many records for abuse review there are, and when the last one ends (seconds since the epoch), None of none."""

    count: int
    expires_at: float | None


class SubjectDocuments:
    """Finds and erases; every query stays inside one tenant."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    @patient
    async def covered(self, tenant: str, erasures: Sequence[Erasure], *, after: str) -> list[Match]:
        """Return a page of documents that any of some erasures covers, in the order of their jobs, behind a job."""
        values: dict[str, object] = {"after": after, "page": PAGE}
        conditions = []
        for n, erasure in enumerate(erasures):
            values[f"cutoff{n}"] = erasure.cutoff
            names = _named(values, f"mac{n}_", erasure.subjects)
            conditions.append(f"(c.created_at <= @cutoff{n} AND c.subject.mac IN ({names}))")
        covered = " OR ".join(conditions)
        query = f"{_FOUND} WHERE {_BEHIND} AND ({covered}) {_IN_ORDER}"
        found = await query_rows(self._container, query, values, key=[tenant])
        return [Match(job_id=each["jobId"], subject=Mac(**each["subject"]), created_at=each["created_at"]) for each in found]

    @patient
    async def living(self, tenant: str, subjects: Iterable[Mac], *, after: str, page: int) -> list[str]:
        """Return a page of the subject's jobs that are not past their deadline, in the order of their ids."""
        values: dict[str, object] = {"after": after, "now": self._clock(), "page": page}
        names = _named(values, "mac", subjects)
        query = f"{_FOUND} WHERE {_BEHIND} AND {_READABLE} AND c.subject.mac IN ({names}) {_IN_ORDER}"
        return [each["jobId"] for each in await query_rows(self._container, query, values, key=[tenant])]

    @patient
    async def sealed(self, tenant: str, subjects: Iterable[Mac]) -> SealedRecords:
        """Count the subject's records for abuse review that are not past their deadline."""
        values: dict[str, object] = {"now": self._clock()}
        condition = f"{_SEALED} AND c.subject.mac IN ({_named(values, 'mac', subjects)})"
        count = await count_rows(self._container, f"{_RECORDS} WHERE {condition}", values, key=[tenant])
        last = f"{_LAST} WHERE {condition} ORDER BY c.expires_at DESC OFFSET 0 LIMIT 1"
        ends = await query_rows(self._container, last, values, key=[tenant])
        return SealedRecords(count=count, expires_at=max(map(float, ends), default=None))

    @patient
    async def job(self, tenant: str, job_id: str) -> list[Standing]:
        """Return what stands of a job, without its content."""
        return [_standing(document) for document in await query_rows(self._container, _JOB, key=[tenant, job_id])]

    @patient
    async def erase(self, tenant: str, job_id: str, plan: Plan) -> None:
        """Do what was decided, in one transaction; raises `WriteConflict` when somebody wrote since the job was read.

        Each document has to be as it was read: a hold that was placed meanwhile wins.
        """
        operations: list[Operation] = [("delete", (document.id,), {"if_match_etag": document.etag}) for document in plan.delete]
        operations += [
            ("patch", (document.id, sets(self._shortened(document))), {"if_match_etag": document.etag})
            for document in plan.shorten
        ]
        if plan.bury:
            fields = sets(self._tombstone(plan.bury, plan))
            operations.append(("patch", (RECEIPT, fields), {"if_match_etag": plan.bury.etag}))
        try:
            async with foreign_errors():
                await self._container.execute_item_batch(operations, [tenant, job_id])
        except Answered:
            raise WriteConflict from None

    @patient
    async def is_gone(self, tenant: str, job_id: str, document_id: str) -> bool:
        """Whether a document is gone, by reading back."""
        return await find_document(self._container, document_id, [tenant, job_id]) is None

    def _tombstone(self, receipt: Standing, plan: Plan) -> dict[str, object]:
        """Fields of a receipt that is none any more; a job that had not ended is cancelled, under a token of nobody's."""
        now = self._clock()
        ends = max(receipt.expires_at, plan.held.until or 0.0)
        fields: dict[str, object] = {"content_mac": None, "ttl": ttl(ends, now=now, grace=self._grace)}
        if receipt.deleted_at is None:
            fields["deleted_at"] = now
        if plan.forget_subject:
            fields["subject"] = None
        if receipt.status is not None and not receipt.status.terminal:
            fields |= {"status": Status.CANCELLED, "attempt_token": token_hex(16), "completed_at": now}
        return fields

    def _shortened(self, document: Standing) -> dict[str, object]:
        now = self._clock()
        return {"expires_at": now, "ttl": ttl(max(now, document.held_until or now), now=now, grace=self._grace)}


def _named(values: dict[str, object], prefix: str, subjects: Iterable[Mac]) -> str:
    """Add the MACs of subjects to the parameters of a query; return their names."""
    named = {f"{prefix}{n}": subject.mac for n, subject in enumerate(subjects)}
    values |= named
    return ", ".join(f"@{name}" for name in named)


def _standing(document: Document) -> Standing:
    status, subject = document.get("status"), document.get("subject")
    return Standing(
        id=document["id"],
        expires_at=document["expires_at"],
        etag=document["_etag"],
        held_until=document.get("held_until"),
        status=Status(status) if status and document["id"] == RECEIPT else None,  # an alert has another kind of status
        subject=Mac(**subject) if subject else None,
        deleted_at=document.get("deleted_at"),
        scheduled_sequence_number=document.get("scheduled_sequence_number"),
    )
