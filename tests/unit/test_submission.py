import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from shared.domain.signing import new_secret
from shared.domain.submission import LONGEST_SIGNATURES, SIGNATURE, TIMESTAMP, TOLERANCE_SECONDS, verify
from shared.errors import Reason, RequestRefused

SECRET, OTHER = "whsec_" + base64.b64encode(b"s" * 32).decode(), "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = '{"tenant":"contoso","custom_id":"é"}'.encode()
NOW = 1_795_434_000
ANOTHER = NOW + 1

MISSING = (Reason.SIGNATURE_MISSING, SIGNATURE)
INVALID = (Reason.SIGNATURE_INVALID, SIGNATURE)
LATE = (Reason.SIGNATURE_LATE, TIMESTAMP)

QUICK = settings(max_examples=200, deadline=None, database=None)


def made(*, message_id: str = "msg_1", at: int = NOW, body: bytes = BODY, secret: str = SECRET) -> str:
    """A signature as the library makes it."""
    return Webhook(secret).sign(message_id, datetime.fromtimestamp(at, UTC), body.decode())


GOOD = made()
RAW = base64.b64decode(GOOD.removeprefix("v1,"))


def properties(**changes: object) -> dict[str, object]:
    """Those of a good message; a change that is None takes one away."""
    good: dict[str, object] = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": GOOD}
    changed = good | {f"webhook-{name}": value for name, value in changes.items()}
    return {name: value for name, value in changed.items() if value is not None}


def verdict(
    given: Mapping[str, object],
    *,
    body: bytes = BODY,
    secrets: Sequence[str] = (SECRET,),
    enqueued_at: float = NOW,
) -> tuple[Reason, str] | None:
    try:
        verify(body, given, signing_secrets=secrets, enqueued_at=enqueued_at)
    except RequestRefused as refused:
        return (refused.reason, refused.field)
    return None


ACCEPTED: dict[str, dict[str, object]] = {
    "as the library signs": {},
    "a timestamp that a client sent as an integer": {"timestamp": NOW},
    "a second signature": {"signature": f"{made(secret=OTHER)} {GOOD}"},
    "a signature of a version that is not known": {"signature": f"v1a,whatever v2 {GOOD}"},
    "malformed signatures beside a good one": {"signature": f"v1,= v1 , ,v1, {GOOD} \u00e9"},
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_a_good_signature_is_accepted(changes: dict[str, object]) -> None:
    assert verdict(properties(**changes)) is None


@pytest.mark.parametrize("message_id", ["m", "!", "~", "a" * 256, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "a/b:c@d"])
def test_an_id_is_visible_ascii_of_up_to_256_characters(message_id: str) -> None:
    assert verdict(properties(id=message_id, signature=made(message_id=message_id))) is None


@pytest.mark.parametrize("name", ["id", "timestamp", "signature"])
def test_a_message_that_lacks_a_property_has_no_signature(name: str) -> None:
    assert verdict(properties(**{name: None})) == MISSING
    assert verdict({}) == MISSING
    assert verdict({f"Webhook-{found}": "x" for found in ("Id", "Timestamp", "Signature")}) == MISSING


def test_a_message_without_signature_lacks_it_whatever_else_is_wrong() -> None:
    assert verdict({}, secrets=(), enqueued_at=0) == MISSING


REFUSED: dict[str, dict[str, Any]] = {
    "another secret": {"signature": made(secret=OTHER)},
    "another body": {"signature": made(body=BODY + b" ")},
    "another id": {"signature": made(message_id="msg_2")},
    "another time": {"signature": made(at=ANOTHER)},
    "the time is changed": {"timestamp": str(ANOTHER)},
    "the id is changed": {"id": "msg_2"},
    "the id in capitals": {"id": "MSG_1"},
    "an empty id": {"id": "", "signature": made(message_id="")},
    "an id that is too long": {"id": "a" * 257, "signature": made(message_id="a" * 257)},
    "an id with a dot": {"id": "a.b", "signature": made(message_id="a.b")},
    "an id with a space": {"id": "a b", "signature": made(message_id="a b")},
    "an id with a line": {"id": "msg_1\n", "signature": made(message_id="msg_1\n")},
    "an id with an accent": {"id": "\u00e9", "signature": made(message_id="\u00e9")},
    "an id that is a number": {"id": 1.5, "signature": made(message_id="1.5")},
    "an id that is true": {"id": True, "signature": made(message_id="True")},
    "a timestamp with a fraction": {"timestamp": f"{NOW}.0"},
    "a timestamp that is a fraction": {"timestamp": float(NOW)},
    "a timestamp with a sign": {"timestamp": f"+{NOW}"},
    "a negative timestamp": {"timestamp": -NOW, "signature": made(at=-1)},
    "a timestamp with a space": {"timestamp": f" {NOW}"},
    "a timestamp with a line": {"timestamp": f"{NOW}\n"},
    "a timestamp with leading zeros": {"timestamp": f"0{NOW}"},
    "a timestamp with underscores": {"timestamp": f"{NOW:_}"},
    "a timestamp in other digits": {"timestamp": "".join(chr(0x0660 + int(digit)) for digit in str(NOW))},
    "a timestamp in milliseconds": {"timestamp": f"{NOW}000"},
    "a timestamp of many digits": {"timestamp": "9" * 4000},
    "an enormous timestamp": {"timestamp": 10**4000},
    "a timestamp of no time": {"timestamp": "0", "signature": made(at=0)},
    "a timestamp that is a date": {"timestamp": datetime.fromtimestamp(NOW, UTC).isoformat()},
    "a timestamp that is true": {"timestamp": True, "signature": made(at=1)},
    "an empty timestamp": {"timestamp": ""},
    "infinity": {"timestamp": "inf"},
    "no number": {"timestamp": "nan"},
    "an empty signature": {"signature": ""},
    "the version alone": {"signature": "v1,"},
    "no version": {"signature": GOOD.removeprefix("v1,")},
    "another version": {"signature": GOOD.replace("v1,", "v2,")},
    "the version in capitals": {"signature": GOOD.replace("v1,", "V1,")},
    "the version twice": {"signature": f"v1,{GOOD}"},
    "the asymmetric version": {"signature": GOOD.replace("v1,", "v1a,")},
    "a colon after the version": {"signature": GOOD.replace("v1,", "v1:")},
    "spaces inside": {"signature": GOOD.replace(",", ", ")},
    "a tab between signatures": {"signature": f"v1,x\t{GOOD}"},
    "a comma between signatures": {"signature": f"{GOOD},{GOOD}"},
    "a line after it": {"signature": f"{GOOD}\n"},
    "no padding": {"signature": GOOD.rstrip("=")},
    "too much padding": {"signature": f"{GOOD}="},
    "Base64 of URLs": {"signature": "v1," + base64.urlsafe_b64encode(b"\xff" * 32).decode()},
    "hexadecimal": {"signature": f"v1,{RAW.hex()}"},
    "no Base64": {"signature": "v1,!!!!"},
    "half of it": {"signature": GOOD[: len(GOOD) // 2]},
    "all but its last byte": {"signature": "v1," + base64.b64encode(RAW[:-1]).decode()},
    "a byte too much": {"signature": "v1," + base64.b64encode(RAW + b"\0").decode()},
    "the empty signature of a broken library": {"signature": "v1," + base64.b64encode(b"").decode()},
    "zeros": {"signature": "v1," + base64.b64encode(bytes(32)).decode()},
    "an accent": {"signature": f"v1,\u00e9{GOOD}"},
    "half a surrogate pair": {"signature": "v1,\ud800"},
    "more signatures than anybody needs": {"signature": " ".join(["v1,x"] * LONGEST_SIGNATURES + [GOOD])},
    "bytes": {"signature": GOOD.encode()},
    "a list": {"signature": [GOOD]},
    "an object": {"signature": {"v1": GOOD}},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_a_signature_that_is_not_exactly_right_is_invalid(changes: dict[str, Any]) -> None:
    assert verdict(properties(**changes)) == INVALID


def test_base64_that_decodes_to_the_same_bytes_is_another_signature() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = GOOD[-2]
    twin = f"{GOOD[:-2]}{alphabet[alphabet.index(last) ^ 1]}="
    assert base64.b64decode(twin.removeprefix("v1,")) == RAW
    assert verdict(properties(signature=twin)) == INVALID


@pytest.mark.parametrize(
    "body", [b"", BODY + b"\n", BODY.replace(b"contoso", b"fabrikam"), BODY[:-1], b"\xef\xbb\xbf" + BODY, b"\xff\xfe" + BODY]
)
def test_a_signature_is_of_one_body_byte_for_byte(body: bytes) -> None:
    assert verdict(properties(), body=body) == INVALID


def test_a_body_that_is_no_text_is_not_signed() -> None:
    assert verdict(properties(), body=b"\xff") == INVALID


def test_the_parts_of_what_is_signed_cannot_be_moved() -> None:
    body = f"{NOW}.{BODY.decode()}".encode()
    assert made(message_id=f"msg_1.{NOW}") == made(body=body)
    assert verdict(properties(id=f"msg_1.{NOW}", signature=made(body=body))) == INVALID


def test_a_tenant_without_secrets_has_no_valid_signature() -> None:
    assert verdict(properties(), secrets=()) == INVALID


def test_each_secret_that_counts_verifies_and_no_other() -> None:
    retired = new_secret()
    for secret in (SECRET, OTHER):
        assert verdict(properties(signature=made(secret=secret)), secrets=(OTHER, SECRET)) is None
    assert verdict(properties(signature=made(secret=retired)), secrets=(OTHER, SECRET)) == INVALID


@pytest.mark.parametrize("seconds", [0, 1, -1, TOLERANCE_SECONDS, -TOLERANCE_SECONDS, TOLERANCE_SECONDS - 0.001])
def test_a_message_may_be_enqueued_five_minutes_from_its_signing(seconds: float) -> None:
    assert verdict(properties(), enqueued_at=NOW + seconds) is None


@pytest.mark.parametrize("seconds", [TOLERANCE_SECONDS + 0.001, -TOLERANCE_SECONDS - 0.001, 86_400, -86_400, float("inf")])
def test_beyond_them_it_is_late_and_before_them_too(seconds: float) -> None:
    assert verdict(properties(), enqueued_at=NOW + seconds) == LATE


def test_only_a_good_signature_is_late() -> None:
    assert verdict(properties(signature=made(secret=OTHER)), enqueued_at=NOW + 86_400) == INVALID


def test_what_a_message_says_of_its_age_does_not_matter() -> None:
    claims = {"lethe-admitted-at": float(NOW), "webhook-enqueued-at": NOW, "x-opt-enqueued-time": NOW * 1000}
    assert verdict(properties() | claims, enqueued_at=NOW + 86_400) == LATE


@QUICK
@given(part=st.sampled_from(["body", "id", "timestamp", "signature"]), at=st.integers(min_value=0), byte=st.integers(1, 255))
def test_any_other_byte_anywhere_makes_a_signature_invalid(part: str, at: int, byte: int) -> None:
    original = BODY if part == "body" else str(properties()[f"webhook-{part}"]).encode()
    at %= len(original)
    changed = original[:at] + bytes([original[at] ^ byte]) + original[at + 1 :]
    if part == "body":
        assert verdict(properties(), body=changed) == INVALID
    else:
        assert verdict(properties(**{part: changed.decode("latin-1")})) == INVALID


@QUICK
@given(
    given=st.fixed_dictionaries(
        {},
        optional={
            f"webhook-{name}": st.text(max_size=80) | st.integers() | st.floats() | st.booleans() | st.none() | st.binary()
            for name in ("id", "timestamp", "signature")
        },
    ),
    body=st.binary(max_size=40),
)
def test_whatever_is_sent_is_refused_for_one_of_the_reasons(given: dict[str, object], body: bytes) -> None:
    assert verdict(given, body=body) in {MISSING, INVALID}


@QUICK
@given(
    body=st.text(st.characters(exclude_categories=["Cs"])),
    message_id=st.from_regex(r"[!-\-/-~]{1,40}", fullmatch=True),
    at=st.integers(1, 99_999_999_999),
)
def test_whatever_the_library_signs_is_accepted_at_its_time(body: str, message_id: str, at: int) -> None:
    signed = made(message_id=message_id, at=at, body=body.encode())
    given = {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signed}
    assert verdict(given, body=body.encode(), enqueued_at=at) is None
