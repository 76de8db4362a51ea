"""What a record of evidence may hold: codes, ids, hashes and numbers, never free text."""

import re
from collections.abc import Mapping
from typing import Final

FIRST: Final = 1
"""Sequence number of a chain's first record, so that the last one's is how many there are."""

LONGEST_TEXT, LONGEST_LIST, MOST_FIELDS = 128, 100, 200
"""The timer says of each of its steps what it checked, found and deleted: about ninety numbers a run."""
_LARGEST_NUMBER: Final = 2**53 - 1
"""Cosmos DB keeps numbers as doubles: larger integers would come back changed, and with another hash."""
_TEXT: Final = re.compile(rf"[A-Za-z0-9._:/$\[\]-]{{1,{LONGEST_TEXT}}}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_TOKEN: Final = re.compile(r"[0-9a-f]{32}")

type Scalar = bool | int | float | str
type Fields = Mapping[str, Scalar | tuple[Scalar, ...]]
"""Enums, numbers, truth values, MACs, hashes, ids and names of settings, and short lists of them."""


def check_fields(fields: Fields) -> None:
    """Refuse free text, and whatever else is no evidence, by a `ValueError` that quotes nothing of it.

    The form keeps sentences out, not single words: that a word is no content is the duty of whoever chooses the fields.
    """
    if len(fields) > MOST_FIELDS or not all(_matches(_NAME, name) for name in fields):
        raise ValueError("The fields of a record of evidence are few and have short names.")
    for value in fields.values():
        parts = value if isinstance(value, tuple) else (value,)
        if len(parts) > LONGEST_LIST or not all(_is_scalar(part) for part in parts):
            raise ValueError("A field of a record of evidence is a code, an id, a hash, a number, or a short list of them.")


def is_number(value: object) -> bool:
    """Whether a value is a number that the store keeps exactly; NaN and infinities are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER


def is_sequence(value: object) -> bool:
    """Whether a value can number a record."""
    return isinstance(value, int) and is_number(value) and value >= FIRST


def is_hash(value: object) -> bool:
    """Whether a value is a SHA-256 in hex."""
    return _matches(_HASH, value)


def is_token(value: object) -> bool:
    """Whether a value can name an append: 32 hex digits."""
    return _matches(_TOKEN, value)


def _is_scalar(value: object) -> bool:
    return isinstance(value, bool) or is_number(value) or _matches(_TEXT, value)


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
