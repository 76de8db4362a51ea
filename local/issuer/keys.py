"""The signing keys of the issuer: one current RSA key, earlier ones still published until they are retired."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

KEY_BITS = 2048


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """An RSA key pair and the name by which tokens refer to it."""

    kid: str
    private: rsa.RSAPrivateKey

    @property
    def public_pem(self) -> bytes:
        """The public half as PEM."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def private_pem(self) -> str:
        """The private half as PEM, unencrypted: for the state folder only."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def public_jwk(self) -> dict[str, object]:
        """The public half as Entra ID publishes it."""
        numbers = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": numbers["n"], "e": numbers["e"]}


class KeyRing:
    """Keys in a file that only its owner may read; a change is one rename, so that a crash leaves the old or the new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = _load(path) if path.exists() else []
        if not self._keys:
            self.rotate()

    @property
    def current(self) -> SigningKey:
        """The key that signs: the newest."""
        return self._keys[-1]

    @property
    def kids(self) -> list[str]:
        """Names of all published keys, oldest first."""
        return [key.kid for key in self._keys]

    def named(self, kid: str) -> SigningKey | None:
        """Return a published key by its name."""
        return next((key for key in self._keys if key.kid == kid), None)

    def rotate(self) -> None:
        """Sign with a new key from now on; earlier keys stay published."""
        fresh = SigningKey(kid=secrets.token_urlsafe(16), private=rsa.generate_private_key(65537, KEY_BITS))
        self._keep([*self._keys, fresh])

    def retire(self) -> None:
        """Publish the current key only: tokens of all others become invalid."""
        self._keep([self.current])

    def jwks(self) -> dict[str, object]:
        """The JSON Web Key Set."""
        return {"keys": [key.public_jwk() for key in self._keys]}

    def _keep(self, keys: list[SigningKey]) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            json.dump([{"kid": key.kid, "pem": key.private_pem} for key in keys], file)
        fresh.replace(self._path)
        self._keys = keys


def _load(path: Path) -> list[SigningKey]:
    keys = []
    for entry in json.loads(path.read_text(encoding="ascii")):
        private = serialization.load_pem_private_key(entry["pem"].encode(), password=None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise TypeError("the issuer's key file holds a key that is not RSA")
        keys.append(SigningKey(kid=entry["kid"], private=private))
    return keys
