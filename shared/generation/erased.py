"""A message whose subject was erased after it was sent is dropped: before its job is claimed, and before it could be kept."""

from contextlib import suppress

from shared.domain import macs
from shared.domain.macs import Purpose
from shared.domain.request import GenerationRequest
from shared.errors import NotFound
from shared.generation.admit import is_known
from shared.generation.delivery import Delivery
from shared.generation.read import delete, lookup
from shared.generation.services import Services
from shared.telemetry import Event, log


async def drop_erased(request: GenerationRequest, delivery: Delivery, services: Services) -> bool:
    """Return whether a message is to be dropped; then its job, if there is one, is deleted.

    A copy of ours is as old as its job. Whoever forges that gets a message of their own dropped, and no job of another's
    deleted: it has to be the job of this very content, and as old.
    """
    cutoff = await _cutoff(request, services)
    if cutoff is None or delivery.admitted_at > cutoff:
        return False
    job_id = await lookup(request.tenant, request.custom_id, request.batch, services)
    found = await services.records.find(request.tenant, job_id)
    standing = found.record.receipt if found else None
    if standing and standing.created_at <= cutoff and await is_known(request, standing, services.keys):
        with suppress(NotFound):
            await delete(request.tenant, job_id, services)
    log(Event.JOB_ERASED, job_id=job_id)
    return True


async def _cutoff(request: GenerationRequest, services: Services) -> float | None:
    """Until when the request's subject was erased; its MACs are made with the keys with which subjects were marked."""
    if request.subject is None:
        return None
    marked = await services.markers.of(request.tenant)
    keys = [await services.keys.by_id(request.tenant, Purpose.SUBJECT, kid) for kid in marked.cutoffs]
    return marked.cutoff(macs.mac(key, request.subject) for key in keys if key is not None)
