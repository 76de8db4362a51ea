"""Steps of the timer that only count: what lies where, and claims that nobody works on any more."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.azure.counts import Counts
from shared.azure.management import Management
from shared.clock import Clock
from shared.domain import abuse_alert, abuse_record
from shared.domain.inventory import Depth, Inventory, Items
from shared.domain.policy import LETHES_QUEUES
from shared.domain.step_report import Tally
from shared.errors import ManagementUnavailable, StoreUnavailable

OF_REVIEW = (abuse_record.DATA_CLASS, abuse_alert.DATA_CLASS)
CLASSES = ("output", "receipt", "event", *OF_REVIEW)
ABANDONED_LEASES = 10
"""Leases after which a claim counts as abandoned: a message that is still there is delivered again after one."""


@dataclass(kw_only=True)
class Stocktaking:
    """Takes the inventory of one run: two queries for each class of data, one management read for all queues.

    ``inventory`` is what was counted, also when the step was cut off; None before it began.
    """

    counts: Counts
    review_counts: Counts
    management: Management
    clock: Clock
    inventory: Inventory | None = field(default=None, init=False)

    async def take(self, tally: Tally) -> None:
        """Count everything that can be counted; what cannot is missing, and never zero."""
        items: dict[str, Items] = {}
        self.inventory = Inventory(items=items, complete=False)
        for data_class in CLASSES:
            try:
                items[data_class] = await self._items(data_class)
            except StoreUnavailable:
                break
            tally.checked += 1
        queues = await self._queues()
        tally.checked += len(queues)
        tally.complete = len(items) == len(CLASSES) and queues.keys() == LETHES_QUEUES
        self.inventory = Inventory(items=items, queues=queues, complete=tally.complete)

    async def _items(self, data_class: str) -> Items:
        now = self.clock()
        counts = self.review_counts if data_class in OF_REVIEW else self.counts
        count = await counts.count(data_class)
        oldest = await counts.oldest(data_class, now=now)
        return Items(count=count, oldest_seconds=0.0 if oldest is None else now - oldest)

    async def _queues(self) -> Mapping[str, Depth]:
        try:
            found = await self.management.queues()
        except ManagementUnavailable:
            return {}
        return {
            queue.name: Depth(
                active=queue.counts.active, scheduled=queue.counts.scheduled, dead_lettered=queue.counts.dead_lettered
            )
            for queue in found
            if queue.name in LETHES_QUEUES and queue.counts is not None
        }


async def count_abandoned(counts: Counts, *, lease: float, clock: Clock, tally: Tally) -> None:
    """Count claims whose lease ended long ago, and jobs that nobody has taken for as long: their message may be gone.

    Nothing is done to them: a message that does come is worked on, and the job ends as ``expired`` at its deadline.
    """
    before = clock() - ABANDONED_LEASES * lease
    tally.found = await counts.lapsed_claims(before=before) + await counts.untaken_jobs(before=before)
    tally.checked = tally.found
