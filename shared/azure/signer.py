"""Signatures by one key of Azure Key Vault: the private half stays there, the app may only have things signed with it."""

from typing import Any, Protocol
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.keyvault.keys import KeyVaultKeyIdentifier
from azure.keyvault.keys.crypto import SignatureAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from shared.azure.vault import foreign_errors, key_client, options
from shared.domain.evidence_head import PublicKey, Signature
from shared.patience import patient


class Signer(Protocol):
    """What the evidence needs of its key. Both raise `KeysUnavailable`."""

    async def sign(self, digest: bytes) -> Signature:
        """Sign a SHA-256 digest with the newest version of the key."""

    async def public_key(self, kid: str) -> PublicKey | None:
        """Return the public half of a version, None when the key has no such version."""


class VaultSigner:
    """The key at a URL ``https://<vault>/keys/<name>``: P-256, of which the app's identity needs ``get`` and ``sign``."""

    def __init__(self, key_url: str, *, credential: AsyncTokenCredential) -> None:
        parts = urlsplit(key_url)
        self._name = parts.path.removeprefix("/keys/")
        vault = f"{parts.scheme}://{parts.netloc}"
        self._options = options(vault)
        self._client = key_client(vault, credential=credential)
        self._public: dict[str, PublicKey] = {}

    @patient
    async def sign(self, digest: bytes) -> Signature:
        """Have a digest signed, ES256; the client asks for the newest version each time, so that a rotation is seen at once."""
        async with foreign_errors():
            key = self._client.get_cryptography_client(self._name)
            signed = await key.sign(SignatureAlgorithm.es256, digest, **self._options)
            # When it cannot ask, the client has a version sign that it does not know: no signature without its key.
            kid = KeyVaultKeyIdentifier(signed.key_id or "").version or ""
            return Signature(kid=kid, value=signed.signature)

    async def public_key(self, kid: str) -> PublicKey | None:
        """Return a public key; a version never changes, so each is read once per process."""
        if kid not in self._public:
            found = await self._read(kid)
            if found is None:
                return None
            self._public[kid] = found
        return self._public[kid]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @patient
    async def _read(self, kid: str) -> PublicKey | None:
        try:
            async with foreign_errors(ResourceNotFoundError):
                found: Any = (await self._client.get_key(self._name, kid, **self._options)).key
                x, y = (int.from_bytes(coordinate) for coordinate in (found.x, found.y))
                return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        except ResourceNotFoundError:
            return None
