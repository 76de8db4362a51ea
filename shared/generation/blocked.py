"""A request about a data subject whom abuse monitoring blocks is refused before anything of it is stored."""

from shared.domain import macs
from shared.domain.generation import Receipt
from shared.domain.macs import Purpose
from shared.domain.policy import TenantPolicy
from shared.domain.request import GenerationRequest
from shared.errors import Reason, RequestRefused
from shared.generation.services import Services


async def refuse_blocked(request: GenerationRequest, policy: TenantPolicy, own: Receipt, services: Services) -> None:
    """Raise `RequestRefused` if the request's subject is blocked now, unless its job was admitted before: that one goes on.

    A job is admitted when its receipt stands, so a message that still waits in the queue is not. Raises `StoreUnavailable`
    and `KeysUnavailable`: not knowing is no reason to run a job.
    """
    if not policy.abuse_monitoring.keeps_records or not await _is_blocked(request, services):
        return
    if await services.generations.find(own) is None:
        raise RequestRefused(Reason.SUBJECT_BLOCKED, f"body.{request.subject_field}")


async def _is_blocked(request: GenerationRequest, services: Services) -> bool:
    """Whether the subject is blocked; its MACs are made with the keys with which the blocked ones' were."""
    if request.subject is None:
        return False
    watched = await services.abuse.watch.of(request.tenant)
    keys = [await services.keys.by_id(request.tenant, Purpose.SUBJECT, kid) for kid in sorted(watched.key_ids)]
    return watched.blocks((macs.mac(key, request.subject) for key in keys if key is not None), services.clock())
