"""Sealing: a content is encrypted with a key of its own, and that key with a public key whose private half is elsewhere.

AES-256-GCM with a random key and nonce for each content; the key is wrapped with RSA-OAEP (SHA-256) and forgotten. What stands
beside the content (whose it is, and until when) is authenticated with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.abuse_record import Sealed
from shared.domain.json_document import canonical
from shared.errors import SealBroken

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""The nonce that NIST SP 800-38D recommends for GCM; with a key for each content it could even be constant."""
OAEP: Final = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
"""What Key Vault calls ``RSA-OAEP-256``."""


@dataclass(frozen=True, kw_only=True)
class SealingKey:
    """The public half of one version of a key in the vault."""

    name: str
    version: str
    public: rsa.RSAPublicKey = field(repr=False)


def seal(plaintext: bytes, *, key: SealingKey, authenticated: Mapping[str, str | int], sealed_until: int) -> Sealed:
    """Seal a content until a deadline (whole seconds since the epoch), which belongs to what is authenticated."""
    data_key, nonce = token_bytes(KEY_BYTES), token_bytes(NONCE_BYTES)
    return Sealed(
        key=key.name,
        version=key.version,
        wrapped_key=key.public.encrypt(data_key, OAEP),
        nonce=nonce,
        ciphertext=AESGCM(data_key).encrypt(nonce, plaintext, canonical(authenticated)),
        sealed_until=sealed_until,
    )


def unseal(sealed: Sealed, *, data_key: bytes, authenticated: Mapping[str, str | int]) -> bytes:
    """Return a sealed content; raises `SealBroken` when anything of it, or of what stands beside it, was changed."""
    try:
        return AESGCM(data_key).decrypt(sealed.nonce, sealed.ciphertext, canonical(authenticated))
    except (InvalidTag, ValueError):
        raise SealBroken from None
