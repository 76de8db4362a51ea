"""A message of queue ``webhook-deliveries``: which event goes to which endpoint, and nothing of what it is about."""

import json
import re
from dataclasses import asdict, dataclass

from shared.azure.events import StoredEvent
from shared.azure.queues import Outgoing
from shared.delivery.services import Webhooks
from shared.domain.json_document import parse_object
from shared.domain.policy import STAMP, TENANT_ID
from shared.domain.webhook_endpoint import ENDPOINT_ID
from shared.errors import RequestRefused

QUEUE = "webhook-deliveries"
_LONGEST = 1000
_SHAPES = {
    "tenant": re.compile(rf"{TENANT_ID}|{re.escape(STAMP)}"),
    "job_id": re.compile(
        r"[0-9a-f]{40}|we_[0-9a-f]{32}\.[0-9]+|[a-z-]{1,40}\.[0-9a-f]{32}|alr_[0-9a-f]{40}\.[a-z]{1,20}-[0-9]{1,9}"
    ),
    "event_id": re.compile(r"evt_[0-9a-f]{32}"),
    "endpoint_id": ENDPOINT_ID,
}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """An event and one of the endpoints that are to hear of it; ``job_id`` is the partition in which the event lies."""

    tenant: str
    job_id: str
    event_id: str
    endpoint_id: str


def parse(body: bytes) -> Reference | None:
    """Read a message; None for anything that Lethe did not write."""
    try:
        document = parse_object(body, max_bytes=_LONGEST)
    except RequestRefused:
        return None
    if document.keys() != _SHAPES.keys():
        return None
    if not all(isinstance(document[name], str) and shape.fullmatch(document[name]) for name, shape in _SHAPES.items()):
        return None
    return Reference(**document)


async def enqueue(event: StoredEvent, endpoint_id: str, *, attempts: int, at: float, webhooks: Webhooks) -> None:
    """Put the attempt after ``attempts`` into the queue, to appear at a time.

    The message id is ``<eventId>.<endpointId>.<attempt>``, the attempt taken from stored state: whoever repeats this, or does
    it a second time after a crash, is absorbed by duplicate detection. A message never outlives its event.
    """
    now = webhooks.clock()
    reference = Reference(tenant=event.tenant_id, job_id=event.job_id, event_id=event.event_id, endpoint_id=endpoint_id)
    message = Outgoing(
        body=json.dumps(asdict(reference)).encode("ascii"),
        message_id=f"{event.event_id}.{endpoint_id}.{attempts + 1}",
        ttl=event.expires_at - max(at, now),
    )
    if at <= now:
        await webhooks.queues.send(QUEUE, message)
    elif at < event.expires_at:
        await webhooks.queues.schedule(QUEUE, message, at=at)
