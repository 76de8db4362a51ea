"""Tenant policies: documents of container ``policies``, cached for a minute."""

import json

from azure.cosmos.aio import ContainerProxy
from pydantic import ValidationError

from shared.azure.cosmos import Document, find_document, query_rows
from shared.azure.remembered import Remembered
from shared.clock import Clock
from shared.domain.policy import TenantPolicy
from shared.errors import Denial, Forbidden, StoreUnavailable
from shared.patience import patient

CACHE_SECONDS = 60.0

OFFBOARDED = "offboarded_at"
"""Field of what is left of a policy whose tenant was offboarded: a tombstone, seconds since the epoch."""

_LISTING = "SELECT * FROM c WHERE c.id = 'policy' AND ARRAY_CONTAINS(c.principals, @principal, true)"
"""``true``: an element that has both fields of the parameter."""


class Policies:
    """Reads policies; a change is seen within `CACHE_SECONDS`, without a restart."""

    def __init__(self, container: ContainerProxy, *, clock: Clock) -> None:
        self._container = container
        self._policies = Remembered(self._read, seconds=CACHE_SECONDS, clock=clock)
        self._listings = Remembered(self._find, seconds=CACHE_SECONDS, clock=clock)

    async def get(self, tenant: str) -> TenantPolicy | None:
        """Return the policy of a tenant, None when there is no such tenant."""
        return await self._policies.of(tenant)

    async def of_principal(self, *, directory: str, client_id: str) -> TenantPolicy | None:
        """Return the policy that lists a principal, None when none does; raises `Forbidden` when two do.

        Not patient: an HTTP caller waits for the answer, and is better told to come again.
        """
        policies = await self._listings.of((directory, client_id))
        if len(policies) > 1:
            raise Forbidden(Denial.TENANT_AMBIGUOUS)
        return policies[0] if policies else None

    async def _find(self, name: tuple[str, str]) -> list[TenantPolicy]:
        directory, client_id = name
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
