"""A message in the broker, between its arrival and its end."""

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID


class State(IntEnum):
    """Service Bus's message states, with its numbers; a lock is beside them, not one of them."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


@dataclass(frozen=True, kw_only=True)
class Message:
    """One stored message. Moments are seconds since the epoch, ``ttl`` is seconds."""

    path: str
    sequence: int
    enqueue_sequence: int
    """The number under which it first entered a queue; a dead-lettered message has another one as ``sequence``."""
    state: State
    enqueued_at: float
    ttl: float | None
    delivery_count: int
    """Deliveries that ended without a settlement; 0 at first."""
    lock_token: UUID | None
    locked_until: float | None
    dead_letter_source: str | None
    content: bytes
    """The encoded message as its sender gave it."""


class LockLostError(Exception):
    """No live lock has this token: it ran out, or its message is settled."""


class MessageNotFoundError(Exception):
    """No message of the wanted state has this sequence number."""
