"""Tenant policies: documents of container ``policies``, cached for a minute."""

import json

from azure.cosmos.aio import ContainerProxy
from pydantic import ValidationError

from shared.azure.cosmos import Document, find_document, query_rows
from shared.clock import Clock
from shared.domain.policy import TenantPolicy
from shared.errors import Denial, Forbidden, StoreUnavailable
from shared.patience import patient

CACHE_SECONDS = 60.0
CACHED_TENANTS = 1000
"""Unknown names are cached too, so that a flood of them does not become a flood of reads; the cache is bounded."""

OFFBOARDED = "offboarded_at"
"""Field of what is left of a policy whose tenant was offboarded: a tombstone, seconds since the epoch."""

_LISTING = "SELECT * FROM c WHERE c.id = 'policy' AND ARRAY_CONTAINS(c.principals, @principal, true)"
"""``true``: an element that has both fields of the parameter."""


class Policies:
    """Reads policies; a change is seen within `CACHE_SECONDS`, without a restart."""

    def __init__(self, container: ContainerProxy, *, clock: Clock) -> None:
        self._container = container
        self._clock = clock
        self._cache: dict[str, tuple[float, TenantPolicy | None]] = {}
        self._listing: dict[tuple[str, str], tuple[float, list[TenantPolicy]]] = {}

    async def get(self, tenant: str) -> TenantPolicy | None:
        """Return the policy of a tenant, None when there is no such tenant."""
        cached = self._cache.get(tenant)
        if cached and self._is_fresh(cached[0]):
            return cached[1]
        policy = await self._read(tenant)
        if len(self._cache) >= CACHED_TENANTS:
            self._cache.clear()
        self._cache[tenant] = (self._clock(), policy)
        return policy

    async def of_principal(self, *, directory: str, client_id: str) -> TenantPolicy | None:
        """Return the policy that lists a principal, None when none does; raises `Forbidden` when two do.

        Not patient: an HTTP caller waits for the answer, and is better told to come again.
        """
        name = (directory, client_id)
        cached = self._listing.get(name)
        if cached is None or not self._is_fresh(cached[0]):
            cached = (self._clock(), await self._find(directory=directory, client_id=client_id))
            if len(self._listing) >= CACHED_TENANTS:
                self._listing.clear()
            self._listing[name] = cached
        policies = cached[1]
        if len(policies) > 1:
            raise Forbidden(Denial.TENANT_AMBIGUOUS)
        return policies[0] if policies else None

    def _is_fresh(self, read_at: float) -> bool:
        return 0 <= self._clock() - read_at < CACHE_SECONDS

    async def _find(self, *, directory: str, client_id: str) -> list[TenantPolicy]:
        principal = {"directory": directory, "client_id": client_id}
        return [policy_of(document) for document in await query_rows(self._container, _LISTING, {"principal": principal})]

    @patient
    async def _read(self, tenant: str) -> TenantPolicy | None:
        document = await find_document(self._container, "policy", tenant)
        if document is None:
            return None
        return None if OFFBOARDED in document else policy_of(document)


def policy_of(document: Document) -> TenantPolicy:
    """Read a stored policy; raises `StoreUnavailable` for one that is none: its tenant waits until it is mended."""
    fields = {name: value for name, value in document.items() if not name.startswith("_") and name not in {"id", "tenantId"}}
    try:
        return TenantPolicy.model_validate_json(json.dumps({**fields, "tenant_id": document["tenantId"]}))
    except ValidationError:
        raise StoreUnavailable from None
