"""Steps of the timer over documents: those past their deadline, and those whose deadline a policy brings forward."""

from collections.abc import Awaitable, Callable

from shared.azure.due_documents import PAGE, Due
from shared.azure.kept_documents import KeptDocuments
from shared.azure.policy_documents import PolicyDocuments
from shared.clock import Clock
from shared.concurrently import each
from shared.domain.step_report import Tally
from shared.privacy.shorten import shorten

MAX_DOCUMENTS = 20_000
"""Bound of one step of one run; what is left over is reported as incomplete and comes next time."""
AT_ONCE = 16
"""Requests to the store at a time."""

type Key = tuple[str, str, str]
"""Tenant, job and document."""


async def settle_due(
    page: Callable[[], Awaitable[list[Due]]], settle: Callable[[Due], Awaitable[bool]], clock: Clock, tally: Tally
) -> None:
    """Settle due documents page after page, until a page brings nothing new, or the bound is reached.

    The next page is the read-back: the longest due come first, so that whatever was not settled would be in it. What was
    written meanwhile, or is still there, counts as overdue, once, and stops nothing.
    """
    settled: set[Key] = set()
    stuck: set[Key] = set()

    async def one(due: Due) -> None:
        done = await settle(due)
        (settled if done else stuck).add(_key(due))
        tally.found += 1
        tally.overdue += not done

    while True:
        dues = await page()
        now = clock()
        back = settled & {_key(due) for due in dues}
        tally.deleted += len(settled) - len(back)
        tally.overdue += len(back)
        stuck |= back
        settled.clear()
        fresh = [due for due in dues if _key(due) not in stuck]
        if not fresh or tally.checked >= MAX_DOCUMENTS:
            tally.complete = len(dues) < PAGE
            return
        tally.checked += len(fresh)
        for due in fresh:
            tally.late(now - due.since)
        await each(fresh, one, at_once=AT_ONCE)


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
