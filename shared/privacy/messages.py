"""Steps of the timer over messages: dead letters by age, and refused messages, which expire by themselves."""

from shared import metrics
from shared.azure.lying import Lying, LyingMessages
from shared.clock import Clock
from shared.domain.step_report import Tally
from shared.privacy.measured import measure_lying

MAX_MESSAGES = 5_000
"""Messages that one step of one run looks at; what is left over is reported as incomplete and comes next time."""


async def purge_dead_letters(messages: LyingMessages, queue: str, *, max_age: float, clock: Clock, tally: Tally) -> None:
    """Delete dead letters that were enqueued longer than ``max_age`` seconds ago.

    They stand in the order in which they became dead letters. One that stands behind more than a page of younger ones,
    because it became one late, is overdue until those are due, too.
    """
    now = clock()

    def is_due(lying: Lying) -> bool:
        return now - lying.enqueued_at > max_age

    def deleted() -> None:
        tally.deleted += 1
        tally.overdue = max(0, tally.found - tally.deleted)

    lying = await _look(messages, queue, dead_letters=True, tally=tally)
    _measure(lying, queue, metrics.Lying.DEAD_LETTER, now=now, complete=tally.complete)
    tally.found = sum(map(is_due, lying))
    tally.overdue = tally.found
    for each in lying:
        tally.late(now - each.enqueued_at - max_age)
    if tally.found:
        await messages.delete_dead_letters(queue, is_due=is_due, count=tally.found, deleted=deleted)


async def expire_rejected(messages: LyingMessages, queue: str, *, grace: float, clock: Clock, tally: Tally) -> None:
    """Look whether a queue shows expired messages, and if so have Service Bus remove them; no message is ever taken.

    Each of them has its own time to live, the shortest retention of its tenant. Service Bus is slow to remove them while
    nobody listens; ``overdue`` counts those that it still shows after ``grace`` seconds and the listening.
    """
    now = clock()
    found = await _look(messages, queue, dead_letters=False, tally=tally)
    _measure(found, queue, metrics.Lying.ACTIVE, now=now, complete=tally.complete)
    expired = {lying.sequence_number: now - lying.expires_at for lying in found if lying.expires_at < now}
    for seconds in expired.values():
        tally.late(seconds)
    tally.found = len(expired)
    if not expired:
        return
    tally.overdue = sum(seconds > grace for seconds in expired.values())
    await messages.listen(queue)
    again = await _look(messages, queue, dead_letters=False, tally=Tally(step=tally.step))
    left = expired.keys() & {lying.sequence_number for lying in again}
    tally.deleted = len(expired) - len(left)
    tally.overdue = sum(expired[number] > grace for number in left)


def _measure(lying: list[Lying], queue: str, kind: metrics.Lying, *, now: float, complete: bool) -> None:
    if complete:
        measure_lying(queue, kind, oldest_seconds=max((now - each.enqueued_at for each in lying), default=0.0))


async def _look(messages: LyingMessages, queue: str, *, dead_letters: bool, tally: Tally) -> list[Lying]:
    """Look at everything that lies there, up to the bound."""
    found: list[Lying] = []
    page = [Lying(sequence_number=0, enqueued_at=0.0, expires_at=0.0)]
    while page and len(found) < MAX_MESSAGES:
        page = await messages.look(queue, dead_letters=dead_letters, after=page[-1].sequence_number)
        found += page
        tally.checked += len(page)
    tally.complete = not page
    return found
