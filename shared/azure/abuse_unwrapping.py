"""Unwrapping the keys of sealed records: the private halves stay in the vault; only the review app may ask for it."""

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.keyvault.keys.crypto import KeyWrapAlgorithm

from shared.azure.vault import foreign_errors, key_client, options
from shared.domain.abuse_record import Sealed
from shared.errors import Gone
from shared.patience import patient


class Unwrapper:
    """Asks one vault, for one record at a time."""

    def __init__(self, vault_url: str, *, credential: AsyncTokenCredential) -> None:
        self._client = key_client(vault_url, credential=credential)
        self._options = options(vault_url)

    @patient
    async def unwrap(self, sealed: Sealed) -> bytes:
        """Return a record's data key; raises `Gone` when the day's key is deleted, and `KeysUnavailable`."""
        try:
            async with foreign_errors(ResourceNotFoundError):
                key = self._client.get_cryptography_client(sealed.key, key_version=sealed.version)
                opened = await key.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, sealed.wrapped_key, **self._options)
                return opened.key
        except ResourceNotFoundError:
            raise Gone from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
