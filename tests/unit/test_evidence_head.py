import hashlib
import math
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.domain.evidence import Chain, Head
from shared.domain.evidence_head import Purpose, Signature, Signed, Statement
from tests.unit.evidence_keys import KID, sign

KEY = ec.generate_private_key(ec.SECP256R1())
HASH = "ab" * 32
STATEMENT = Statement(purpose=Purpose.HEAD, chain=Chain.RETENTION, head=Head(sequence=7, hash=HASH), at=1_700_000_000.25)


def test_what_is_signed_is_the_same_for_ever() -> None:
    """Whoever verifies without this code computes it from the document."""
    canonical = f'{{"at":1700000000.25,"chain":"retention","hash":"{HASH}","purpose":"lethe-evidence-head/1","sequence":7}}'
    assert STATEMENT.digest() == hashlib.sha256(canonical.encode()).digest()


def test_a_time_that_the_store_gives_back_as_a_whole_number_is_the_same() -> None:
    assert replace(STATEMENT, at=5.0).digest() == replace(STATEMENT, at=5).digest()


def test_a_signature_is_by_the_key_that_made_it_and_by_no_other() -> None:
    signed = sign(STATEMENT, KEY)
    assert signed.is_by(KEY.public_key())
    assert not signed.is_by(ec.generate_private_key(ec.SECP256R1()).public_key())


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": Purpose.CHECKPOINT},
        {"chain": Chain.POLICIES},
        {"head": Head(sequence=8, hash=HASH)},
        {"head": Head(sequence=7, hash="ba" * 32)},
        {"at": 1.0},
    ],
    ids=str,
)
def test_a_signature_is_for_nothing_else(change: dict[str, Any]) -> None:
    signed = sign(STATEMENT, KEY)
    assert not replace(signed, statement=replace(STATEMENT, **change)).is_by(KEY.public_key())


@pytest.mark.parametrize("value", [b"\0" * 64, b"\xff" * 64, b"\1" * 64])
def test_a_signature_of_nonsense_is_by_no_key(value: bytes) -> None:
    assert not Signed(statement=STATEMENT, signature=Signature(kid=KID, value=value)).is_by(KEY.public_key())


@pytest.mark.parametrize(("kid", "value"), [("", b"s" * 64), ("../other", b"s" * 64), (KID, b"s" * 63), (KID, b"s" * 65)])
def test_a_signature_has_a_version_and_64_bytes(kid: str, value: bytes) -> None:
    with pytest.raises(ValueError, match="signature"):
        Signature(kid=kid, value=value)


@pytest.mark.parametrize("at", [math.nan, math.inf, True, "now", None])
def test_a_statement_has_a_time(at: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match="time"):
        replace(STATEMENT, at=at)
