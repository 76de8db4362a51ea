"""Rotating the secret with which a tenant signs what it puts on the queue."""

from shared.domain.evidence import Chain, Kind
from shared.domain.principal import Principal
from shared.errors import NotFound
from shared.tenants.services import Tenants


async def rotate(tenant: str, actor: Principal, tenants: Tenants, *, keep_old: bool) -> str:
    """Make a new submission secret and return it; the old one ends at once, or in 24 hours. Raises `NotFound`."""
    found = await tenants.policies.find(tenant)
    if found is None or found.policy is None:
        raise NotFound
    await tenants.evidence.append(
        Chain.POLICIES,
        Kind.SUBMISSION_ROTATED,
        {"tenant": tenant, "actor": actor.name, "old_kept": keep_old},
    )
    return await tenants.submission.rotate(tenant, keep_old=keep_old)
