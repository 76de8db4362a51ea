"""Copies of a message that Lethe schedules: waiting is a matter of messages, never of workers or deliveries."""

from shared.azure.queues import Outgoing
from shared.domain.generation import Receipt
from shared.errors import LeaseLost
from shared.generation.delivery import ADMITTED_AT, QUEUE, Delivery
from shared.generation.services import Services
from shared.telemetry import Event, log


async def schedule_copy(
    delivery: Delivery, receipt: Receipt, services: Services, *, at: float, attempt: int | None = None
) -> None:
    """Let the job come back at a time, and forget this delivery: waiting never costs delivery attempts.

    The copy's id is ``<jobId>.<attempt>`` with an attempt that was never used, because duplicate detection drops an id that
    it has seen, rescheduled copies too. Its time to live ends at the content's deadline; a job whose next chance would come
    later has none, and the timer ends it. ``attempt``: the one that the receipt was created with, if nothing has used it.
    Raises `LeaseLost` when the job has ended meanwhile.
    """
    remaining = receipt.content_expires_at - at
    if remaining <= 0:
        return
    attempt = attempt or await services.generations.next_attempt(receipt)
    copy = Outgoing(
        body=delivery.body,
        message_id=f"{receipt.job_id}.{attempt}",
        ttl=remaining,
        properties={**delivery.properties, ADMITTED_AT: receipt.created_at},
    )
    sequence_number = await services.queues.schedule(QUEUE, copy, at=at)
    try:
        await services.generations.remember_copy(receipt, sequence_number=sequence_number)
    except LeaseLost:
        await services.queues.cancel_scheduled(QUEUE, sequence_number)
        raise
    log(Event.JOB_POSTPONED, job_id=receipt.job_id, attempt=attempt, delay_seconds=round(at - services.clock(), 3))
