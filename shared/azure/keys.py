"""The key store: secrets of MAC keys, one per tenant and purpose.

In Azure they are Key Vault secrets named ``lethe-<tenant>-<purpose>``, the key id is the secret's version; on the embedded
stack they are a JSON file of mode 600. Both answer the same questions.
"""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.keyvault.secrets.aio import SecretClient

from shared.azure.locked_json import LockedJson
from shared.clock import Clock
from shared.domain.macs import Key, Purpose
from shared.errors import InvalidSettings, KeysUnavailable
from shared.patience import patient

CACHE_SECONDS = 3600.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
SHORTEST_SECRET = 32
"""Bytes: a key shorter than SHA-256's output weakens HMAC (RFC 2104, section 3)."""


class KeyStore(Protocol):
    """What the use cases need of a key store."""

    async def current(self, tenant: str, purpose: Purpose) -> Key:
        """Return the key that makes new MACs; raises `KeysUnavailable`."""

    async def by_id(self, tenant: str, purpose: Purpose, kid: str) -> Key | None:
        """Return the key that made an older MAC, None when it is no more."""

    async def all(self, tenant: str, purpose: Purpose) -> tuple[Key, ...]:
        """Return every key that can still make a MAC, the newest first; raises `KeysUnavailable` also when there is none.

        By these everything is found that was stored under one identifier, before and after a rotation.
        """

    async def create_missing(self, tenant: str) -> None:
        """Give a tenant a key for each purpose that has none; keys that exist stay."""

    async def delete(self, tenant: str) -> None:
        """Delete all keys of a tenant; keys that are gone are no error."""

    async def close(self) -> None:
        """Close connections."""


def open_store(url: str, *, credential: AsyncTokenCredential, clock: Clock) -> KeyStore:
    """Open the key store of a ``file:`` or ``https:`` URL; raises `InvalidSettings`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FileKeys(Path(url2pathname(parts.path)))
    if parts.scheme == "https":
        return VaultKeys(SecretClient(url, credential), clock=clock)
    raise InvalidSettings("LETHE_KEY_STORE", "must be a file: or https: URL")


class FileKeys:
    """Keys in a JSON file: ``{tenant: {purpose: [{"kid", "secret" (base64)}, …]}}``, the last of a list is the current one."""

    def __init__(self, path: Path) -> None:
        self._file = LockedJson(path)

    async def current(self, tenant: str, purpose: Purpose) -> Key:
        """Return the last key of the list."""
        keys = self._keys(tenant, purpose)
        if not keys:
            raise KeysUnavailable
        return keys[-1]

    async def by_id(self, tenant: str, purpose: Purpose, kid: str) -> Key | None:
        """Look a key up by its id."""
        return next((key for key in self._keys(tenant, purpose) if key.kid == kid), None)

    async def all(self, tenant: str, purpose: Purpose) -> tuple[Key, ...]:
        """Return the list from its end."""
        keys = self._keys(tenant, purpose)
        if not keys:
            raise KeysUnavailable
        return tuple(reversed(keys))

    async def create_missing(self, tenant: str) -> None:
        """Append what is missing to the file."""
        with _unavailable(), self._file.change() as keys:
            of_tenant = keys.setdefault(tenant, {})
            for purpose in Purpose:
                of_tenant.setdefault(purpose, [{"kid": token_hex(8), "secret": _new_secret()}])

    async def delete(self, tenant: str) -> None:
        """Take the tenant out of the file."""
        with _unavailable(), self._file.change() as keys:
            keys.pop(tenant, None)

    async def close(self) -> None:
        """Nothing is open between two reads."""

    def _keys(self, tenant: str, purpose: Purpose) -> list[Key]:
        with _unavailable():
            entries = self._file.read(missing_ok=False).get(tenant, {}).get(purpose, [])
            return [Key(kid=entry["kid"], secret=_secret(entry["secret"])) for entry in entries]


class VaultKeys:
    """Keys in Azure Key Vault, cached for an hour; a rotation is seen within that time."""

    def __init__(self, client: SecretClient, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._cache: dict[tuple[str, Purpose, str | None], tuple[float, Key | None]] = {}

    @patient
    async def current(self, tenant: str, purpose: Purpose) -> Key:
        """Return the newest version of the secret."""
        key = await self._cached(tenant, purpose, None)
        if key is None:
            raise KeysUnavailable
        return key

    async def by_id(self, tenant: str, purpose: Purpose, kid: str) -> Key | None:
        """Return one version of the secret."""
        return await self._cached(tenant, purpose, kid)

    async def all(self, tenant: str, purpose: Purpose) -> tuple[Key, ...]:
        """Return the enabled versions of the secret; a disabled one gives its value to nobody.

        Which versions there are is asked each time: it is rarely wanted, and one that is missing would find too little.
        """
        found = [await self._cached(tenant, purpose, kid) for kid in await self._versions(tenant, purpose)]
        keys = tuple(key for key in found if key is not None)
        if not keys:
            raise KeysUnavailable
        return keys

    async def create_missing(self, tenant: str) -> None:
        """Set a secret for each purpose that has none.

        A name that a deleted secret still holds (soft delete) is refused by the vault until it is purged: `KeysUnavailable`.
        """
        for purpose in Purpose:
            if await self._read(tenant, purpose, None) is None:
                await self._set(tenant, purpose)

    async def delete(self, tenant: str) -> None:
        """Delete the secrets; the vault keeps them recoverable for its soft-delete days."""
        for purpose in Purpose:
            await self._delete(tenant, purpose)
        for name in [name for name in self._cache if name[0] == tenant]:
            del self._cache[name]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @patient
    async def _versions(self, tenant: str, purpose: Purpose) -> list[str]:
        try:
            listed = self._client.list_properties_of_secret_versions(_name(tenant, purpose))
            versions = [version async for version in listed if version.enabled]
        except ResourceNotFoundError:
            return []
        except (AzureError, OSError):
            raise KeysUnavailable from None
        versions.sort(key=lambda version: version.created_on or _LONG_AGO, reverse=True)
        return [version.version for version in versions if version.version]

    @patient
    async def _set(self, tenant: str, purpose: Purpose) -> None:
        try:
            await self._client.set_secret(_name(tenant, purpose), _new_secret())
        except (AzureError, OSError):
            raise KeysUnavailable from None

    @patient
    async def _delete(self, tenant: str, purpose: Purpose) -> None:
        try:
            await self._client.delete_secret(_name(tenant, purpose))
        except ResourceNotFoundError:
            return
        except (AzureError, OSError):
            raise KeysUnavailable from None

    async def _cached(self, tenant: str, purpose: Purpose, kid: str | None) -> Key | None:
        cached = self._cache.get((tenant, purpose, kid))
        if cached and 0 <= self._clock() - cached[0] < CACHE_SECONDS:
            return cached[1]
        key = await self._read(tenant, purpose, kid)
        if key is not None or kid is not None:  # a version that is gone stays gone; a new tenant's key may come any moment
            self._cache[tenant, purpose, kid] = (self._clock(), key)
        return key

    @patient
    async def _read(self, tenant: str, purpose: Purpose, kid: str | None) -> Key | None:
        try:
            secret = await self._client.get_secret(_name(tenant, purpose), kid)
            return Key(kid=secret.properties.version or "", secret=_secret(secret.value or ""))
        except ResourceNotFoundError:
            return None
        except (AzureError, ValueError, OSError):
            raise KeysUnavailable from None


def _name(tenant: str, purpose: Purpose) -> str:
    return f"lethe-{tenant}-{purpose}"


def _new_secret() -> str:
    return base64.b64encode(token_bytes(SHORTEST_SECRET)).decode("ascii")


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise KeysUnavailable from None


def _secret(encoded: str) -> bytes:
    try:
        secret = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise KeysUnavailable from None
    if len(secret) < SHORTEST_SECRET:
        raise KeysUnavailable
    return secret
