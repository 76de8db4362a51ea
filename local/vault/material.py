"""Private keys, what is published of them, and what can be done with them: ES256, and RSA-OAEP with SHA-256."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from local import clock
from local.vault import errors

_OPERATIONS = {"EC": ("sign", "verify"), "RSA": ("wrapKey", "unwrapKey")}
_RSA_BITS = (2048, 3072, 4096)
_KNOWN = {"kty", "crv", "key_size", "key_ops"}
_COORDINATE = 32
_SHA_256 = utils.Prehashed(hashes.SHA256())
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a key; ``created`` in whole seconds since the epoch."""

    id: str
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    operations: tuple[str, ...]
    created: int

    def public_jwk(self, kid: str) -> dict[str, object]:
        """The public half as Key Vault returns it."""
        operations = list(self.operations)
        if isinstance(self.private, rsa.RSAPrivateKey):
            modulus = self.private.public_key().public_numbers()
            n, e = encode(_bytes(modulus.n)), encode(_bytes(modulus.e))
            return {"kid": kid, "kty": "RSA", "key_ops": operations, "n": n, "e": e}
        point = self.private.public_key().public_numbers()
        x, y = (encode(value.to_bytes(_COORDINATE)) for value in (point.x, point.y))
        return {"kid": kid, "kty": "EC", "key_ops": operations, "crv": "P-256", "x": x, "y": y}

    @property
    def pem(self) -> str:
        """The private half as PEM, unencrypted: for the state folder only."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def operate(self, operation: str, body: Mapping[str, object]) -> bytes | bool:
        """Sign, verify or unwrap what a request's body says; raises ``VaultError``."""
        if operation not in self.operations:
            raise errors.operation_forbidden(operation)
        wanted = "ES256" if isinstance(self.private, ec.EllipticCurvePrivateKey) else "RSA-OAEP-256"
        if body.get("alg") != wanted:
            raise errors.bad_parameter(f"The algorithm of this key is {wanted}.")
        value = decode(body.get("digest" if operation == "verify" else "value"))
        try:
            if isinstance(self.private, ec.EllipticCurvePrivateKey):
                if operation == "verify":
                    return _is_signed(self.private.public_key(), value, decode(body.get("value")))
                return _signature(self.private, value)
            return self.private.decrypt(value, _OAEP)
        except ValueError:
            raise errors.bad_parameter("The value does not fit the key and the algorithm.") from None


def new(parameters: Mapping[str, object]) -> Version:
    """Make a key pair as a request or the seed file wants it; raises ``VaultError`` for what this part does not make."""
    kty, crv, size = parameters.get("kty"), parameters.get("crv", "P-256"), parameters.get("key_size", _RSA_BITS[0])
    possible = _OPERATIONS.get(str(kty), ())
    operations = parameters.get("key_ops") or list(possible)
    if not parameters.keys() <= _KNOWN or not possible:
        raise errors.bad_parameter("A key is of type EC or RSA, with crv or key_size, and key_ops; nothing else is known here.")
    if not isinstance(operations, list) or not set(operations) <= set(possible):
        raise errors.bad_parameter(f"The operations of such a key are {', '.join(possible)}.")
    if crv != "P-256" or not isinstance(size, int) or size not in _RSA_BITS:
        raise errors.bad_parameter("The curve is P-256, the size of an RSA key 2048, 3072 or 4096 bits.")
    private = ec.generate_private_key(ec.SECP256R1()) if kty == "EC" else rsa.generate_private_key(65537, size)
    return Version(id=token_hex(16), private=private, operations=tuple(operations), created=int(clock.now()))


def private_of(pem: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """Read a key that ``Version.pem`` wrote."""
    private = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("the vault's file holds a key that is neither EC nor RSA")
    return private


def encode(raw: bytes) -> str:
    """Base64url without padding, as everything binary in Key Vault's JSON."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: object) -> bytes:
    """The way back; raises ``VaultError``."""
    try:
        return base64.b64decode(f"{text}{'=' * (-len(str(text)) % 4)}", altchars=b"-_", validate=True)
    except ValueError:
        raise errors.bad_parameter("A value is base64url.") from None


def _signature(private: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    r, s = utils.decode_dss_signature(private.sign(digest, ec.ECDSA(_SHA_256)))
    return r.to_bytes(_COORDINATE) + s.to_bytes(_COORDINATE)


def _is_signed(public: ec.EllipticCurvePublicKey, digest: bytes, signature: bytes) -> bool:
    r, s = (int.from_bytes(half) for half in (signature[:_COORDINATE], signature[_COORDINATE:]))
    try:
        public.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(_SHA_256))
    except InvalidSignature:
        return False
    return len(signature) == 2 * _COORDINATE


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
