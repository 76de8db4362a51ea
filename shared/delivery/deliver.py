"""One attempt to deliver an event to an endpoint.

Returning means that the message may be completed: the attempt is recorded, and the next one waits in the queue. Raising means
that the message must come again. A crash after the post repeats the attempt: receivers get every event at least once, always
under the same id.
"""

from dataclasses import replace

from shared.azure.events import Delivery, State, StoredEvent
from shared.delivery.health import announce_disabled, disable, note_failure, note_success
from shared.delivery.post import post
from shared.delivery.reference import enqueue, parse
from shared.delivery.services import Webhooks
from shared.domain.webhook_endpoint import DisabledReason, WebhookEndpoint
from shared.domain.webhook_schedule import Again, Decision, Delivered, Disable, GiveUp, next_delivery
from shared.errors import UnknownEndpoint
from shared.metrics import Metric, count
from shared.telemetry import Event, log

EARLY = 1.0
"""Seconds that a message may come before its time and still be worked on: clocks differ a little."""


async def deliver(body: bytes, webhooks: Webhooks) -> None:
    """Work on one message of the queue; raises `ServiceUnavailable` when a service stayed away beyond all patience."""
    reference = parse(body)
    if reference is None:
        log(Event.WEBHOOK_MESSAGE_UNREADABLE, warning=True)
        return
    event = await webhooks.events.read(reference.tenant, reference.job_id)
    delivery = event.deliveries.get(reference.endpoint_id) if event and event.event_id == reference.event_id else None
    if event is None or delivery is None or delivery.next_at is None or delivery.state is not State.PENDING:
        log(Event.WEBHOOK_SKIPPED, endpoint_id=reference.endpoint_id, status=delivery.state if delivery else None)
        return
    if delivery.next_at - webhooks.clock() > EARLY:
        await enqueue(event, reference.endpoint_id, attempts=delivery.attempts, at=delivery.next_at, webhooks=webhooks)
        return
    try:
        await _attempt(event, delivery, await webhooks.endpoints.get(reference.tenant, reference.endpoint_id), webhooks)
    except UnknownEndpoint:
        await webhooks.events.record(event, reference.endpoint_id, _settled(delivery, State.DISABLED))


async def _attempt(event: StoredEvent, delivery: Delivery, endpoint: WebhookEndpoint, webhooks: Webhooks) -> None:
    """Post, then write in an order that a crash cannot spoil: the endpoint's health, the attempt, the next copy."""
    if not endpoint.active:
        await announce_disabled(endpoint, webhooks)  # whoever disabled it may have crashed before
        await webhooks.events.record(event, endpoint.id, _settled(delivery, State.DISABLED))
        return
    sent = await post(
        endpoint,
        webhooks,
        event_id=event.event_id,
        event_type=event.type,
        created_at=event.created_at,
        source_id=event.job_id,
    )
    now = webhooks.clock()
    attempts = delivery.attempts + 1
    decision = next_delivery(attempt=attempts, status=sent.status, retry_after=sent.retry_after, now=now)
    if isinstance(decision, Again) and decision.at >= event.expires_at:
        decision = GiveUp()
    await _note(decision, endpoint, webhooks)
    outcome = _outcome(decision, attempts=attempts, status=sent.status)
    await webhooks.events.record(event, endpoint.id, outcome)
    count(Metric.WEBHOOKS, outcome=outcome.state)
    if outcome.next_at is not None:
        await enqueue(event, endpoint.id, attempts=attempts, at=outcome.next_at, webhooks=webhooks)
    log(
        Event.WEBHOOK_ATTEMPT,
        job_id=event.job_id,
        endpoint_id=endpoint.id,
        attempt=attempts,
        status_code=sent.status,
        status=outcome.state,
        delay_seconds=None if outcome.next_at is None else round(outcome.next_at - now, 3),
    )


async def _note(decision: Decision, endpoint: WebhookEndpoint, webhooks: Webhooks) -> None:
    match decision:
        case Delivered():
            await note_success(endpoint, webhooks)
        case Disable():
            await disable(endpoint, DisabledReason.GONE, webhooks)
        case Again() | GiveUp():
            await note_failure(endpoint, webhooks)


def _outcome(decision: Decision, *, attempts: int, status: int | None) -> Delivery:
    match decision:
        case Again(at=at):
            return Delivery(state=State.PENDING, attempts=attempts, last_status=status, next_at=at)
        case Delivered():
            state = State.DELIVERED
        case Disable():
            state = State.DISABLED
        case GiveUp():
            state = State.GAVE_UP
    return Delivery(state=state, attempts=attempts, last_status=status, next_at=None)


def _settled(delivery: Delivery, state: State) -> Delivery:
    return replace(delivery, state=state, next_at=None)
