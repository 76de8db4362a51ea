"""What the timer does for holds: marks, before anything is deleted; and a look at the holds before each deletion.

A job may have been stored, or have ended, a moment ago, and its documents may be due before any mark was made. So whatever is
due is held against the holds themselves: a hold that stood at a document's deadline always wins.
"""

from collections import defaultdict
from collections.abc import Sequence

from shared.azure.due_documents import Due
from shared.azure.held_jobs import HeldJobs
from shared.domain.hold import Hold
from shared.domain.step_report import StepReport
from shared.errors import WriteConflict
from shared.privacy.hold_marks import apply, lift
from shared.privacy.holding import Holding


async def mark(holding: Holding, step: str, *, limit: int) -> StepReport:
    """Mark what came into the scope of active holds, and take the marks of those that are over off, up to ``limit`` jobs."""
    standing = await holding.holds.standing()
    found = settled = 0
    complete = True
    for hold in standing:
        make_true = apply if hold.is_active(holding.clock()) else lift
        done = await make_true(hold, holding, limit=limit - found)
        found += done.found
        settled += done.settled
        complete &= done.complete
    return StepReport(step=step, checked=len(standing), found=found, overdue=found - settled, complete=complete)


async def count(holding: Holding, step: str) -> StepReport:
    """Count held documents (``checked``) and those past their deadline (``found``): kept on purpose, hence not overdue."""
    counted = [await jobs.documents_held() for jobs in holding.everything]
    return StepReport(step=step, checked=sum(held for held, _ in counted), found=sum(past for _, past in counted))


async def not_held(dues: Sequence[Due], holding: Holding, jobs: HeldJobs) -> list[Due]:
    """Return what may be forgotten of ``jobs``; what a hold covers is marked instead, and comes again where more is to be done.

    A receipt that is marked already is returned: it was not found for its content, but because its job has no end.
    """
    if not dues:
        return []
    now = holding.clock()
    holds: defaultdict[str, list[Hold]] = defaultdict(list)
    for hold in await holding.holds.standing():
        holds[hold.tenant_id].append(hold)
    return [due for due in dues if _is_marked(due, now) or not await _is_held(due, holds.get(due.tenant_id), jobs)]


def _is_marked(due: Due, now: float) -> bool:
    mark = due.receipt.held if due.receipt else None
    return mark is not None and mark.stands(now)


async def _is_held(due: Due, holds: Sequence[Hold] | None, jobs: HeldJobs) -> bool:
    if holds is None:
        return False
    try:
        return await jobs.settle(due.tenant_id, due.job_id, holds) is not None
    except WriteConflict:
        return True
