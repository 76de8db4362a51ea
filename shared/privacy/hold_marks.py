"""Making holds true: what is in scope is marked and kept, and what was held by one that is over is let go.

Both go on until nothing is left to do, page after page: what is done no longer answers the query, so that a pass that was
interrupted is resumed by another one. When one finds nothing left, evidence and the hold say so.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from functools import partial

from shared.azure.held_jobs import PAGE, HeldJobs
from shared.domain.evidence import Chain, Kind
from shared.domain.evidence_fields import Fields
from shared.domain.hold import SETTLED_SECONDS, Held, Hold, Standing
from shared.errors import WriteConflict
from shared.privacy.holding import Holding

_AT_ONCE = 10
"""Jobs that are marked at the same time."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """How many jobs were found that were not as the holds have them, how many are now, and whether none is left.

    Records for abuse review and alerts count as jobs.
    """

    found: int
    settled: int
    complete: bool


async def apply(hold: Hold, holding: Holding, *, limit: int) -> Pass:
    """Mark what an active hold covers and no hold keeps as long, up to ``limit`` jobs; raises `StoreUnavailable`."""
    done = await _all(HeldJobs.unmarked, hold, holding, limit=limit)
    if done.complete and hold.applied_until != hold.ends_at:
        counts = asdict(await count(hold, holding))
        await record(Kind.HOLD_APPLIED, hold, holding, {**counts, "ends_at": hold.ends_at})
        await holding.holds.change(hold.id, lambda current: replace(current, applied_until=hold.ends_at))
    return done


async def lift(hold: Hold, holding: Holding, *, limit: int) -> Pass:
    """Take the marks of a hold that is over off, up to ``limit`` jobs; another hold that covers a job takes its place.

    It is done when nothing is left after some minutes: until then somebody may act on the holds as they were.
    """
    done = await _all(HeldJobs.marked_by, hold, holding, limit=limit)
    now = holding.clock()
    if done.complete and now >= hold.over_at + SETTLED_SECONDS:
        await record(Kind.HOLD_LIFTED, hold, holding, {"released": hold.standing(now) is Standing.RELEASED})
        await holding.holds.change(hold.id, lambda current: replace(current, lifted_at=now))
    return done


async def count(hold: Hold, holding: Holding) -> Held:
    """Count what a hold holds now."""
    held = Held()
    for jobs in holding.everything:
        held += await jobs.count(hold)
    return held


async def record(kind: Kind, hold: Hold, holding: Holding, more: Fields) -> None:
    """Add a record of evidence about a hold; of a data subject it says nothing."""
    fields: Fields = {
        "hold": hold.id,
        "tenant": hold.tenant_id,
        "scope": hold.scope,
        "case_reference": hold.case_reference,
        **more,
    }
    await holding.evidence.append(Chain.HOLDS, kind, fields)


async def _all(page: Callable[[HeldJobs, Hold], Awaitable[list[str]]], hold: Hold, holding: Holding, *, limit: int) -> Pass:
    found = settled = 0
    complete = True
    for jobs in holding.everything:
        done = await _each(partial(page, jobs), jobs, hold, holding, limit=limit - found)
        found += done.found
        settled += done.settled
        complete &= done.complete
    return Pass(found=found, settled=settled, complete=complete)


async def _each(
    page: Callable[[Hold], Awaitable[list[str]]], held: HeldJobs, hold: Hold, holding: Holding, *, limit: int
) -> Pass:
    found = settled = 0
    while found < limit:
        jobs = await page(hold)
        holds = await holding.holds.standing(hold.tenant_id)
        results: list[bool] = []
        for start in range(0, len(jobs), _AT_ONCE):
            few = jobs[start : start + _AT_ONCE]
            results += await asyncio.gather(*(_settle(hold.tenant_id, job_id, holds, held) for job_id in few))
        found += len(results)
        settled += sum(results)
        if len(jobs) < PAGE and all(results):
            return Pass(found=found, settled=settled, complete=True)
        if not any(results):
            break
    return Pass(found=found, settled=settled, complete=False)


async def _settle(tenant: str, job_id: str, holds: list[Hold], held: HeldJobs) -> bool:
    try:
        await held.settle(tenant, job_id, holds)
    except WriteConflict:
        return False
    return True
