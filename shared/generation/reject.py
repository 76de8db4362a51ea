"""A message that cannot be accepted goes to queue ``generation-rejected``, whole, with a reason and a field."""

import re

from shared.azure.queues import Outgoing, Properties
from shared.domain.policy import TENANT_ID
from shared.domain.request import claimed_tenant
from shared.errors import MessageTooLarge, RequestRefused
from shared.generation.delivery import Delivery
from shared.generation.services import Services
from shared.telemetry import Event, log

QUEUE = "generation-rejected"
UNKNOWN_TENANT_SECONDS = 3600


async def reject(delivery: Delivery, refusal: RequestRefused, services: Services) -> None:
    """Put the message where its sender's operator finds it, until the tenant's shortest retention is over.

    The message id is made of the sequence number, so that a crash between this and the completion of the original leaves
    one rejected message, not two.
    """
    tenant = claimed_tenant(delivery.body, max_bytes=services.limits.max_request_bytes)
    policy = await services.policies.get(tenant) if tenant and re.fullmatch(TENANT_ID, tenant) else None
    ttl = policy.retention.shortest_seconds if policy else UNKNOWN_TENANT_SECONDS
    properties: Properties = {"reason": refusal.reason.value, "field": refusal.field}
    message_id = f"rejected.{delivery.sequence_number}"
    try:
        message = Outgoing(body=delivery.body, message_id=message_id, ttl=ttl, properties=properties)
        await services.queues.send(QUEUE, message)
    except MessageTooLarge:
        properties["body_omitted"] = True
        await services.queues.send(QUEUE, Outgoing(body=b"", message_id=message_id, ttl=ttl, properties=properties))
    log(Event.MESSAGE_REJECTED, code=refusal.reason)
