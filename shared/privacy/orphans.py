"""Step of the timer: orphans in both directions, found on a walk over all jobs that comes round within a day.

A page of the walk is one query for up to 500 documents, and one write that remembers the place. A run walks one page at the
least, so that a small store is walked whole each time, and as many more as the walk is behind, up to `MAX_PAGES`; each
suspect costs one or two reads, each orphan a deletion and its read-back besides. One query more asks for the holds.
"""

from dataclasses import dataclass
from itertools import groupby

from shared.azure.due_documents import Due, DueDocuments
from shared.azure.holds import Holds
from shared.azure.stamp_state import StampState
from shared.azure.traces import PAGE, Traces
from shared.clock import Clock
from shared.concurrently import each
from shared.domain.orphan import Trace, missing_output, orphans
from shared.domain.step_report import Tally
from shared.domain.walk import Walk

MAX_PAGES = 20
AT_ONCE = 8
_PLACE = "orphans"


@dataclass(frozen=True, kw_only=True)
class Orphans:
    """What the step works with."""

    traces: Traces
    documents: DueDocuments
    holds: Holds
    state: StampState
    clock: Clock

    async def look(self, tally: Tally) -> None:
        """Walk on: delete content and events without a receipt, count receipts that promise an output that is not there.

        Without the receipt nobody can say whether a hold means a document: of a tenant with a hold all are left.
        ``found`` and ``overdue`` are of this run's part of the way. A missing output cannot be repaired: it is overdue.
        """
        began = self.clock()
        holding = {hold.tenant_id for hold in await self.holds.standing()}
        walk = await self._read() or Walk.starting(began)
        rounds = pages = 0
        while not rounds and (not pages or (walk.is_behind(began) and pages < MAX_PAGES)):
            page = await self.traces.page(after=walk.position)
            jobs = [tuple(job) for _, job in groupby(page, key=lambda trace: (trace.tenant_id, trace.job_id))]
            is_last = len(page) < PAGE
            if not is_last and len(jobs) > 1:
                jobs.pop()  # it may be cut; the next page begins with it
            await each(jobs, lambda job: self._job(job, holding, tally), at_once=AT_ONCE)
            tally.checked += sum(map(len, jobs))
            walk = walk.round(self.clock()) if is_last else walk.at(jobs[-1][0].job_id)
            await self._write(walk)
            pages += 1
            rounds += is_last
        tally.complete = walk.is_complete(self.clock())

    async def _job(self, job: tuple[Trace, ...], holding: set[str], tally: Tally) -> None:
        suspects = [] if job[0].tenant_id in holding else orphans(job, now=self.clock())
        if suspects and await self.traces.read("receipt", of=suspects[0]) is None:
            for orphan in suspects:
                due = _due(orphan, since=self.clock())
                gone = await self.documents.delete(due) and await self.documents.is_gone(due)
                tally.found += 1
                tally.deleted += gone
                tally.overdue += not gone
        receipt = missing_output(job, now=self.clock())
        if receipt is not None and await self._is_missing(receipt):
            tally.found += 1
            tally.overdue += 1

    async def _is_missing(self, receipt: Trace) -> bool:
        """Look again, at the output first: what ends or is deleted meanwhile changes its receipt before or with it."""
        if await self.traces.read("output", of=receipt) is not None:
            return False
        again = await self.traces.read("receipt", of=receipt)
        return again is not None and missing_output([again], now=self.clock()) is not None

    async def _read(self) -> Walk | None:
        stored = await self.state.read(_PLACE)
        if stored is None:
            return None
        return Walk(position=stored["position"], began_at=stored["began_at"], whole_since=stored["whole_since"])

    async def _write(self, walk: Walk) -> None:
        await self.state.write(_PLACE, position=walk.position, began_at=walk.began_at, whole_since=walk.whole_since)


def _due(trace: Trace, *, since: float) -> Due:
    return Due(document_id=trace.document_id, tenant_id=trace.tenant_id, job_id=trace.job_id, etag=trace.etag, since=since)
