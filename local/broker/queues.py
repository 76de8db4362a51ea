"""The entities that exist: queues as a JSON file defines them, and the dead-letter queue that each of them has."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

DEAD_LETTER_SUFFIX = "/$DeadLetterQueue"


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A queue or a dead-letter queue; ``None`` switches a rule off."""

    name: str
    """As defined; ``path`` is the key under which it is found, because Service Bus ignores case."""
    lock_seconds: float
    max_delivery_count: int | None
    ttl_seconds: float | None
    duplicate_detection_seconds: float | None
    dead_letter_on_expiration: bool

    @property
    def path(self) -> str:
        """Lower-case name, the key of this entity everywhere."""
        return self.name.lower()

    @property
    def is_dead_letter_queue(self) -> bool:
        """Whether messages come here only by dead-lettering."""
        return self.path.endswith(DEAD_LETTER_SUFFIX.lower())

    @property
    def dead_letter_path(self) -> str:
        """Path of the dead-letter queue of this queue."""
        return self.path + DEAD_LETTER_SUFFIX.lower()

    def dead_letter_queue(self) -> Self:
        """Return this queue's dead-letter queue: the same lock, no expiry, no count, nothing dropped."""
        return type(self)(
            name=self.name + DEAD_LETTER_SUFFIX,
            lock_seconds=self.lock_seconds,
            max_delivery_count=None,
            ttl_seconds=None,
            duplicate_detection_seconds=None,
            dead_letter_on_expiration=False,
        )


type Entities = dict[str, Entity]
"""Every entity, by its path."""


def load(path: Path) -> Entities:
    """Read queue definitions: an object of name to settings, all times in seconds; absent or 0 means no such rule."""
    entities: Entities = {}
    for name, settings in json.loads(path.read_text(encoding="utf-8")).items():
        queue = Entity(
            name=name,
            lock_seconds=settings["lock_seconds"],
            max_delivery_count=settings.get("max_delivery_count") or None,
            ttl_seconds=settings.get("ttl_seconds") or None,
            duplicate_detection_seconds=settings.get("duplicate_detection_seconds") or None,
            dead_letter_on_expiration=settings.get("dead_letter_on_expiration", False),
        )
        for entity in (queue, queue.dead_letter_queue()):
            entities[entity.path] = entity
    return entities


def path_of(address: str | None) -> str:
    """Return the lower-case path in a link's address, which may come as ``amqps://host:port/path``."""
    rest = address or ""
    if "://" in rest:
        rest = rest.partition("://")[2].partition("/")[2]
    return rest.strip("/").lower()
