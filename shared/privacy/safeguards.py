"""The responsible-AI settings of the stamp: counted for everybody, one by one for those who run the service."""

from dataclasses import dataclass, field
from typing import Final

from shared.azure.content_logging import ContentLogging
from shared.azure.evidence import Evidence
from shared.azure.policy_documents import Listing, PolicyDocuments
from shared.clock import Clock
from shared.domain import safeguards
from shared.domain.evidence import Chain
from shared.domain.json_document import Json
from shared.domain.opt_out import confirmation
from shared.domain.policy_history import histories
from shared.domain.safeguards import Tenant
from shared.domain.stamp import Stamp

CACHE_SECONDS: Final = 60.0
"""Anybody may ask for the statement: policies are read for it once a minute."""


@dataclass(kw_only=True)
class Safeguards:
    """What the settings are read from; ``recovery_days`` are those of the vault that has the keys of sealed records."""

    policies: PolicyDocuments
    content_logging: ContentLogging
    evidence: Evidence
    stamp: Stamp
    recovery_days: int
    clock: Clock
    listed: tuple[float, Listing] | None = field(default=None, init=False)


async def public(made_from: Safeguards) -> Json:
    """Return the clocks of abuse monitoring and the counts of settings, without tenants; raises `StoreUnavailable`."""
    now = made_from.clock()
    if made_from.listed is None or not 0 <= now - made_from.listed[0] < CACHE_SECONDS:
        made_from.listed = (now, await made_from.policies.all())
    return await _counted(made_from, made_from.listed[1])


async def report(made_from: Safeguards) -> Json:
    """Return the same of this moment, and each tenant's settings: since when, and by whom. Raises `StoreUnavailable`."""
    listing = await made_from.policies.all()
    counted = await _counted(made_from, listing)
    known = histories([record async for record in made_from.evidence.read(Chain.POLICIES)])
    tenants = [
        safeguards.of_tenant(tenant, known.get(tenant.policy.tenant_id, ()), recovery_days=made_from.recovery_days)
        for tenant in await _tenants(made_from, listing)
    ]
    of_tenants = {"settings": tenants, "unreadable_policies": [*listing.unreadable]}
    return {**counted, "responsible_ai": {**counted["responsible_ai"], **of_tenants}}


async def _counted(made_from: Safeguards, listing: Listing) -> Json:
    tenants = await _tenants(made_from, listing)
    return {
        "abuse_monitoring": safeguards.clocks(listing.policies, recovery_days=made_from.recovery_days),
        "responsible_ai": safeguards.counts(tenants, unreadable=len(listing.unreadable)),
    }


async def _tenants(made_from: Safeguards, listing: Listing) -> list[Tenant]:
    said = await made_from.content_logging.said()
    return [
        Tenant(
            policy=policy,
            confirmation=confirmation(policy, made_from.stamp, said) if policy.abuse_monitoring.opted_out else None,
            written_at=listing.written_at[policy.tenant_id],
        )
        for policy in listing.policies
    ]
