"""The secrets by which tenants sign their messages: the secrets in the key store, which of them count in ``policies``.

Document ``submission`` of container ``policies``, partition key tenant, has ids of secrets only: ``current``, and ``previous``
until ``previous_until``. A tenant without it has no secret, so that nothing is validly signed.
"""

from dataclasses import dataclass, field

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import CONFLICT, NOT_FOUND, PRECONDITION_FAILED, Answered, Document, find_document, foreign_errors
from shared.azure.remembered import Remembered
from shared.azure.secret_store import SecretStore
from shared.clock import Clock
from shared.domain.signing import Signing, new_secret
from shared.domain.submission import secret_name
from shared.errors import StoreUnavailable
from shared.patience import patient

CACHE_SECONDS = 60.0

_ID = "submission"


@dataclass(frozen=True, kw_only=True)
class _Stored:
    signing: Signing
    etag: str


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    signing: Signing | None
    secrets: dict[str, str] = field(repr=False)


class SubmissionSecrets:
    """The submission secrets of all tenants. A change is seen by other processes within `CACHE_SECONDS`, by this one at once.

    Everything raises `StoreUnavailable` or `KeysUnavailable` when a service stays away beyond all patience.
    """

    def __init__(self, container: ContainerProxy, *, secrets: SecretStore, clock: Clock) -> None:
        self._container = container
        self._secrets = secrets
        self._clock = clock
        self._known = Remembered(self._load, seconds=CACHE_SECONDS, clock=clock)

    async def valid(self, tenant: str) -> tuple[str, ...]:
        """Return the secrets that count now, the current one first; none when the tenant has none. Cached.

        A previous one ends at its time, whatever is cached.
        """
        now = self._clock()
        known = await self._known.of(tenant)
        kids = known.signing.kids(now=now) if known.signing else []
        return tuple(known.secrets[kid] for kid in kids if kid in known.secrets)

    async def rotate(self, tenant: str, *, keep_old: bool) -> str:
        """Make a tenant's first secret, or replace it, and return the new one; the old one counts 24 hours more, or no more.

        Elsewhere the old one may count, and the new one may not yet, for `CACHE_SECONDS`: a sender waits as long before it
        signs with the new one. What counts no more leaves the key store last: a crash before that leaves a secret that
        nothing uses.
        """
        name, secret = secret_name(tenant), new_secret()
        kid = await self._secrets.put(name, secret)
        for replaced in await self._take_up(tenant, kid, keep_old=keep_old):
            await self._secrets.retire(name, replaced)
        return secret

    async def delete(self, tenant: str) -> None:
        """Delete a tenant's secrets, and the document that names them; what is gone is no error.

        The secrets go first: after a crash in between nothing is validly signed any more, and the same call deletes the rest.
        """
        await self._secrets.delete(secret_name(tenant))
        await self._delete(tenant)
        self._known.forget(tenant)

    async def _take_up(self, tenant: str, kid: str, *, keep_old: bool) -> frozenset[str]:
        """Let a secret count, and return the ids of those that count no more."""
        now = self._clock()
        known: frozenset[str] = frozenset()
        while True:
            stored = await self._read(tenant)
            if stored is not None and kid in stored.signing.ids:  # the own write, which the SDK repeated and then met
                signing = stored.signing
                break
            signing = stored.signing.rotated(kid, now=now, keep_old=keep_old) if stored else Signing(current=kid)
            known |= stored.signing.ids if stored else known
            if await self._write(tenant, signing, replacing=stored):
                break
        self._known.forget(tenant)
        return known - signing.ids

    async def _load(self, tenant: str) -> _Loaded:
        """Read what counts; read again when a secret is gone that counted a moment ago, because it was replaced meanwhile."""
        now = self._clock()
        stored = await self._read(tenant)
        while stored is not None:
            kids = stored.signing.kids(now=now)
            found = {kid: secret for kid in kids if (secret := await self._secrets.get(secret_name(tenant), kid))}
            again = stored if len(found) == len(kids) else await self._read(tenant)
            if again == stored:
                return _Loaded(signing=stored.signing, secrets=found)
            stored = again
        return _Loaded(signing=None, secrets={})

    @patient
    async def _read(self, tenant: str) -> _Stored | None:
        document = await find_document(self._container, _ID, tenant)
        if document is None:
            return None
        signing = Signing(current=document["current"], previous=document["previous"], previous_until=document["previous_until"])
        return _Stored(signing=signing, etag=document["_etag"])

    @patient
    async def _write(self, tenant: str, signing: Signing, *, replacing: _Stored | None) -> bool:
        """Write what was decided on what was read; False when somebody else wrote meanwhile, perhaps the SDK for us."""
        document: Document = {
            "id": _ID,
            "tenantId": tenant,
            "current": signing.current,
            "previous": signing.previous,
            "previous_until": signing.previous_until,
        }
        try:
            async with foreign_errors():
                if replacing is None:
                    await self._container.create_item(document, no_response=True)
                else:
                    unchanged = MatchConditions.IfNotModified
                    await self._container.replace_item(
                        _ID, document, etag=replacing.etag, match_condition=unchanged, no_response=True
                    )
        except Answered as answer:
            if answer.status in {CONFLICT, NOT_FOUND, PRECONDITION_FAILED}:
                return False
            raise StoreUnavailable from None
        return True

    @patient
    async def _delete(self, tenant: str) -> None:
        try:
            async with foreign_errors():
                await self._container.delete_item(_ID, tenant)
        except Answered as answer:
            if answer.status != NOT_FOUND:
                raise StoreUnavailable from None
