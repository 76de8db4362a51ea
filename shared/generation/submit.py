"""Admission over HTTP: the receipt first, then the message.

A crash in between leaves a receipt that nobody works on. The caller, who got no answer, repeats the request; a receipt that
is still queued then sends again. If nobody repeats, the timer ends the job at its deadline.
"""

import json
from dataclasses import replace

from shared.azure.queues import Outgoing
from shared.domain.generation import Receipt, Record, Status
from shared.domain.json_document import Json
from shared.domain.policy import TenantPolicy
from shared.domain.principal import Principal
from shared.domain.request import parse
from shared.errors import LeaseLost, Reason, RequestRefused, TooManyRequests
from shared.generation.admit import is_known, new_receipt, terms_for
from shared.generation.blocked import refuse_blocked
from shared.generation.delivery import ADMITTED_AT, QUEUE
from shared.generation.read import read
from shared.generation.services import Services
from shared.telemetry import Event, log


async def submit(envelope: Json, policy: TenantPolicy, services: Services, *, by: Principal) -> Record:
    """Admit the queue's object without its ``tenant``, submitted by an application of the tenant, and return its job.

    The same key with the same content answers the same job, with its output when it has ended. Raises `RequestRefused`, with
    reason ``conflict`` when the key belongs to other content or to a content that is forgotten, `Gone` as `read` does, and
    `TooManyRequests`, but for a job that is known. A blocked subject's is refused, unless the job was admitted before. More
    jobs than may be in flight are admitted all the same: they wait.
    """
    if "tenant" in envelope:
        raise RequestRefused(Reason.UNKNOWN_FIELD, "tenant")
    message = json.dumps({"tenant": policy.tenant_id, **envelope}, ensure_ascii=False, separators=(",", ":")).encode()
    request = parse(message, max_bytes=services.limits.max_request_bytes)
    await terms_for(request, policy, services.stamp, services.content_logging.confirmed)
    now = services.clock()
    receipt = await new_receipt(request, policy, services, admitted_at=now)
    own = replace(receipt, status=Status.QUEUED, lease_until=now, principal=by.client_id)
    await refuse_blocked(request, policy, own, services)
    standing = await _stored(own, policy, services)
    if standing.attempt_token != own.attempt_token and not await is_known(request, standing, services.keys):
        raise RequestRefused(Reason.CONFLICT, "custom_id")
    if standing.status.terminal or standing.content_expires_at <= services.clock():
        return await read(standing.tenant_id, standing.job_id, services)
    await _enqueue(message, standing, is_first=standing is own, services=services)
    return Record(receipt=standing, completed_at=None, error_code=None, output=None)


async def _stored(own: Receipt, policy: TenantPolicy, services: Services) -> Receipt:
    """Return the receipt that stands at the job, own or another's; only a new job counts as one of the minute's requests."""
    async with services.throttle.admission(policy.tenant_id, services.stamp.limits_of(policy)) as admission:
        if admission.retry_after is not None:
            standing = await services.generations.find(own)
            if standing is None:
                raise TooManyRequests(admission.retry_after)
            return standing
        standing = await services.generations.create(own)
        admission.is_new = standing.attempt_token == own.attempt_token
        return standing


async def _enqueue(message: bytes, standing: Receipt, *, is_first: bool, services: Services) -> None:
    """Send the job's message, unless somebody works on it already; each sending has an attempt number of its own."""
    if standing.status is not Status.QUEUED:
        return
    try:
        attempt = standing.attempt if is_first else await services.generations.next_attempt(standing)
    except LeaseLost:
        return
    outgoing = Outgoing(
        body=message,
        message_id=f"{standing.job_id}.{attempt}",
        ttl=standing.content_expires_at - services.clock(),
        properties={ADMITTED_AT: standing.created_at},
    )
    await services.queues.send(QUEUE, outgoing)
    log(Event.JOB_SUBMITTED, job_id=standing.job_id, attempt=attempt)
