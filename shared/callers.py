"""Callers of the HTTP faces: a principal, and the tenant whose policy lists it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.domain.principal import TENANT_ROLES, Principal, Role
from shared.errors import Denial, Forbidden

if TYPE_CHECKING:
    from shared.azure.policies import Policies
    from shared.domain.policy import TenantPolicy
    from shared.identity import Verifier


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls, and for which tenant; those who run the service call for none.

    A role that acts for a tenant counts when both give it: the token, and the tenant's policy.
    """

    principal: Principal
    tenant: "TenantPolicy | None"

    def require(self, *roles: Role) -> None:
        """Raise `Forbidden` unless the caller has one of these roles."""
        if self.principal.roles.isdisjoint(roles):
            raise Forbidden(Denial.ROLE)

    def require_person(self, *roles: Role) -> None:
        """Raise `Forbidden` unless the caller has one of these roles and is a person: an application answers to nobody."""
        self.require(*roles)
        if self.principal.person_id is None:
            raise Forbidden(Denial.APP_ONLY)

    def tenant_for(self, *roles: Role) -> "TenantPolicy":
        """Return the policy of the tenant for which the caller acts in one of these roles; raises `Forbidden`."""
        self.require(*roles)
        if self.tenant is None:
            raise Forbidden(Denial.TENANT)
        return self.tenant


class Callers:
    """Recognises callers by their tokens."""

    def __init__(self, *, verifier: "Verifier", policies: "Policies") -> None:
        self._verifier = verifier
        self._policies = policies

    async def authenticate(self, authorization: str | None) -> Caller:
        """Return the caller of an ``Authorization`` header.

        Raises `Unauthenticated`, `Forbidden` (also for a principal that two policies list) and `ServiceUnavailable`.
        """
        principal = await self._verifier.verify(authorization)
        if principal.roles.isdisjoint(TENANT_ROLES):
            return Caller(principal=principal, tenant=None)
        name = {"directory": principal.directory, "client_id": principal.client_id}
        tenant = await self._policies.of_principal(**name)
        granted = tenant.roles_of(**name) if tenant else TENANT_ROLES
        return Caller(principal=replace(principal, roles=principal.roles - (TENANT_ROLES - granted)), tenant=tenant)
