"""Announcing an event: who is to hear of it is fixed first, then one message goes to the queue for each endpoint.

A crash in between is noticed by the timer (`reannounce`): the event says when it is to be looked at.
"""

from shared.azure.events import OVERDUE_SECONDS, PAGE, UNANNOUNCED_SECONDS, DueEvent, StoredEvent
from shared.delivery.reference import enqueue
from shared.delivery.services import Webhooks
from shared.domain.step_report import Tally
from shared.errors import ServiceUnavailable
from shared.patience import patience
from shared.telemetry import Event, log

PATIENCE = 5.0
MAX_EVENTS = 2000
"""Events of one run of the timer; what is left over is reported as incomplete and comes next time."""


async def is_heard(tenant: str, event_type: str, webhooks: Webhooks) -> bool:
    """Whether somebody listens for a type of event; when that cannot be told, the timer will look."""
    try:
        with patience(PATIENCE):
            return any(event_type in endpoint.event_types for endpoint in await webhooks.endpoints.active(tenant))
    except ServiceUnavailable:
        return True


async def announce(tenant: str, job_id: str, webhooks: Webhooks) -> None:
    """Announce the event of a job that has ended; does nothing for an event that was announced, or is no more.

    A service that stays away keeps nobody waiting and fails no job: the event is stored, and the timer announces it.
    """
    try:
        with patience(PATIENCE):
            event = await webhooks.events.read(tenant, job_id)
            if event is not None and event.announced_at is None:
                await _announce(event, webhooks)
    except ServiceUnavailable:
        log(Event.EVENT_LEFT_TO_TIMER, job_id=job_id, warning=True)


async def _announce(event: StoredEvent, webhooks: Webhooks) -> None:
    active = await webhooks.endpoints.active(event.tenant_id)
    listening = frozenset(endpoint.id for endpoint in active if event.type in endpoint.event_types)
    announced = await webhooks.events.announce(event, listening)
    for endpoint_id, delivery in announced.deliveries.items():
        if delivery.due_at is not None and delivery.attempts == 0:
            await enqueue(announced, endpoint_id, attempts=0, at=webhooks.clock(), webhooks=webhooks)


async def reannounce(webhooks: Webhooks, tally: Tally) -> None:
    """Announce what nobody announced, and put into the queue again what is long overdue; a step of the timer.

    Bounded; raises `ServiceUnavailable` when it cannot look. ``found`` counts events that needed help, ``overdue`` those of
    them that got none. It ends at the first that a service stays away from, because that one stays away from all.
    """
    more = True
    while more and tally.checked < MAX_EVENTS:
        dues = await webhooks.events.due()
        more = len(dues) >= PAGE
        tally.checked += len(dues)
        for due in dues:
            tally.late(webhooks.clock() - due.since)
        for due in dues:
            outcome = await _help(due, webhooks)
            tally.found += outcome is not None
            if outcome is False:
                tally.overdue += 1
                tally.complete = False
                return
    tally.complete = not more


async def _help(due: DueEvent, webhooks: Webhooks) -> bool | None:
    """Help one event; None when it needed none, False when a service stayed away."""
    try:
        event = await webhooks.events.read(due.tenant_id, due.job_id)
        if event is None:
            return None
        if event.announced_at is None:
            await _announce(event, webhooks)
            return True
        lost = _lost(event, now=webhooks.clock())
        for endpoint_id, attempts in lost.items():
            await enqueue(event, endpoint_id, attempts=attempts, at=webhooks.clock(), webhooks=webhooks)
        await webhooks.events.attend(event)
    except ServiceUnavailable:
        return False
    return True if lost else None


def _lost(event: StoredEvent, *, now: float) -> dict[str, int]:
    """Endpoints whose next attempt should have been made long ago, with the attempts that were made.

    A first attempt is due at once, so a minute is long; a message that does wait in the queue absorbs its copy.
    """
    return {
        endpoint_id: delivery.attempts
        for endpoint_id, delivery in event.deliveries.items()
        if delivery.due_at is not None
        and now - delivery.due_at >= (OVERDUE_SECONDS if delivery.attempts else UNANNOUNCED_SECONDS)
    }
