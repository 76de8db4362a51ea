"""What is sealed opens with its own key and nothing else, and only as it was sealed."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.domain.abuse_record import Sealed, authenticated
from shared.domain.sealing import KEY_BYTES, OAEP, SealingKey, seal, unseal
from shared.errors import SealBroken

PRIVATE = rsa.generate_private_key(65537, 2048)
KEY = SealingKey(name="lethe-abuse-2026-12-16", version="1" * 32, public=PRIVATE.public_key())
TEXT = "Was ist der Fährmann? canary-4711".encode()
MINE = authenticated("contoso", "a" * 40, 1_796_000_000)


def sealed(text: bytes = TEXT) -> Sealed:
    return seal(text, key=KEY, authenticated=MINE, sealed_until=1_796_000_000)


def changed(found: Sealed, name: str, value: bytes) -> Sealed:
    values: dict[str, Any] = {name: value}
    return replace(found, **values)


def opened(found: Sealed) -> bytes:
    return PRIVATE.decrypt(found.wrapped_key, OAEP)


def test_it_opens_with_the_unwrapped_key() -> None:
    found = sealed()
    assert unseal(found, data_key=opened(found), authenticated=MINE) == TEXT
    assert (found.key, found.version, found.sealed_until) == (KEY.name, KEY.version, 1_796_000_000)


def test_nothing_of_the_text_or_of_the_key_is_in_it_or_in_its_repr() -> None:
    found = sealed()
    whole = found.wrapped_key + found.nonce + found.ciphertext
    assert opened(found) not in whole
    assert all(TEXT[start : start + 6] not in whole for start in range(len(TEXT) - 6))
    assert "ciphertext" not in repr(found)
    assert "wrapped" not in repr(found)


def test_each_content_has_a_key_and_a_nonce_of_its_own() -> None:
    found = [sealed() for _ in range(20)]
    assert len({opened(each) for each in found}) == len({each.nonce for each in found}) == 20
    assert {len(opened(each)) for each in found} == {KEY_BYTES}


@pytest.mark.parametrize("name", ["nonce", "ciphertext"])
def test_one_bit_more_or_less_breaks_the_seal(name: str) -> None:
    found = sealed()
    value: bytes = getattr(found, name)
    for place in range(len(value)):
        flipped = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        with pytest.raises(SealBroken):
            unseal(changed(found, name, flipped), data_key=opened(found), authenticated=MINE)


@pytest.mark.parametrize(
    "other",
    [
        authenticated("fabrikam", "a" * 40, 1_796_000_000),
        authenticated("contoso", "b" * 40, 1_796_000_000),
        authenticated("contoso", "a" * 40, 1_796_000_001),
        {**MINE, "more": 1},
        {},
    ],
)
def test_it_is_of_one_tenant_one_job_and_one_deadline(other: dict[str, str | int]) -> None:
    found = sealed()
    with pytest.raises(SealBroken):
        unseal(found, data_key=opened(found), authenticated=other)


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 32, b"k" * 33])
def test_another_key_does_not_open_it(key: bytes) -> None:
    with pytest.raises(SealBroken):
        unseal(sealed(), data_key=key, authenticated=MINE)


@pytest.mark.parametrize("cut", ["nonce", "ciphertext"])
def test_what_was_cut_off_does_not_open(cut: str) -> None:
    found = sealed()
    for length in (0, 8):
        with pytest.raises(SealBroken):
            unseal(changed(found, cut, getattr(found, cut)[:length]), data_key=opened(found), authenticated=MINE)
