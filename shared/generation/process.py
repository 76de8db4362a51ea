"""One delivery from its arrival to its end: parse, claim, call, decide, store.

Returning means that the message may be completed: the job has ended, or waits elsewhere, or the message was refused and kept.
Raising means that nothing was decided and the message must come again.
"""

import asyncio

from shared.delivery.announce import announce, is_heard
from shared.domain.generation import ErrorCode, Outcome, Receipt, Status, event_type
from shared.domain.request import GenerationRequest, parse
from shared.errors import LeaseLost, OutputTooLarge, Reason, RequestRefused, ServiceUnavailable
from shared.generation.admit import admission_time, check_submission, is_same_content, new_receipt, policy_for, terms_for
from shared.generation.call import call_model
from shared.generation.delivery import Delivery, schedule_copy
from shared.generation.last_resort import schedule_last_resort
from shared.generation.reject import reject
from shared.generation.services import Services
from shared.telemetry import Event, log

EXHAUSTED = Outcome(status=Status.FAILED, error_code=ErrorCode.DELIVERY_ATTEMPTS_EXHAUSTED)
TOO_LARGE = Outcome(status=Status.FAILED, error_code=ErrorCode.OUTPUT_TOO_LARGE)


async def process(delivery: Delivery, services: Services) -> None:
    """Process one delivery; raises `ServiceUnavailable` when a service stayed away beyond all patience."""
    try:
        await _run_or_reject(delivery, services)
    except LeaseLost:
        log(Event.JOB_TAKEN_OVER)
    except ServiceUnavailable:
        if delivery.delivery_count < services.limits.max_delivery_count:
            raise
        await schedule_last_resort(delivery, services)


async def _run_or_reject(delivery: Delivery, services: Services) -> None:
    try:
        await _run(delivery, services)
    except RequestRefused as refusal:
        await reject(delivery, refusal, services)


async def _run(delivery: Delivery, services: Services) -> None:
    request = parse(delivery.body, max_bytes=services.limits.max_request_bytes)
    policy = await policy_for(request, services)
    terms = terms_for(request, policy, services.stamp)
    own = await new_receipt(request, policy, services, admitted_at=await admission_time(delivery, policy, services))
    await check_submission(request, policy, own, delivery, services)
    claimed: Receipt | None = await services.generations.create(own)
    if claimed is not None and claimed.attempt_token != own.attempt_token:
        claimed = await _claim_standing(delivery, request, claimed, own.attempt_token, services)
    if claimed is None:
        return
    if delivery.delivery_count >= services.limits.max_delivery_count:
        await _finish(claimed, request, EXHAUSTED, services)
        return
    decision, rounds = await call_model(claimed, request, terms, services)
    if isinstance(decision, Outcome):
        await _finish(claimed, request, decision, services)
    else:
        await services.generations.release(claimed, not_before=decision.at, model_calls=rounds)
        await schedule_copy(delivery, claimed, services, at=decision.at)


async def _claim_standing(
    delivery: Delivery, request: GenerationRequest, standing: Receipt, attempt_token: str, services: Services
) -> Receipt | None:
    """Claim a job that is known already; None when there is nothing to do for this delivery.

    A job that ended is not run again. One that somebody holds, or whose time has not come, is waited for: in place when the
    wait is short, else by a scheduled copy. Raises `RequestRefused` when the key belongs to other content.
    """
    await _check_content(delivery, request, standing, services)
    while not standing.status.terminal:
        wait = standing.ready_at() - services.clock()
        if wait > services.limits.max_wait_in_place:
            await schedule_copy(delivery, standing, services, at=standing.ready_at())
            return None
        await asyncio.sleep(max(0.0, wait))
        try:
            return await services.generations.claim(standing, attempt_token=attempt_token, lease=services.limits.lease)
        except LeaseLost:
            standing = await services.generations.read(standing)
    log(Event.JOB_ALREADY_ENDED, job_id=standing.job_id, status=standing.status)
    await announce(standing.tenant_id, standing.job_id, services.webhooks)  # a crash may have come before it
    return None


async def _check_content(delivery: Delivery, request: GenerationRequest, standing: Receipt, services: Services) -> None:
    """The same key with other content is a conflict.

    At its deadline, or when it is deleted, a content is forgotten, its MAC too. What was sent before that moment is a late
    repetition; what is sent afterwards under a used key cannot be compared any more, and is refused rather than dropped.
    """
    if standing.content_mac is None:
        if delivery.enqueued_at > standing.forgotten_at:
            raise RequestRefused(Reason.CONFLICT, "custom_id")
    elif not await is_same_content(request, standing.content_mac, services.keys):
        raise RequestRefused(Reason.CONFLICT, "custom_id")


async def _finish(receipt: Receipt, request: GenerationRequest, outcome: Outcome, services: Services) -> None:
    heard = await is_heard(receipt.tenant_id, event_type(receipt.endpoint, outcome.status), services.webhooks)
    try:
        await services.generations.finish(receipt, request, outcome, heard=heard)
    except OutputTooLarge:
        await _finish(receipt, request, TOO_LARGE, services)
        return
    if heard:
        await announce(receipt.tenant_id, receipt.job_id, services.webhooks)
    log(
        Event.JOB_ENDED,
        job_id=receipt.job_id,
        status=outcome.status,
        code=outcome.error_code,
        attempt=receipt.attempt,
    )
