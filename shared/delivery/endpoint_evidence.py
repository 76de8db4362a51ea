"""Evidence of what was done to operators' endpoints: by whom, and where the endpoint is, in the setting's own words.

A tenant's endpoints are its own business, in the tenant's own policy; nothing is recorded of them. These are recorded in chain
``policies``, which is of what operators change, each with its ``actor``. (The newest record of ``configuration`` is the state
that the statement is made from, and ``access`` is of readings.) As everywhere, evidence comes first: a crash behind it
leaves evidence of a change that was not made.
"""

from shared.delivery.services import Webhooks
from shared.domain.evidence import Chain, Kind
from shared.domain.evidence_fields import LONGEST_TEXT, Fields, Scalar
from shared.domain.policy import STAMP
from shared.domain.principal import Principal
from shared.domain.webhook_endpoint import WebhookEndpoint
from shared.domain.webhook_url import allowed_as, read_url
from shared.errors import WebhookRefused


async def record(kind: Kind, endpoint: WebhookEndpoint, actor: Principal | None, webhooks: Webhooks, **more: Scalar) -> None:
    """Record what is about to be done to an endpoint of those who run the service; of a tenant's, nothing.

    Raises `StoreUnavailable` and `KeysUnavailable`: then nothing may be done. No name and no path is told, and no host but as
    ``LETHE_OPERATOR_WEBHOOK_HOSTS`` has it.
    """
    if endpoint.tenant_id != STAMP:
        return
    if actor is None:
        raise ValueError("An endpoint of those who run the service is changed by one of them.")
    fields: Fields = {
        "endpoint": endpoint.id,
        "actor": actor.name,
        "event_types": endpoint.event_types,
        **_host(endpoint, webhooks),
        **more,
    }
    await webhooks.evidence.append(Chain.POLICIES, kind, fields)


def _host(endpoint: WebhookEndpoint, webhooks: Webhooks) -> dict[str, Scalar]:
    """The entry of the setting that allows the host, ``.example.com`` for ``*.example.com``; nothing when none does by now."""
    try:
        target = read_url(endpoint.url, allow_loopback=webhooks.allow_loopback)
    except WebhookRefused:
        return {}
    entry = allowed_as(target.host, webhooks.operator_hosts)
    return {"host": entry.removeprefix("*")[-LONGEST_TEXT:]} if entry else {}
