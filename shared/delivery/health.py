"""The health of an endpoint: when its failures began, and that it is disabled when they do not end, or when it says so.

Disabling is announced to the tenant's other endpoints by an event of its own, whose ids follow from the endpoint and the
moment, so that it exists once however often this is repeated.
"""

import hashlib
from dataclasses import replace

from shared.delivery.announce import announce
from shared.delivery.services import Webhooks
from shared.domain.policy import DAY
from shared.domain.webhook import ENDPOINT_DISABLED
from shared.domain.webhook_endpoint import DisabledReason, WebhookEndpoint
from shared.domain.webhook_schedule import failed_again
from shared.telemetry import Event, log

EVENT_LIVES = 7.0 * DAY
"""Longer than the whole schedule of deliveries."""
REMEMBERED_EVERY = 3600.0
"""Seconds between two writes about one stretch of failures: a thousand failures a minute are not a thousand writes."""


async def note_success(endpoint: WebhookEndpoint, webhooks: Webhooks) -> None:
    """End a stretch of failures."""
    if endpoint.failing is not None:
        await webhooks.endpoints.change(endpoint.tenant_id, endpoint.id, lambda current: replace(current, failing=None))


async def note_failure(endpoint: WebhookEndpoint, webhooks: Webhooks) -> None:
    """Begin or lengthen a stretch of failures; disable an endpoint that has failed for days."""
    now = webhooks.clock()
    failing = failed_again(endpoint.failing, now=now)
    if failing.lasts_too_long():
        await disable(endpoint, DisabledReason.FAILING, webhooks)
    elif endpoint.failing is None or now - endpoint.failing.last_at >= REMEMBERED_EVERY:
        await webhooks.endpoints.change(
            endpoint.tenant_id, endpoint.id, lambda current: replace(current, failing=failed_again(current.failing, now=now))
        )


async def disable(endpoint: WebhookEndpoint, reason: DisabledReason, webhooks: Webhooks) -> None:
    """Disable an endpoint, unless its owner or somebody else changed that meanwhile, and announce it."""
    now = webhooks.clock()

    def disabled(current: WebhookEndpoint) -> WebhookEndpoint:
        if not current.active or current.updated_at != endpoint.updated_at:
            return current
        return replace(current, disabled_at=now, disabled_reason=reason)

    changed = await webhooks.endpoints.change(endpoint.tenant_id, endpoint.id, disabled)
    if changed.disabled_at == now:
        log(Event.WEBHOOK_ENDPOINT_DISABLED, endpoint_id=endpoint.id, code=reason, warning=True)
    await announce_disabled(changed, webhooks)


async def announce_disabled(endpoint: WebhookEndpoint, webhooks: Webhooks) -> None:
    """Make sure that the tenant hears of a disabled endpoint; safe to repeat, and nothing for one that is active."""
    if endpoint.disabled_at is None:
        return
    source_id = f"{endpoint.id}.{int(endpoint.disabled_at)}"
    event_id = f"evt_{hashlib.sha256(source_id.encode('ascii')).hexdigest()[:32]}"
    await webhooks.events.create(
        tenant_id=endpoint.tenant_id,
        source_id=source_id,
        event_id=event_id,
        event_type=ENDPOINT_DISABLED,
        lives=EVENT_LIVES,
    )
    await announce(endpoint.tenant_id, source_id, webhooks)
