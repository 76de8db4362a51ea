"""Jobs as holds see them, in containers partitioned by tenant and job: which are in scope, and the marks on their documents."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from azure.cosmos.aio import ContainerProxy

from shared.azure import documents
from shared.azure.cosmos import Answered, Document, Operation, count_rows, foreign_errors, query_rows, sets
from shared.azure.marks import of_mark, to_mark
from shared.clock import Clock
from shared.domain import abuse_alert, abuse_record
from shared.domain.hold import Held, Hold, Mark, Scope, decisive
from shared.domain.policy import ttl
from shared.errors import WriteConflict
from shared.patience import patient

PAGE = 100

_JOBS = "SELECT VALUE c.jobId FROM c"
_COUNT = "SELECT VALUE COUNT(1) FROM c"
_OF_A_JOB = (
    "SELECT c.id, c.dataClass, c.tenantId, c.jobId, c._etag, c.expires_at, "
    "c.subject, c.deleted_at, c.held_until, c.held_by FROM c"
)
"""Without content."""
_IS_HELD = "c.held_until > @now"

type Parameters = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Root:
    """The document of a partition that says what a hold is compared with: its classes, and which of its times ends a content.

    The first class is that of a job; an alert has a partition of its own, under its id in place of a job's.
    """

    classes: tuple[str, ...]
    deadline: str

    @property
    def condition(self) -> str:
        """The condition that a document is one of these."""
        return f"c.dataClass IN ({', '.join(f"'{name}'" for name in self.classes)})"


OF_JOBS = Root(classes=("receipt",), deadline="content_expires_at")
"""In container ``generations``."""
OF_REVIEW = Root(classes=(abuse_record.DATA_CLASS, abuse_alert.DATA_CLASS), deadline="expires_at")
"""In container ``abuse-monitoring``, where a partition has one document."""


class HeldJobs:
    """Marks and unmarks, one job at a time: all its documents in one transaction, under the etag of each."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int, root: Root = OF_JOBS) -> None:
        self._container = container
        self._root = root
        self._clock = clock
        self._grace = grace

    async def exists(self, tenant: str, job_id: str) -> bool:
        """Whether there is something of a tenant's job here, of one that it deleted not counted."""
        found = await self._query(_OF_A_JOB, [tenant, job_id], {})
        job = self._root.classes[0]
        return any(document.get("dataClass") == job and document.get("deleted_at") is None for document in found)

    async def unmarked(self, hold: Hold) -> list[str]:
        """Return a page of ids of jobs in an active hold's scope that no hold keeps for as long."""
        condition, values = _in_scope(hold)
        condition += " AND (NOT IS_DEFINED(c.held_until) OR c.held_until < @end)"
        return await self._page(hold.tenant_id, condition, {**values, "end": hold.ends_at})

    async def marked_by(self, hold: Hold) -> list[str]:
        """Return a page of ids of jobs that a hold decided about; when it is over, another one does, or none."""
        return await self._page(hold.tenant_id, "c.held_by = @hold", {"hold": hold.id})

    async def settle(self, tenant: str, job_id: str, holds: Iterable[Hold]) -> Hold | None:
        """Mark a job's documents as its tenant's holds have it, or unmark them; return the hold that decides.

        Raises `WriteConflict` when one of the documents was written since it was read.
        """
        found = await self._query(_OF_A_JOB, [tenant, job_id], {})
        root = next((document for document in found if document.get("dataClass") in self._root.classes), None)
        if root is None:  # an event that is not a job's
            return None
        hold = decisive(holds, job_id=job_id, subject=documents.to_mac(root.get("subject")), now=self._clock())
        mark = hold.mark if hold else None
        if any(to_mark(document) != mark for document in found):
            await self._write(found, mark)
        return hold

    async def count(self, hold: Hold) -> Held:
        """Count what a hold holds now."""
        condition, values = _in_scope(hold)
        condition += " AND c.held_until > @now AND c.held_until >= @end"
        values |= {"end": hold.ends_at}
        key = [hold.tenant_id]
        counts = {
            name: await self._count(f"c.dataClass = '{name}' AND {condition}", values, key) for name in self._root.classes
        }
        past = f"{self._root.condition} AND {condition} AND c.{self._root.deadline} <= @now"
        return Held(
            jobs=counts.get("receipt", 0),
            sealed_records=counts.get(abuse_record.DATA_CLASS, 0),
            alerts=counts.get(abuse_alert.DATA_CLASS, 0),
            past_deadline=await self._count(past, values, key),
        )

    async def documents_held(self) -> tuple[int, int]:
        """Count the documents of all tenants that are held, and those of them that are past their deadline."""
        return await self._count(_IS_HELD, {}), await self._count(f"{_IS_HELD} AND c.expires_at <= @now", {})

    async def _page(self, tenant: str, condition: str, values: Parameters) -> list[str]:
        query = f"{_JOBS} WHERE {self._root.condition} AND {condition} OFFSET 0 LIMIT {PAGE}"
        return [str(job_id) for job_id in await self._query(query, [tenant], values)]

    @patient
    async def _count(self, condition: str, values: Parameters, key: list[str] | None = None) -> int:
        values = {**values, "now": self._clock()}
        return await count_rows(self._container, f"{_COUNT} WHERE {condition}", values, key=key)

    @patient
    async def _query(self, query: str, key: list[str], values: Parameters) -> list[Any]:
        return await query_rows(self._container, query, values, key=key)

    @patient
    async def _write(self, found: list[Document], mark: Mark | None) -> None:
        operations: list[Operation] = [
            ("patch", (document["id"], self._marking(document, mark)), {"if_match_etag": document["_etag"]})
            for document in found
        ]
        try:
            async with foreign_errors():
                await self._container.execute_item_batch(operations, [found[0]["tenantId"], found[0]["jobId"]])
        except Answered:
            raise WriteConflict from None

    def _marking(self, document: Document, mark: Mark | None) -> list[dict[str, object]]:
        until = mark.until if mark else 0.0
        values: Document = {"ttl": ttl(document["expires_at"], now=self._clock(), grace=self._grace, held_until=until)}
        if mark is None and document.get("deleted_at") is not None:
            values["subject"] = None  # of a job that its tenant deleted while it was held
        marks = () if mark else [name for name in ("held_until", "held_by") if name in document]
        removals: list[dict[str, object]] = [{"op": "remove", "path": f"/{name}"} for name in marks]
        return [*sets({**values, **of_mark(mark)}), *removals]


def _in_scope(hold: Hold) -> tuple[str, Parameters]:
    """The condition that a root of the hold's tenant is in its scope."""
    match hold.scope:
        case Scope.TENANT:
            return "true", {}
        case Scope.JOB:
            return "c.jobId = @job", {"job": hold.job_id}
        case Scope.SUBJECT:
            names = {f"subject{number}": mac.mac for number, mac in enumerate(hold.subjects)}
            return f"c.subject.mac IN ({', '.join(f'@{name}' for name in names)})", {**names}
