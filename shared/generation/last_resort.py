"""Saving a message from the dead-letter queue when its last delivery could not reach the store to end the job.

A copy of it comes later, with an enqueuing of its own, by which a sender's signature would be late though the sender was not.
So the copy has a postmark: when the message was first enqueued, under a MAC of the tenant's. It counts only in the copy for
which it was made, around the time for which that was scheduled, so that a captured one is of no use later. It says nothing of
who sent the message.
"""

import hashlib
import hmac
import re

from shared.azure.keys import KeyStore
from shared.azure.queues import Outgoing, Properties
from shared.domain import macs
from shared.domain.macs import Key, Purpose
from shared.domain.policy import is_tenant_id
from shared.domain.request import claimed_tenant
from shared.domain.submission import TOLERANCE_SECONDS
from shared.errors import KeysUnavailable
from shared.generation.delivery import ADMITTED_AT, QUEUE, Delivery
from shared.generation.services import Services
from shared.patience import patience
from shared.telemetry import Event, log

POSTMARK = "lethe-postmark"
"""Application property: ``first enqueued/scheduled/MAC``, times in seconds since the epoch."""
PAUSE = 300.0
KEYS_PATIENCE = 5.0
_FORM = re.compile(r"([0-9.]{1,20})/([0-9.]{1,20})/([0-9a-f]{64})")


async def schedule_last_resort(delivery: Delivery, services: Services) -> None:
    """Let a message come back later, without its job.

    No attempt can be read, so the copy is named after the message itself, and keeps its expiry. Raises `ServiceUnavailable`
    when the queue is out of reach too.
    """
    at = services.clock() + PAUSE
    copy = Outgoing(
        body=delivery.body,
        message_id=f"redelivery.{delivery.sequence_number}",
        ttl=delivery.expires_at - at,
        properties={
            **delivery.properties,
            ADMITTED_AT: delivery.admitted_at,
            **await _postmark(delivery, services, at=at),
        },
    )
    await services.queues.schedule(QUEUE, copy, at=at)
    log(Event.JOB_POSTPONED, delay_seconds=PAUSE, warning=True)


async def first_enqueued(delivery: Delivery, tenant: str, keys: KeyStore) -> float:
    """Return the time of a genuine postmark, else the message's own, in seconds since the epoch; raises `KeysUnavailable`."""
    found = _FORM.fullmatch(str(delivery.properties.get(POSTMARK, "")))
    if found is None:
        return delivery.enqueued_at
    first, at, mac = found.groups()
    if not hmac.compare_digest(_mac(await keys.current(tenant, Purpose.CONTENT), delivery.body, first, at), mac):
        return delivery.enqueued_at
    return float(first) if abs(delivery.enqueued_at - float(at)) <= TOLERANCE_SECONDS else delivery.enqueued_at


async def postmark(delivery: Delivery, tenant: str, keys: KeyStore, *, at: float) -> str:
    """Make the postmark of a copy that is scheduled for a time; raises `KeysUnavailable`."""
    times = f"{await first_enqueued(delivery, tenant, keys):.6f}", f"{at:.6f}"
    return "/".join((*times, _mac(await keys.current(tenant, Purpose.CONTENT), delivery.body, *times)))


async def _postmark(delivery: Delivery, services: Services, *, at: float) -> Properties:
    """The copy's postmark, if there is such a tenant, and the key store did not stay away with the store."""
    tenant = claimed_tenant(delivery.body, max_bytes=services.limits.max_request_bytes)
    if tenant is None or not is_tenant_id(tenant):
        return {}
    try:
        with patience(KEYS_PATIENCE):
            return {POSTMARK: await postmark(delivery, tenant, services.keys, at=at)}
    except KeysUnavailable:
        return {}


def _mac(key: Key, body: bytes, first: str, at: str) -> str:
    """A list, under the key of contents, which are objects: no MAC of the one can stand for one of the other.

    The key is always the current one, because a sender could ask for any other.
    """
    return macs.mac(key, ["postmark", first, at, hashlib.sha256(body).hexdigest()]).mac
