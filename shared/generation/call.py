"""The model call of a job: deployments in the policy's order, short waits in place, long ones handed back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.domain import answer, retry, upstream
from shared.domain.generation import EXPIRED, ErrorCode, Outcome, Receipt, Status
from shared.domain.request import GenerationRequest
from shared.domain.stamp import Terms
from shared.errors import Failure, LetheError, ModelFailed
from shared.generation.services import Services
from shared.telemetry import Event, log

_NEXT_DEPLOYMENT = frozenset({Failure.RATE_LIMITED, Failure.UNAVAILABLE, Failure.ACCESS_DENIED, Failure.DEPLOYMENT_NOT_FOUND})
"""Failures that cost nothing and may be another deployment's success. A timeout or a broken answer may have been paid for."""


async def call_model(
    receipt: Receipt, request: GenerationRequest, terms: Terms, services: Services
) -> tuple[Outcome | retry.Again, int]:
    """Call until there is an outcome, or a wait too long for a worker; return it with the rounds of calls so far."""
    rounds = receipt.model_calls
    async with _lease_kept(receipt, services):
        while services.clock() < receipt.content_expires_at:
            rounds += 1
            try:
                outcome = await _one_round(receipt, request, terms, services)
            except ModelFailed as failed:
                decision = _decide(failed, rounds, receipt, services)
                if isinstance(decision, retry.GiveUp):
                    return _given_up(decision, failed), rounds
                if decision.at - services.clock() > services.limits.max_wait_in_place:
                    return decision, rounds
                if failed.failure not in _NEXT_DEPLOYMENT:
                    await services.generations.count_calls(receipt, model_calls=rounds)  # a crash must not pay for it again
            else:
                return (outcome if services.clock() < receipt.content_expires_at else EXPIRED), rounds
            await asyncio.sleep(max(0.0, decision.at - services.clock()))
    return EXPIRED, rounds


def _given_up(decision: retry.GiveUp, failed: ModelFailed) -> Outcome:
    if decision.code == ErrorCode.EXPIRED:
        return EXPIRED
    found = failed.found if isinstance(failed, answer.Unfiltered) else None
    return Outcome(status=Status.FAILED, error_code=decision.code, content_filter=found)


def _decide(failed: ModelFailed, rounds: int, receipt: Receipt, services: Services) -> retry.Again | retry.GiveUp:
    log(Event.MODEL_CALL_FAILED, job_id=receipt.job_id, code=failed.failure, attempt=rounds)
    return retry.decide(
        failed.failure,
        attempts=rounds,
        retry_after=failed.retry_after,
        now=services.clock(),
        expires_at=receipt.content_expires_at,
    )


async def _one_round(receipt: Receipt, request: GenerationRequest, terms: Terms, services: Services) -> Outcome:
    """Ask each deployment in turn until one answers; raise the failure that decides when to come back.

    A failure that may have been paid for decides itself: how often it may come again is limited, a rate limit is not.
    """
    failures: list[ModelFailed] = []
    for deployment in terms.deployments:
        payload = upstream.payload(
            request, deployment=deployment.name, subject=receipt.subject, output_tokens=terms.output_tokens
        )
        try:
            found = await services.models.call(deployment.endpoint, upstream.PATHS[request.url], payload)
            return answer.filtered(answer.outcome(request.url, found), terms.content_filter)
        except ModelFailed as failed:
            if failed.failure not in _NEXT_DEPLOYMENT:
                raise
            failures.append(failed)
    raise min(failures, key=lambda failed: (failed.failure is not Failure.RATE_LIMITED, failed.retry_after or 0.0))


@asynccontextmanager
async def _lease_kept(receipt: Receipt, services: Services) -> AsyncIterator[None]:
    """Renew the lease of a call that lasts longer than half of it. A lease that is lost shows when the job is finished."""
    lease = services.limits.lease

    async def beat() -> None:
        while True:
            await asyncio.sleep(lease / 2)
            await services.generations.renew(receipt, lease=lease)

    heartbeat = asyncio.create_task(beat())
    try:
        yield
    finally:
        heartbeat.cancel()
        await asyncio.wait([heartbeat])
        if not heartbeat.cancelled() and not isinstance(heartbeat.exception(), LetheError):
            heartbeat.result()
