"""A message that cannot be accepted goes to queue ``generation-rejected``, whole, with a reason and a field."""

import json

from shared.azure.queues import Outgoing, Properties
from shared.domain.policy import Submission, TenantPolicy, is_tenant_id
from shared.domain.request import claimed_tenant
from shared.errors import MessageTooLarge, Reason, RequestRefused, ServiceUnavailable
from shared.generation.admit import check_signature
from shared.generation.delivery import Delivery
from shared.generation.services import Services
from shared.metrics import Metric, count
from shared.patience import patience
from shared.refusals import REFUSALS
from shared.telemetry import Event, log

QUEUE = "generation-rejected"
UNKNOWN_TENANT_SECONDS = 3600
_NOT_THE_TENANTS = frozenset(
    {Reason.WRONG_GEOGRAPHY, Reason.SIGNATURE_MISSING, Reason.SIGNATURE_INVALID, Reason.SIGNATURE_LATE}
)
"""Refusals after which a tenant's policy says nothing about the message, neither how long it lies nor where an answer goes."""
REPLY_PATIENCE = 5.0


async def reject(delivery: Delivery, refusal: RequestRefused, services: Services) -> None:
    """Put the message where its sender's operator finds it, until the tenant's shortest retention is over.

    The message id is made of the sequence number, so that a crash between this and the completion of the original leaves
    one rejected message, not two.
    """
    tenant = claimed_tenant(delivery.body, max_bytes=services.limits.max_request_bytes)
    policy = await services.policies.get(tenant) if tenant and is_tenant_id(tenant) else None
    if policy is not None and (refusal.reason in _NOT_THE_TENANTS or not await _is_signed(delivery, policy, services)):
        policy = None
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
    count(Metric.REFUSALS, reason=refusal.reason)
    if policy is not None and delivery.reply_to in policy.reply_queues:
        await _reply(delivery, refusal, delivery.reply_to, ttl, services)


async def _is_signed(delivery: Delivery, policy: TenantPolicy, services: Services) -> bool:
    """Whether a message, whatever is wrong with it, comes from the tenant as far as its policy wants to know."""
    if policy.queue_submission is not Submission.SIGNED:
        return True
    try:
        await check_signature(policy.tenant_id, delivery, services)
    except RequestRefused:
        return False
    return True


async def _reply(delivery: Delivery, refusal: RequestRefused, queue: str, ttl: float, services: Services) -> None:
    """Tell the sender, on a queue that its policy lists, what was wrong: an object without content.

    It is found by its correlation id, which is the sender's own message id. The refused message lies safe already, so a reply
    queue that does not answer is no reason to hold the worker.
    """
    body = {"object": "error", "code": refusal.reason, "field": refusal.field, "message": REFUSALS[refusal.reason]}
    reply = Outgoing(
        body=json.dumps(body).encode(),
        message_id=f"rejected.{delivery.sequence_number}",
        correlation_id=delivery.message_id,
        ttl=ttl,
    )
    try:
        with patience(REPLY_PATIENCE):
            await services.queues.send(queue, reply)
    except ServiceUnavailable:
        log(Event.REPLY_FAILED, code=refusal.reason, warning=True)
