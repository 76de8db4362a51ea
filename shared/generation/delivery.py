"""A message of queue ``generation-requests`` as the use cases see it, and the copies that Lethe schedules of it."""

import re
from dataclasses import dataclass, field

from shared.azure.queues import Outgoing, Properties
from shared.domain.generation import Receipt
from shared.generation.services import Services
from shared.telemetry import Event, log

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

    @property
    def admitted_at(self) -> float:
        """When the job was admitted: the first time that its message was enqueued."""
        original = self.properties.get(ADMITTED_AT)
        return min(self.enqueued_at, original) if isinstance(original, float) else self.enqueued_at

    def has_id_of(self, job_id: str) -> bool:
        """Whether it has an id that Lethe gives to messages of this job; anybody can, so that this alone proves nothing."""
        return re.fullmatch(rf"(?:{job_id}|redelivery)\.[0-9]+", self.message_id or "") is not None


async def schedule_copy(delivery: Delivery, receipt: Receipt, services: Services, *, at: float) -> None:
    """Let the job come back at a time, and forget this delivery: waiting never costs delivery attempts.

    The copy's id is ``<jobId>.<attempt>`` with an attempt that was never used, because duplicate detection drops an id that
    it has seen, rescheduled copies too. Its time to live ends at the content's deadline; a job whose next chance would come
    later has none, and the timer ends it. Raises `LeaseLost` when the job has ended meanwhile.
    """
    remaining = receipt.content_expires_at - at
    if remaining <= 0:
        return
    attempt = await services.generations.next_attempt(receipt)
    copy = Outgoing(
        body=delivery.body,
        message_id=f"{receipt.job_id}.{attempt}",
        ttl=remaining,
        properties={**delivery.properties, ADMITTED_AT: receipt.created_at},
    )
    sequence_number = await services.queues.schedule(QUEUE, copy, at=at)
    await services.generations.remember_copy(receipt, sequence_number=sequence_number)
    log(Event.JOB_POSTPONED, job_id=receipt.job_id, attempt=attempt, delay_seconds=round(at - services.clock(), 3))
