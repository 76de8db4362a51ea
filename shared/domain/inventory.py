"""What lies in the stamp at one moment: how many documents of each class, how old, and how many messages in each queue."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.evidence_fields import Fields, Scalar

_ITEMS, _QUEUE = "items_", "queue_"


@dataclass(frozen=True, kw_only=True)
class Items:
    """Documents of one class over all tenants; the age of the oldest in seconds, 0 when there is none."""

    count: int
    oldest_seconds: float


@dataclass(frozen=True, kw_only=True)
class Depth:
    """Messages of one queue; a locked message is an active one."""

    active: int
    scheduled: int
    dead_lettered: int


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """By class of data and by name of queue; what could not be counted is missing, and ``complete`` says whether any is."""

    items: Mapping[str, Items] = field(default_factory=dict)
    queues: Mapping[str, Depth] = field(default_factory=dict)
    complete: bool = True

    def fields(self) -> Fields:
        """Write it as fields of evidence, which belong to the record of a run."""
        lists: dict[str, Scalar | tuple[Scalar, ...]] = {
            f"{_ITEMS}{name}": (items.count, round(items.oldest_seconds, 3)) for name, items in self.items.items()
        }
        for name, depth in self.queues.items():
            lists[f"{_QUEUE}{name.replace('-', '_')}"] = (depth.active, depth.scheduled, depth.dead_lettered)
        return lists


def is_field(name: str) -> bool:
    """Whether a field of a run's record is one of these; no step has such a name."""
    return name.startswith((_ITEMS, _QUEUE))


def inventory_of(fields: Fields, *, complete: bool) -> Inventory:
    """Read the fields; names of queues come back with a hyphen for each underscore. Raises `ValueError`."""
    items: dict[str, Items] = {}
    queues: dict[str, Depth] = {}
    for name, value in fields.items():
        match name, value:
            case _, (int(count), (int() | float()) as oldest) if name.startswith(_ITEMS):
                items[name.removeprefix(_ITEMS)] = Items(count=count, oldest_seconds=oldest)
            case _, (int(active), int(scheduled), int(dead)) if name.startswith(_QUEUE):
                depth = Depth(active=active, scheduled=scheduled, dead_lettered=dead)
                queues[name.removeprefix(_QUEUE).replace("_", "-")] = depth
            case _:
                raise ValueError("A field of a run's inventory has two or three numbers.")
    return Inventory(items=items, queues=queues, complete=complete)
