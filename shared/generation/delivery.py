"""A message of queue ``generation-requests`` as the use cases see it."""

import re
from dataclasses import dataclass, field

from shared.azure.queues import Properties
from shared.domain import throttle

QUEUE = "generation-requests"
ADMITTED_AT = "lethe-admitted-at"
"""Application property of a copy: the job's admission time. A sender who forges it can only shorten a deadline.

Where submission is signed, no sender is believed (`admit.admission_time`).
"""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery of a message; times in seconds since the epoch."""

    body: bytes = field(repr=False)
    sequence_number: int
    delivery_count: int
    enqueued_at: float
    expires_at: float
    properties: Properties = field(repr=False)
    message_id: str | None = field(default=None, repr=False)
    reply_to: str | None = field(default=None, repr=False)
    is_ahead: bool = False
    """Read ahead of its turn: the message stays in the queue, and is not ours to complete, put back, copy or refuse."""

    @property
    def admitted_at(self) -> float:
        """When the job was admitted: the first time that its message was enqueued."""
        original = self.properties.get(ADMITTED_AT)
        return min(self.enqueued_at, original) if isinstance(original, float) else self.enqueued_at

    def has_id_of(self, job_id: str) -> bool:
        """Whether it has an id that Lethe gives to messages of this job; anybody can, so that this alone proves nothing."""
        return re.fullmatch(rf"(?:{job_id}|redelivery)\.[0-9]+", self.message_id or "") is not None

    @property
    def has_waited(self) -> bool:
        """Whether this is a copy that Lethe scheduled: a new job is enqueued when it is admitted."""
        return self.enqueued_at - self.admitted_at > throttle.SOONEST / 2
