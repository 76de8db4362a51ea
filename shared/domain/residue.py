"""The residue map: every place in which content can lie, what lies there, for how long, and how much of it there is now.

The same data makes the picture of the page and the table of the documents, so that none can forget a place.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.inventory import Depth, Inventory

type _Reading = Callable[[Inventory], float | None]


def _nothing(_: Inventory) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place; ``count`` and ``oldest`` (seconds) read an inventory, None where it cannot tell.

    ``until`` and ``basis`` are prose for the documents.
    """

    name: str
    holds: str
    until: str
    basis: str
    count: _Reading = _nothing
    oldest: _Reading = _nothing


def _depth(queue: str, pick: Callable[[Depth], int]) -> _Reading:
    return lambda inventory: pick(inventory.queues[queue]) if queue in inventory.queues else None


def _dead_letters(inventory: Inventory) -> int | None:
    return sum(depth.dead_lettered for depth in inventory.queues.values()) if inventory.queues else None


def _items(data_class: str) -> _Reading:
    return lambda inventory: inventory.items[data_class].count if data_class in inventory.items else None


def _oldest(data_class: str) -> _Reading:
    return lambda inventory: inventory.items[data_class].oldest_seconds if data_class in inventory.items else None


PLACES: tuple[Place, ...] = (
    Place(
        name="queue generation-requests",
        holds="prompts that wait to be read",
        until="it is read, or its time to live ends",
        basis="runtime",
        count=_depth("generation-requests", lambda depth: depth.active),
    ),
    Place(
        name="scheduled copies",
        holds="prompts that wait for a time",
        until="their time, and never past the deadline",
        basis="runtime",
        count=_depth("generation-requests", lambda depth: depth.scheduled),
    ),
    Place(
        name="queue generation-rejected",
        holds="refused messages, whole",
        until="the tenant's shortest retention; one hour where there is no such tenant, or no signature",
        basis="runtime",
        count=_depth("generation-rejected", lambda depth: depth.active),
    ),
    Place(
        name="dead-letter queues",
        holds="messages that nobody could settle",
        until="an hour after they came, and the next run of the timer",
        basis="runtime",
        count=_dead_letters,
    ),
    Place(
        name="documents output",
        holds="answers, filter outcomes, labels of the caller",
        until="retention.output_seconds from admission, or less",
        basis="runtime",
        count=_items("output"),
        oldest=_oldest("output"),
    ),
    Place(
        name="documents receipt",
        holds="no content: states, clocks, codes, MACs",
        until="retention.receipt_seconds from admission",
        basis="runtime",
        count=_items("receipt"),
        oldest=_oldest("receipt"),
    ),
    Place(
        name="documents event",
        holds="no content: ids and the outcome of webhooks",
        until="as the receipt",
        basis="runtime",
        count=_items("event"),
        oldest=_oldest("event"),
    ),
    Place(
        name="the model service's prompt cache",
        holds="parts of prompts",
        until="at most 24 hours; there is no opt-out",
        basis="vendor",
    ),
    Place(
        name="the model service's abuse monitoring",
        holds="what was selected for human review",
        until="no number of days is published; modified abuse monitoring has neither store nor review",
        basis="vendor",
    ),
    Place(
        name="backups of Cosmos DB",
        holds="every document as it was",
        until="the account's backup horizon, which the configuration check records",
        basis="vendor",
    ),
)
