"""A key in memory that signs evidence, for tests that are not about the vault: real signatures, no process of its own."""

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from shared.domain.evidence_head import Signature

_HALF = 32
_KID = "0" * 32


class MemorySigner:
    """One P-256 key."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    async def sign(self, digest: bytes) -> Signature:
        r, s = utils.decode_dss_signature(self._key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256()))))
        return Signature(kid=_KID, value=r.to_bytes(_HALF) + s.to_bytes(_HALF))

    async def public_key(self, kid: str) -> ec.EllipticCurvePublicKey | None:
        return self._key.public_key() if kid == _KID else None
