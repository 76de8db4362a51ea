"""Secrets that the app makes and writes itself: the signing secrets of webhooks, next to the MAC keys in the same key store.

In Azure they are Key Vault secrets, the id of a secret is its version; the app's identity needs to set, get and delete them.
On the embedded stack they lie in a file of their own beside the keys, because the stack writes that one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from secrets import token_hex
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.keyvault.secrets.aio import SecretClient

from shared.azure.locked_json import LockedJson
from shared.errors import InvalidSettings, KeysUnavailable
from shared.patience import patient

KEPT_VERSIONS = 5
"""The current secret, the one that it replaced, and what rotations left that failed half-way; older ones sign nothing."""
CACHED_SECRETS = 1000


class SecretStore(Protocol):
    """What the use cases need: every version of a secret has an id and never changes. All raise `KeysUnavailable`."""

    def put(self, name: str, secret: str) -> Awaitable[str]:
        """Store a new version and return its id."""

    def get(self, name: str, kid: str) -> Awaitable[str | None]:
        """Return one version, None when it is no more."""

    def retire(self, name: str, kid: str) -> Awaitable[None]:
        """Take one version out of use for good; one that is gone is no error."""

    def delete(self, name: str) -> Awaitable[None]:
        """Delete all versions; a secret that is gone is no error."""

    def names(self, prefix: str) -> Awaitable[list[str]]:
        """Return the names of the secrets that begin so; for those who run the service, because the app may not list."""

    def close(self) -> Awaitable[None]:
        """Close connections."""


def open_secrets(url: str, *, credential: AsyncTokenCredential) -> SecretStore:
    """Open the secrets of the key store's ``file:`` or ``https:`` URL; raises `InvalidSettings`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        keys = Path(url2pathname(parts.path))
        return FileSecrets(keys.with_name(f"{keys.stem}-webhooks.json"))
    if parts.scheme == "https":
        return VaultSecrets(SecretClient(url, credential))
    raise InvalidSettings("LETHE_KEY_STORE", "must be a file: or https: URL")


class FileSecrets:
    """Secrets in a JSON file of mode 600: ``{name: [{"kid", "secret"}, …]}``, replaced whole, under a lock of all processes."""

    def __init__(self, path: Path) -> None:
        self._file = LockedJson(path)

    async def put(self, name: str, secret: str) -> str:
        """Append a version and forget the oldest."""
        kid = token_hex(8)

        def append() -> None:
            with self._file.change() as secrets:
                secrets[name] = [*secrets.get(name, []), {"kid": kid, "secret": secret}][-KEPT_VERSIONS:]

        await _in_thread(append)
        return kid

    async def get(self, name: str, kid: str) -> str | None:
        """Look a version up; readers need no lock, because the file is replaced in one step."""
        versions = (await _in_thread(self._file.read)).get(name, [])
        return next((version["secret"] for version in versions if version["kid"] == kid), None)

    async def retire(self, name: str, kid: str) -> None:
        """Take one version out of the file."""

        def remove() -> None:
            with self._file.change() as secrets:
                if name in secrets:
                    secrets[name] = [version for version in secrets[name] if version["kid"] != kid]

        await _in_thread(remove)

    async def delete(self, name: str) -> None:
        """Take all versions out of the file."""

        def remove() -> None:
            with self._file.change() as secrets:
                secrets.pop(name, None)

        await _in_thread(remove)

    async def names(self, prefix: str) -> list[str]:
        """Look through the file."""
        return [name for name in await _in_thread(self._file.read) if name.startswith(prefix)]

    async def close(self) -> None:
        """Nothing is open between two calls."""


class VaultSecrets:
    """Secrets in Azure Key Vault. A version never changes, so it is read once per process."""

    def __init__(self, client: SecretClient) -> None:
        self._client = client
        self._cache: dict[tuple[str, str], str] = {}

    @patient
    async def put(self, name: str, secret: str) -> str:
        """Set the secret; a repeated call leaves a version that nothing refers to."""
        try:
            stored = await self._client.set_secret(name, secret)
        except (AzureError, OSError):
            raise KeysUnavailable from None
        if not stored.properties.version:
            raise KeysUnavailable
        return stored.properties.version

    async def get(self, name: str, kid: str) -> str | None:
        """Return one version."""
        secret = self._cache.get((name, kid)) or await self._read(name, kid)
        if secret is not None:
            if len(self._cache) >= CACHED_SECRETS:
                self._cache.clear()
            self._cache[name, kid] = secret
        return secret

    @patient
    async def retire(self, name: str, kid: str) -> None:
        """Disable one version, because a vault deletes whole secrets only: nobody reads a disabled one."""
        self._cache.pop((name, kid), None)
        try:
            await self._client.update_secret_properties(name, kid, enabled=False)
        except ResourceNotFoundError:
            return
        except (AzureError, OSError):
            raise KeysUnavailable from None

    @patient
    async def delete(self, name: str) -> None:
        """Delete the secret; the vault keeps it recoverable for its soft-delete days."""
        for key in [key for key in self._cache if key[0] == name]:
            del self._cache[key]
        try:
            await self._client.delete_secret(name)
        except ResourceNotFoundError:
            return
        except (AzureError, OSError):
            raise KeysUnavailable from None

    @patient
    async def names(self, prefix: str) -> list[str]:
        """Look through the names of the whole vault, which it hands out in pages; deleted ones are not among them."""
        try:
            found = [properties.name async for properties in self._client.list_properties_of_secrets()]
        except (AzureError, OSError):
            raise KeysUnavailable from None
        return [name for name in found if name is not None and name.startswith(prefix)]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @patient
    async def _read(self, name: str, kid: str) -> str | None:
        try:
            return (await self._client.get_secret(name, kid)).value
        except ResourceNotFoundError:
            return None
        except (AzureError, OSError):
            raise KeysUnavailable from None


async def _in_thread[T](work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise KeysUnavailable from None
