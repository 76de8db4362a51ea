"""Policies as those who run the service write them: uncached, under etags, with what waits for a second principal.

Container ``policies``, partition key tenant: document ``policy`` is the policy, or the tombstone of an offboarded tenant;
document ``proposal`` names a version that loosens something, until a second principal applies the same or it expires.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    Answered,
    Document,
    find_document,
    foreign_errors,
    query_rows,
)
from shared.azure.policies import OFFBOARDED, policy_of
from shared.clock import Clock
from shared.domain.policy import TenantPolicy
from shared.domain.policy_change import as_json
from shared.domain.principal import Principal, name_of
from shared.errors import StoreUnavailable, WriteConflict
from shared.patience import patient

PROPOSAL_SECONDS = 86_400
"""How long a loosening waits for its second principal."""

_ALL = "SELECT * FROM c WHERE c.id = 'policy'"


@dataclass(frozen=True, kw_only=True)
class StoredPolicy:
    """What stands at a tenant: a policy, the tombstone of an offboarded one, or something unreadable (neither).

    ``written_at``: its last write, in seconds since the epoch by the store's clock.
    """

    policy: TenantPolicy | None
    offboarded_at: float | None
    etag: str
    written_at: float


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All policies by tenant, and the names of tenants whose policy cannot be read; offboarded ones are in neither.

    ``written_at`` is by tenant: the last write of its policy, in seconds since the epoch by the store's clock.
    """

    policies: tuple[TenantPolicy, ...]
    unreadable: tuple[str, ...]
    written_at: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A version of a policy that waits: its fingerprint, and who proposed it."""

    fingerprint: str
    directory: str
    client_id: str

    @property
    def by(self) -> str:
        """How evidence names who proposed it."""
        return name_of(self.directory, self.client_id)

    def is_of(self, principal: Principal) -> bool:
        """Whether this principal proposed it."""
        return (self.directory, self.client_id) == (principal.directory, principal.client_id)


class PolicyDocuments:
    """Reads and writes policies; raises `StoreUnavailable`."""

    def __init__(self, container: ContainerProxy, *, clock: Clock) -> None:
        self._container = container
        self._clock = clock

    @patient
    async def find(self, tenant: str) -> StoredPolicy | None:
        """Return what stands at a tenant, None when nothing ever did."""
        document = await self._read("policy", tenant)
        return None if document is None else _stored(document)

    @patient
    async def all(self) -> Listing:
        """List every tenant."""
        found = await query_rows(self._container, _ALL)
        standing = {document["tenantId"]: _stored(document) for document in found if OFFBOARDED not in document}
        policies = [stored.policy for stored in standing.values() if stored.policy is not None]
        return Listing(
            policies=tuple(sorted(policies, key=lambda policy: policy.tenant_id)),
            unreadable=tuple(sorted(tenant for tenant, stored in standing.items() if stored.policy is None)),
            written_at={tenant: stored.written_at for tenant, stored in standing.items()},
        )

    async def write(self, policy: TenantPolicy, *, over: StoredPolicy | None) -> None:
        """Write a policy over what was found; raises `WriteConflict` when somebody else wrote meanwhile."""
        fields = as_json(policy)
        document = {"id": "policy", "tenantId": fields.pop("tenant_id"), **fields}
        try:
            await self._replace(document, etag=over.etag if over else None)
        except WriteConflict:  # the SDK sends a write again after a dropped connection, and meets its own
            standing = await self.find(policy.tenant_id)
            if standing is None or standing.policy != policy:
                raise

    async def bury(self, tenant: str, *, over: StoredPolicy) -> float:
        """Leave a tombstone in place of a policy, and return its time; raises `WriteConflict`."""
        now = self._clock()
        await self._replace({"id": "policy", "tenantId": tenant, OFFBOARDED: now}, etag=over.etag)
        return now

    @patient
    async def proposal(self, tenant: str) -> Proposal | None:
        """Return the version that waits for its second principal, if one does."""
        document = await self._read("proposal", tenant)
        if document is None or document["expires_at"] <= self._clock():
            return None
        return Proposal(fingerprint=document["fingerprint"], directory=document["directory"], client_id=document["client_id"])

    @patient
    async def propose(self, tenant: str, fingerprint: str, principal: Principal) -> None:
        """Let a version wait for its second principal, in place of one that waited."""
        document = {
            "id": "proposal",
            "tenantId": tenant,
            "fingerprint": fingerprint,
            "directory": principal.directory,
            "client_id": principal.client_id,
            "expires_at": self._clock() + PROPOSAL_SECONDS,
            "ttl": PROPOSAL_SECONDS,
        }
        try:
            async with foreign_errors():
                await self._container.upsert_item(document, no_response=True)
        except Answered:
            raise StoreUnavailable from None

    @patient
    async def withdraw(self, tenant: str) -> None:
        """Forget the version that waits; none is no error."""
        try:
            async with foreign_errors():
                await self._container.delete_item("proposal", tenant)
        except Answered as answer:
            if answer.status != NOT_FOUND:
                raise StoreUnavailable from None

    async def _read(self, document_id: str, tenant: str) -> Document | None:
        return await find_document(self._container, document_id, tenant)

    async def _replace(self, document: Document, *, etag: str | None) -> None:
        """Create, or replace under an etag. Not patient: after an unknown outcome the operator looks and decides."""
        try:
            async with foreign_errors():
                if etag is None:
                    await self._container.create_item(document, no_response=True)
                else:
                    await self._container.replace_item(
                        document["id"], document, etag=etag, match_condition=MatchConditions.IfNotModified, no_response=True
                    )
        except Answered as answer:
            if answer.status in {CONFLICT, NOT_FOUND, PRECONDITION_FAILED}:
                raise WriteConflict from None
            raise StoreUnavailable from None


def _stored(document: Document) -> StoredPolicy:
    offboarded_at = document.get(OFFBOARDED)
    try:
        policy = policy_of(document) if offboarded_at is None else None
    except StoreUnavailable:
        policy = None
    return StoredPolicy(policy=policy, offboarded_at=offboarded_at, etag=document["_etag"], written_at=document["_ts"])
