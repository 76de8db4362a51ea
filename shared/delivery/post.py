"""One signed post to an endpoint: to the hosts that are allowed at this moment, with the secrets that sign at this moment."""

from shared.delivery.sender import Sent
from shared.delivery.services import Webhooks
from shared.domain.webhook import body_of, data_id_of, sign
from shared.domain.webhook_endpoint import WebhookEndpoint, secret_name
from shared.domain.webhook_url import check_url
from shared.errors import WebhookRefused


async def post(
    endpoint: WebhookEndpoint, webhooks: Webhooks, *, event_id: str, event_type: str, created_at: float, source_id: str
) -> Sent:
    """Post an event once; no status when the URL is allowed no longer, the secret is gone, or nobody answered."""
    hosts = await webhooks.hosts(endpoint.tenant_id)
    try:
        target = check_url(endpoint.url, hosts=hosts, allow_loopback=webhooks.allow_loopback)
    except WebhookRefused:
        return Sent(status=None)
    now = webhooks.clock()
    name = secret_name(endpoint.tenant_id, endpoint.id)
    found = [await webhooks.secrets.get(name, kid) for kid in endpoint.signing.kids(now=now)]
    if not any(found):
        return Sent(status=None)
    body = body_of(event_id=event_id, event_type=event_type, created_at=created_at, data_id=data_id_of(event_type, source_id))
    message = sign(body, event_id=event_id, at=now, signing_secrets=[secret for secret in found if secret])
    return await webhooks.sender.send(target, message)
