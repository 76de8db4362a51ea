"""A place of the residue map, and how an inventory is asked about it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.domain.inventory import Depth, Inventory
from shared.domain.promises import Basis
from shared.domain.sources import Source

type Reading = Callable[[Inventory], float | None]


def nothing(_: Inventory) -> None:
    """Tell that no inventory can tell."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place; ``count`` and ``oldest`` (seconds) read an inventory, None where it cannot tell.

    ``until`` is prose for the documents. ``containers``, ``queues`` and ``data_classes`` name what of the stores it stands
    for; ``reply_queues`` that it stands for every queue that a policy lists. ``holds_content`` is about content as
    docs/privacy.md defines it, not about personal data.
    """

    name: str
    holds: str
    until: str
    basis: Basis
    sources: tuple[Source, ...] = ()
    holds_content: bool = True
    containers: frozenset[str] = field(default=frozenset())
    queues: frozenset[str] = field(default=frozenset())
    data_classes: frozenset[str] = field(default=frozenset())
    reply_queues: bool = False
    count: Reading = nothing
    oldest: Reading = nothing

    @property
    def is_drawn(self) -> bool:
        """Whether it is in the picture of the page: what may hold content, and what can be counted."""
        return self.holds_content or self.is_counted

    @property
    def is_counted(self) -> bool:
        """Whether an inventory can tell how much lies there."""
        return self.count is not nothing


def depth(queue: str, pick: Callable[[Depth], int]) -> Reading:
    """Read the depth of one queue."""
    return lambda inventory: pick(inventory.queues[queue]) if queue in inventory.queues else None


def dead_letters(inventory: Inventory) -> int | None:
    """Read the dead letters of all queues."""
    return sum(found.dead_lettered for found in inventory.queues.values()) if inventory.queues else None


def items(data_class: str) -> Reading:
    """Read how many documents of a class there are."""
    return lambda inventory: inventory.items[data_class].count if data_class in inventory.items else None


def oldest(data_class: str) -> Reading:
    """Read the age of the oldest document of a class."""
    return lambda inventory: inventory.items[data_class].oldest_seconds if data_class in inventory.items else None
