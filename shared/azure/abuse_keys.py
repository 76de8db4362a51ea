"""The keys of abuse review in Azure Key Vault, one for each day: the app makes them, seals with them, and deletes them.

Of a key the app reads the public half only; to unwrap is for the review app's identity. A key that was deleted can be recovered
for the vault's recovery days, and nobody of Lethe may purge it: it is destroyed when the vault has it no more.
"""

from collections.abc import Mapping
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys import KeyOperation, KeyVaultKey, KeyVaultKeyIdentifier
from azure.keyvault.keys.crypto import KeyWrapAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.azure.vault import foreign_errors, key_client, options
from shared.domain.abuse_record import day_of
from shared.domain.sealing import SealingKey
from shared.errors import KeysUnavailable
from shared.patience import patient

KEY_BITS = 3072
"""As strong as 128 bits until 2030 and beyond (NIST SP 800-57, part 1)."""
DELETION_TIMEOUT = 30.0
"""Seconds; the SDK waits until the vault shows the key as deleted."""

_FORBIDDEN, _BAD_REQUEST = 403, 400
_BY_RIGHTS = frozenset({"ForbiddenByRbac", "ForbiddenByPolicy"})
"""Inner codes of a 403 that speaks of the caller's rights, and not of a network or a key."""
_OPERATIONS: list[str | KeyOperation] = [KeyOperation.wrap_key, KeyOperation.unwrap_key]


class AbuseKeys:
    """Keys ``lethe-abuse-<day>`` of one vault; everything raises `KeysUnavailable`."""

    def __init__(self, vault_url: str, *, credential: AsyncTokenCredential) -> None:
        self._client = key_client(vault_url, credential=credential)
        self._options = options(vault_url)
        self._known: dict[str, SealingKey] = {}

    async def sealing_key(self, name: str) -> SealingKey:
        """Return the public half of a day's key, made when it is missing; it is asked for once per process."""
        if name not in self._known:
            self._known[name] = _sealing_key(await self._read(name) or await self._create(name))
        return self._known[name]

    @patient
    async def names(self) -> list[str]:
        """Return the names of all keys of this kind that are not deleted."""
        async with foreign_errors():
            listed = self._client.list_properties_of_keys(**self._options)
            return [found.name async for found in listed if found.name and day_of(found.name)]

    @patient
    async def recoverable(self) -> Mapping[str, float]:
        """Return the names of all that are deleted and could be recovered, and until when (seconds since the epoch)."""
        async with foreign_errors():
            listed = self._client.list_deleted_keys(**self._options)
            return {
                found.name: found.scheduled_purge_date.timestamp()
                async for found in listed
                if found.name and day_of(found.name) and found.scheduled_purge_date
            }

    @patient
    async def delete(self, name: str) -> None:
        """Take a key out of use; one that is gone is no error."""
        self._known.pop(name, None)
        try:
            async with foreign_errors(ResourceNotFoundError, within=DELETION_TIMEOUT):
                await self._client.delete_key(name, **self._options)
        except ResourceNotFoundError:
            return

    @patient
    async def is_gone(self, name: str) -> bool:
        """Whether the vault has a key no more, neither in use nor deleted, by reading back."""
        return await self._read(name) is None and await self._read_deleted(name) is None

    @patient
    async def recovery_days(self, name: str) -> int | None:
        """For how many days the vault keeps this key after its deletion; None when there is no such key."""
        found = await self._read(name)
        if found is None:
            return None
        if found.properties.recoverable_days is None:
            raise KeysUnavailable
        return found.properties.recoverable_days

    @patient
    async def may_unwrap(self, name: str) -> bool:
        """Whether this identity may unwrap with a key: asked with what no key wrapped, so that nothing is ever opened."""
        try:
            async with foreign_errors(HttpResponseError):
                asked = self._client.get_cryptography_client(name)
                await asked.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, bytes(KEY_BITS // 8), **self._options)
        except HttpResponseError as error:
            if error.status_code == _FORBIDDEN and _inner_code(error) in _BY_RIGHTS:
                return False
            if error.status_code == _BAD_REQUEST:
                return True
            raise KeysUnavailable from None
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @patient
    async def _create(self, name: str) -> KeyVaultKey:
        """Make a key, or a further version of one that somebody made meanwhile: each record names the version it needs."""
        async with foreign_errors():
            return await self._client.create_rsa_key(name, size=KEY_BITS, key_operations=_OPERATIONS, **self._options)

    @patient
    async def _read(self, name: str) -> KeyVaultKey | None:
        try:
            async with foreign_errors(ResourceNotFoundError):
                return await self._client.get_key(name, **self._options)
        except ResourceNotFoundError:
            return None

    async def _read_deleted(self, name: str) -> object | None:
        try:
            async with foreign_errors(ResourceNotFoundError):
                return await self._client.get_deleted_key(name, **self._options)
        except ResourceNotFoundError:
            return None


def _sealing_key(found: KeyVaultKey) -> SealingKey:
    material: Any = found.key
    version = KeyVaultKeyIdentifier(found.id).version
    try:
        public = rsa.RSAPublicNumbers(int.from_bytes(material.e), int.from_bytes(material.n)).public_key()
    except (TypeError, ValueError):
        raise KeysUnavailable from None
    if not version or public.key_size < KEY_BITS:
        raise KeysUnavailable
    return SealingKey(name=found.name, version=version, public=public)


def _inner_code(error: HttpResponseError) -> str | None:
    inner = getattr(error.error, "innererror", None)
    return str(inner["code"]) if isinstance(inner, dict) and "code" in inner else None
