"""What is signed of an evidence chain: its head, and the checkpoint that stands for records that were pruned.

A signature is ES256 over the SHA-256 of canonical JSON: purpose, chain, sequence number, hash, time. The purpose keeps a
head from being shown as a checkpoint. Whoever has the public key checks it without this code.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from shared.domain.evidence import Chain, Head, plain
from shared.domain.evidence_fields import is_number, is_token
from shared.domain.json_document import canonical

type PublicKey = ec.EllipticCurvePublicKey

_HALF: Final = 32
"""Bytes of each of the two numbers of a P-256 signature (RFC 7518, section 3.4)."""


class Purpose(StrEnum):
    """What a signature is for."""

    HEAD = "lethe-evidence-head/1"
    CHECKPOINT = "lethe-evidence-checkpoint/1"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A signature and the version of the key that made it; raises `ValueError` for anything else."""

    kid: str
    value: bytes

    def __post_init__(self) -> None:
        if not is_token(self.kid) or len(self.value) != 2 * _HALF:
            raise ValueError("A signature of evidence has a key version in hex and 64 bytes.")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A head: the chain ends here. A checkpoint: everything up to here was pruned. ``at`` in seconds since the epoch."""

    purpose: Purpose
    chain: Chain
    head: Head
    at: float

    def __post_init__(self) -> None:
        if not is_number(self.at):
            raise ValueError("A statement on a chain of evidence has a time.")

    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON of everything; this is what is signed."""
        content = {
            "purpose": self.purpose,
            "chain": self.chain,
            "sequence": self.head.sequence,
            "hash": self.head.hash,
            "at": plain(self.at),
        }
        return hashlib.sha256(canonical(content)).digest()


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A statement with its signature, which may be wrong: ask `is_by`."""

    statement: Statement
    signature: Signature

    def is_by(self, key: PublicKey) -> bool:
        """Whether the private half of a key made the signature."""
        r, s = (int.from_bytes(half) for half in (self.signature.value[:_HALF], self.signature.value[_HALF:]))
        try:
            key.verify(utils.encode_dss_signature(r, s), self.statement.digest(), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        except InvalidSignature:
            return False
        return True
