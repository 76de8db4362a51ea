"""Letting a tenant go: its documents of every class, its secrets and its keys, with a receipt of what is gone.

First a tombstone takes the place of the policy, so that nobody is admitted any more; then everything is swept, and swept again
when no worker can remember the policy or run a job of the tenant; the keys go last. Each step may be repeated.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass

from shared.azure.policy_documents import StoredPolicy
from shared.domain.evidence import Chain, Kind
from shared.domain.principal import Principal
from shared.domain.webhook_endpoint import SECRETS_OF, is_secret_of, secret_name
from shared.errors import HoldStands, NotFound, StoreUnavailable
from shared.generation.delivery import QUEUE
from shared.generation.reject import UNKNOWN_TENANT_SECONDS
from shared.tenants.services import Tenants

_POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What is gone, by class; what is left in queues is unreadable by callers now, and gone at a time (seconds, epoch)."""

    tenant: str
    offboarded_at: float
    completed_at: float
    removed: dict[str, int]
    rejected_messages_until: float | None
    waiting_message_seconds: int = UNKNOWN_TENANT_SECONDS


async def offboard(tenant: str, actor: Principal, tenants: Tenants) -> Receipt:
    """Remove a tenant; raises `NotFound`, `HoldStands`, and `WriteConflict` when its policy was changed at this moment.

    Takes a little longer than ``settle``, in which workers forget the tenant. After an interruption it is called again.
    """
    found = await tenants.policies.find(tenant)
    if found is None:
        raise NotFound
    await _refuse_held(tenant, tenants)
    buried_at = await _bury(tenant, found, actor, tenants)
    removed = await _sweep(tenant, tenants)
    while tenants.clock() < buried_at + tenants.settle:  # noqa: ASYNC110 - by the app's clock, which tests move
        await asyncio.sleep(_POLL_SECONDS)
    removed += await _sweep(tenant, tenants)
    if await tenants.documents.all(tenant):
        raise StoreUnavailable
    await tenants.keys.delete(tenant)
    receipt = Receipt(
        tenant=tenant,
        offboarded_at=buried_at,
        completed_at=tenants.clock(),
        removed=dict(sorted(removed.items())),
        rejected_messages_until=buried_at + found.policy.retention.shortest_seconds if found.policy else None,
    )
    await _record(Kind.TENANT_OFFBOARDED, tenant, actor, tenants, removed=receipt.removed)
    return receipt


async def _bury(tenant: str, found: StoredPolicy, actor: Principal, tenants: Tenants) -> float:
    if found.offboarded_at is not None:
        return found.offboarded_at
    await _record(Kind.TENANT_OFFBOARDING, tenant, actor, tenants)
    return await tenants.policies.bury(tenant, over=found)


async def _sweep(tenant: str, tenants: Tenants) -> Counter[str]:
    """Remove secrets, then documents; return how many of each.

    What only a document knows of goes before it, so that an interruption leaves nothing that nobody can find again: the copy
    that waits in the queue, which is the whole request, before the receipt that names it. Raises `HoldStands` before anything
    is removed: a hold may have been placed a moment before the tombstone.
    """
    await _refuse_held(tenant, tenants)
    counts: Counter[str] = Counter()
    for name in await _webhook_secrets(tenant, tenants):
        await tenants.webhooks.secrets.delete(name)
        counts["webhook_secrets"] += 1
    await tenants.submission.delete(tenant)
    for document in await tenants.documents.all(tenant):
        copy = document.waiting_copy
        if copy is not None and await tenants.queues.cancel_scheduled(QUEUE, copy):
            counts["waiting_copies"] += 1
        await tenants.documents.delete(document)
        counts[document.data_class] += 1
    return counts


async def _webhook_secrets(tenant: str, tenants: Tenants) -> set[str]:
    """Names of the secrets of the tenant's endpoints, and of those of endpoints that were never written or half deleted."""
    endpoints = await tenants.webhooks.endpoints.all(tenant)
    stored = await tenants.webhooks.secrets.names(SECRETS_OF.format(tenant=tenant))
    return {secret_name(tenant, endpoint.id) for endpoint in endpoints} | {
        name for name in stored if is_secret_of(tenant, name)
    }


async def _refuse_held(tenant: str, tenants: Tenants) -> None:
    now = tenants.clock()
    if any(hold.is_active(now) for hold in await tenants.holds.standing(tenant)):
        raise HoldStands


async def _record(
    kind: Kind, tenant: str, actor: Principal, tenants: Tenants, *, removed: dict[str, int] | None = None
) -> None:
    fields = {"tenant": tenant, "actor": actor.name}
    counts = {f"removed_{name.replace('-', '_')}": count for name, count in (removed or {}).items()}
    await tenants.evidence.append(Chain.POLICIES, kind, {**fields, **counts})
