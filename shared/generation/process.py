"""One delivery from its arrival to its end: parse, find a place, claim, call, decide, store.

Returning means that the message may be completed: the job has ended, or waits elsewhere, or the message was refused and kept.
Raising means that nothing was decided and the message must come again.
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial

from shared.abuse.record import keep, ready
from shared.delivery.announce import announce, is_heard
from shared.domain.generation import ErrorCode, Outcome, Receipt, Status, event_type
from shared.domain.policy import TenantPolicy
from shared.domain.request import GenerationRequest, parse
from shared.domain.stamp import Terms
from shared.errors import LeaseLost, OutputTooLarge, RequestRefused, ServiceUnavailable
from shared.generation.admit import admission_time, check_submission, new_receipt, policy_for, terms_for
from shared.generation.call import call_model
from shared.generation.claim import claim, put_back
from shared.generation.copies import schedule_copy
from shared.generation.delivery import Delivery
from shared.generation.erased import drop_erased
from shared.generation.last_resort import schedule_last_resort
from shared.generation.measured import measure_end
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
        if not _is_last(delivery, services):
            raise
        await schedule_last_resort(delivery, services)


async def _run_or_reject(delivery: Delivery, services: Services) -> None:
    try:
        has_room = await _run(delivery, services)
    except RequestRefused as refusal:
        await reject(delivery, refusal, services)
        return
    if not has_room:
        await services.ahead.look(delivery.sequence_number, partial(_run_ahead, services=services), services.throttle)


async def _run_ahead(delivery: Delivery, services: Services) -> None:
    """Run another tenant's job that lies behind a crowd. Whatever goes wrong, its message is still in the queue."""
    with suppress(RequestRefused, LeaseLost, ServiceUnavailable):
        await _run(delivery, services)


async def _run(delivery: Delivery, services: Services) -> bool:
    """Run a job, or put it back; return whether its tenant had room for it."""
    request = parse(delivery.body, max_bytes=services.limits.max_request_bytes)
    policy = await policy_for(request, services)
    if await drop_erased(request, delivery, services):  # before a refusal, which would keep it
        return True
    terms = await terms_for(request, policy, services.stamp, services.content_logging.confirmed)
    own = await new_receipt(request, policy, services, admitted_at=await admission_time(delivery, policy, services))
    await check_submission(request, policy, own, delivery, services)
    async with services.throttle.place(
        request.tenant,
        services.stamp.limits_of(policy),
        deadline=own.content_expires_at,
        has_waited=delivery.has_waited,
        at_once=_is_last(delivery, services),
    ) as place:
        if place.put_back_at is not None:
            if not delivery.is_ahead:
                await put_back(delivery, request, own, services, at=place.put_back_at)
            return False
        claimed = await claim(delivery, request, own, services)
        if claimed is not None:
            place.begin()
            await _run_claimed(delivery, request, claimed, policy, terms, services)
    return True


async def _run_claimed(
    delivery: Delivery, request: GenerationRequest, claimed: Receipt, policy: TenantPolicy, terms: Terms, services: Services
) -> None:
    if _is_last(delivery, services):
        await _store(claimed, request, EXHAUSTED, services)
        return
    await ready(claimed, policy, services.abuse)
    decision, rounds = await call_model(claimed, request, terms, services)
    if isinstance(decision, Outcome):
        await _finish(replace(claimed, model_calls=rounds), request, decision, policy, services)
        return
    await services.generations.release(claimed, not_before=decision.at, model_calls=rounds)
    if not delivery.is_ahead:
        await schedule_copy(delivery, claimed, services, at=decision.at)


def _is_last(delivery: Delivery, services: Services) -> bool:
    return delivery.delivery_count >= services.limits.max_delivery_count


async def _finish(
    receipt: Receipt, request: GenerationRequest, outcome: Outcome, policy: TenantPolicy, services: Services
) -> None:
    """End a job; what a model said is sealed for abuse review before, if the policy wants that, also what fits no output."""
    kept_until = await keep(receipt, request, outcome, policy, services.abuse)
    receipt = replace(receipt, abuse_record_expires_at=kept_until)
    try:
        await _store(receipt, request, outcome, services)
    except OutputTooLarge:
        await _store(receipt, request, TOO_LARGE, services)


async def _store(receipt: Receipt, request: GenerationRequest, outcome: Outcome, services: Services) -> None:
    heard = await is_heard(receipt.tenant_id, event_type(receipt.endpoint, outcome.status), services.webhooks)
    await services.generations.finish(receipt, request, outcome, heard=heard)
    measure_end(outcome)
    if heard:
        await announce(receipt.tenant_id, receipt.job_id, services.webhooks)
    log(
        Event.JOB_ENDED,
        job_id=receipt.job_id,
        status=outcome.status,
        code=outcome.error_code,
        attempt=receipt.attempt,
    )
