"""A key of evidence for tests of pure functions: the private half is at hand, as it is in no vault."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from shared.domain.evidence_head import Signature, Signed, Statement

KID = "0123456789abcdef" * 2


def sign(statement: Statement, key: ec.EllipticCurvePrivateKey) -> Signed:
    """Sign as the vault does."""
    r, s = utils.decode_dss_signature(key.sign(statement.digest(), ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
    return Signed(statement=statement, signature=Signature(kid=KID, value=r.to_bytes(32) + s.to_bytes(32)))
