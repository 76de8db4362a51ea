"""Steps of the timer over documents: those past their deadline, and those whose deadline a policy brings forward."""

from collections.abc import Awaitable, Callable

from shared.azure.due_documents import PAGE, Due
from shared.azure.kept_documents import KeptDocuments
from shared.azure.policy_documents import PolicyDocuments
from shared.clock import Clock
from shared.concurrently import each
from shared.domain.step_report import Tally
from shared.privacy.measured import measure_settled
from shared.privacy.shorten import shorten

MAX_DOCUMENTS = 20_000
"""Bound of one step of one run; what is left over is reported as incomplete and comes next time."""
AT_ONCE = 16
"""Requests to the store at a time."""

type Key = tuple[str, str, str]
"""Tenant, job and document."""


async def settle_due(
    page: Callable[[], Awaitable[list[Due]]],
    settle: Callable[[Due], Awaitable[bool]],
    may_go: Callable[[list[Due]], Awaitable[list[Due]]],
    clock: Clock,
    tally: Tally,
) -> None:
    """Settle due documents page after page, until a page brings nothing new, or the bound is reached.

    The next page is the read-back: the longest due come first, so that whatever was not settled would be in it. What was
    written meanwhile, or is still there, counts as overdue, once, and stops nothing. Of what may not go, because a hold keeps
    it, nothing is counted.
    """
    settled: dict[Key, Due] = {}
    passed: set[Key] = set()
    looked_at = 0

    async def one(due: Due) -> None:
        done = await settle(due)
        tally.found += 1
        tally.overdue += not done
        if done:
            settled[_key(due)] = due

    while True:
        dues = await page()
        now = clock()
        back = settled.keys() & {_key(due) for due in dues}
        for key, due in settled.items():
            if key not in back:
                tally.deleted += 1
                measure_settled(due, step=tally.step, now=now)
        tally.overdue += len(back)
        settled.clear()
        fresh = [due for due in dues if _key(due) not in passed]
        if not fresh or looked_at >= MAX_DOCUMENTS:
            tally.complete = len(dues) < PAGE
            return
        passed |= {_key(due) for due in fresh}
        looked_at += len(fresh)
        going = await may_go(fresh)
        tally.checked += len(going)
        for due in going:
            tally.late(now - due.since)
        await each(going, one, at_once=AT_ONCE)


async def shorten_all(policies: PolicyDocuments, kept: KeptDocuments, tally: Tally) -> None:
    """Bring forward the deadlines of what was admitted under a policy that has become shorter."""
    listing = await policies.all()
    tally.complete = not listing.unreadable
    for policy in listing.policies:
        result = await shorten(policy, kept, limit=MAX_DOCUMENTS - tally.found)
        tally.checked += 1
        tally.found += result.found
        tally.overdue += result.found - result.shortened
        tally.complete &= result.complete


def _key(due: Due) -> Key:
    return due.tenant_id, due.job_id, due.document_id
