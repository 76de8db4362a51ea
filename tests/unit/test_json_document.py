import pytest

from shared.domain.json_document import MAX_DEPTH, canonical, parse_object
from shared.errors import Reason, RequestRefused

LIMIT = 100_000


def nested(depth: int) -> bytes:
    """An object whose innermost array is the ``depth``-th level."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \t\r\n", Reason.EMPTY),
        (b"hello", Reason.INVALID_JSON),
        (b'{"a": 1', Reason.INVALID_JSON),
        (b'{"a": 1} {"a": 1}', Reason.INVALID_JSON),
        (b"{'a': 1}", Reason.INVALID_JSON),
        (b'{"a": 1,}', Reason.INVALID_JSON),
        (b'{"a": "\n"}', Reason.INVALID_JSON),  # a raw control character
        (b'{"a": 1' + b"0" * 5000 + b"}", Reason.INVALID_JSON),  # more digits than Python converts
        (b'{"a": "\xff"}', Reason.INVALID_ENCODING),
        (b'{"a": "\xed\xa0\xbd"}', Reason.INVALID_ENCODING),  # half a surrogate pair as raw bytes
        ('{"a": 1}'.encode("utf-16"), Reason.INVALID_ENCODING),
        (b'\xef\xbb\xbf{"a": 1}', Reason.INVALID_JSON),  # a byte order mark
        (b'{"a": 1, "a": 1}', Reason.DUPLICATE_KEY),
        (b'{"a": 1, "\\u0061": 1}', Reason.DUPLICATE_KEY),  # the same key in another spelling
        (b'{"a": [{"b": {"c": 1, "c": 2}}]}', Reason.DUPLICATE_KEY),
        (b'{"a": NaN}', Reason.INVALID_JSON),
        (b'{"a": Infinity}', Reason.INVALID_JSON),
        (b'{"a": -Infinity}', Reason.INVALID_JSON),
        (b'{"a": 1e999}', Reason.INVALID_JSON),
        (b'{"a": [-1e999]}', Reason.INVALID_JSON),
        (b'{"a": "\\ud83d"}', Reason.INVALID_ENCODING),
        (b'{"a": ["\\ude00\\ud83d"]}', Reason.INVALID_ENCODING),  # a pair in the wrong order
        (b'{"\\ud83d": 1}', Reason.INVALID_ENCODING),  # in a key
        (b"[]", Reason.INVALID_TYPE),
        (b'"text"', Reason.INVALID_TYPE),
        (b"17", Reason.INVALID_TYPE),
        (b"null", Reason.INVALID_TYPE),
        (b"[" * 20_000 + b"]" * 20_000, Reason.TOO_DEEP),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, Reason.TOO_DEEP),
        (nested(MAX_DEPTH + 1), Reason.TOO_DEEP),
    ],
)
def test_what_is_no_strict_json_object_is_refused_with_its_reason(data: bytes, reason: Reason) -> None:
    with pytest.raises(RequestRefused) as refusal:
        parse_object(data, max_bytes=LIMIT * 10)
    assert (refusal.value.reason, refusal.value.field) == (reason, "message")


def test_an_object_of_the_deepest_allowed_nesting_is_read() -> None:
    assert list(parse_object(nested(MAX_DEPTH), max_bytes=LIMIT)) == ["a"]


def test_the_size_limit_counts_bytes_and_takes_its_border() -> None:
    data = '{"a": "é"}'.encode()
    assert parse_object(data, max_bytes=len(data)) == {"a": "é"}
    with pytest.raises(RequestRefused) as refusal:
        parse_object(data, max_bytes=len(data) - 1)
    assert refusal.value.reason is Reason.REQUEST_TOO_LARGE


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert parse_object(b'{"a": "\\ud83d\\ude00"}', max_bytes=LIMIT) == {"a": "\N{GRINNING FACE}"}


def test_the_same_key_in_different_objects_is_no_duplicate() -> None:
    assert parse_object(b'{"a": {"a": [{"a": 1}, {"a": 2}]}}', max_bytes=LIMIT) == {"a": {"a": [{"a": 1}, {"a": 2}]}}


@pytest.mark.parametrize("spelling", [b'{"b":[1,"\\u00e9"],"a":null}', ' { "a" : null, "b": [1, "é"] }\n'.encode()])
def test_every_spelling_of_a_document_has_one_canonical_form(spelling: bytes) -> None:
    assert canonical(parse_object(spelling, max_bytes=LIMIT)) == b'{"a":null,"b":[1,"\\u00e9"]}'


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, "1"), (None, "null"), ([], {}), ("é", "e\u0301"), (0, False)])
def test_different_values_have_different_canonical_forms(one: object, other: object) -> None:
    assert canonical(one) != canonical(other)


def test_no_infinity_has_a_canonical_form() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("inf"))
