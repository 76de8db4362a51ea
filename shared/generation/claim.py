"""A delivery meets its job's receipt: it claims the job, or leaves it for later."""

import asyncio
from dataclasses import replace

from shared.delivery.announce import announce
from shared.domain.generation import Receipt, Status
from shared.domain.request import GenerationRequest
from shared.errors import LeaseLost, Reason, RequestRefused
from shared.generation.admit import is_same_content
from shared.generation.copies import schedule_copy
from shared.generation.delivery import Delivery
from shared.generation.services import Services
from shared.metrics import Metric, Way, count
from shared.telemetry import Event, log


async def claim(delivery: Delivery, request: GenerationRequest, own: Receipt, services: Services) -> Receipt | None:
    """Claim a job for this worker; None when there is nothing to do for this delivery.

    A job that ended is not run again. One that somebody holds, or whose time has not come, is waited for: in place when the
    wait is short, else by a scheduled copy. A delivery ahead of its turn takes a job that is ready, as one admitted over HTTP
    is, and leaves all else to its message. Raises `RequestRefused` when the key belongs to other content, and `LeaseLost`
    ahead of the turn.
    """
    standing = await services.generations.create(own)
    if standing.attempt_token == own.attempt_token:
        return standing
    await _check_content(delivery, request, standing, services)
    if delivery.is_ahead:
        return await services.generations.claim(standing, attempt_token=own.attempt_token, lease=services.limits.lease)
    while not standing.status.terminal:
        wait = standing.ready_at() - services.clock()
        if wait > services.limits.max_wait_in_place:
            await schedule_copy(delivery, standing, services, at=standing.ready_at())
            return None
        await asyncio.sleep(max(0.0, wait))
        try:
            return await services.generations.claim(standing, attempt_token=own.attempt_token, lease=services.limits.lease)
        except LeaseLost:
            standing = await services.generations.read(standing)
    await _pass_over(standing, services)
    return None


async def put_back(delivery: Delivery, request: GenerationRequest, own: Receipt, services: Services, *, at: float) -> None:
    """Let a job come back at its turn, because its tenant has no place now; one that ended meanwhile is done with.

    The receipt stands before the copy waits: it fixes the deadlines, lets cancel and delete reach the copy, and proves that the
    copy is ours. It is ready at once, for whichever delivery finds a place; the turn is a matter of its message. Raises as
    `claim` does.
    """
    count(Metric.THROTTLED, way=Way.QUEUE)
    queued = replace(own, status=Status.QUEUED, lease_until=own.created_at)
    standing = await services.generations.find(own) if delivery.has_waited else None
    if standing is None:
        standing = await services.generations.create(queued)
        if standing.attempt_token == own.attempt_token:
            await schedule_copy(delivery, standing, services, at=at, attempt=standing.attempt)
            return
    await _check_content(delivery, request, standing, services)
    if standing.status.terminal:
        await _pass_over(standing, services)
    else:
        await schedule_copy(delivery, standing, services, at=max(at, standing.ready_at()))


async def _pass_over(standing: Receipt, services: Services) -> None:
    log(Event.JOB_ALREADY_ENDED, job_id=standing.job_id, status=standing.status)
    await announce(standing.tenant_id, standing.job_id, services.webhooks)  # a crash may have come before it


async def _check_content(delivery: Delivery, request: GenerationRequest, standing: Receipt, services: Services) -> None:
    """The same key with other content is a conflict.

    At its deadline, or when it is deleted, a content is forgotten, its MAC too. What was sent before that moment is a late
    repetition; what is sent afterwards under a used key cannot be compared any more, and is refused rather than dropped.
    """
    if standing.content_mac is None:
        if delivery.admitted_at > standing.forgotten_at:  # a copy is as old as its job
            raise RequestRefused(Reason.CONFLICT, "custom_id")
    elif not await is_same_content(request, standing.content_mac, services.keys):
        raise RequestRefused(Reason.CONFLICT, "custom_id")
