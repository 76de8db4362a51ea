"""Tenant policies: documents of container ``policies``, cached for a minute."""

import json

from azure.cosmos.aio import ContainerProxy
from pydantic import ValidationError

from shared.azure.cosmos import NOT_FOUND, Answered, foreign_errors
from shared.azure.patience import patient
from shared.clock import Clock
from shared.domain.policy import TenantPolicy
from shared.errors import StoreUnavailable

CACHE_SECONDS = 60.0
CACHED_TENANTS = 1000
"""Unknown names are cached too, so that a flood of them does not become a flood of reads; the cache is bounded."""


class Policies:
    """Reads policies; a change is seen within `CACHE_SECONDS`, without a restart."""

    def __init__(self, container: ContainerProxy, *, clock: Clock) -> None:
        self._container = container
        self._clock = clock
        self._cache: dict[str, tuple[float, TenantPolicy | None]] = {}

    async def get(self, tenant: str) -> TenantPolicy | None:
        """Return the policy of a tenant, None when there is no such tenant."""
        cached = self._cache.get(tenant)
        if cached and 0 <= self._clock() - cached[0] < CACHE_SECONDS:
            return cached[1]
        policy = await self._read(tenant)
        if len(self._cache) >= CACHED_TENANTS:
            self._cache.clear()
        self._cache[tenant] = (self._clock(), policy)
        return policy

    @patient
    async def _read(self, tenant: str) -> TenantPolicy | None:
        try:
            async with foreign_errors():
                document = await self._container.read_item("policy", tenant)
        except Answered as answer:
            if answer.status == NOT_FOUND:
                return None
            raise StoreUnavailable from None
        fields = {
            name: value for name, value in document.items() if not name.startswith("_") and name not in {"id", "tenantId"}
        }
        try:
            return TenantPolicy.model_validate_json(json.dumps({**fields, "tenant_id": document["tenantId"]}))
        except ValidationError:
            raise StoreUnavailable from None
