"""The forms in which a text can stand in bytes, as regular expressions: one per family of encodings.

Every character may stand in another form than its neighbours, as in ``caf\\u00e9%20noir``, and in upper or lower case.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

MIN_CHARACTERS = 8
"""Shorter canaries would be found by chance, in base64 above all."""

LONGEST_FORM = 32
"""Bytes that one character may take at most: a surrogate pair in twice escaped JSON, or twice percent-encoded UTF-8."""

_LETTER_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}


class Occurrence(NamedTuple):
    """Where a canary stands in bytes, in which form, and which one where several were looked for."""

    form: str
    start: int
    end: int
    label: str = ""


class Canary:
    """A text that is looked for."""

    def __init__(self, text: str) -> None:
        if len(text) < MIN_CHARACTERS:
            raise ValueError(f"a canary needs at least {MIN_CHARACTERS} characters")
        characters = unicodedata.normalize("NFC", text)
        self.reach = LONGEST_FORM * len(characters)
        self.min_bytes = len(characters)
        self._text = re.compile(b"".join(one_of(escaped_forms(character)) for character in characters))
        self._wide = {
            form: re.compile(
                b"".join(one_of([re.escape(one.encode(form)) for one in _variants(character)]) for character in characters)
            )
            for form in ("utf-16-le", "utf-16-be")
        }

    def search(self, data: bytes) -> Iterator[Occurrence]:
        """Yield every occurrence that needs no decoding first."""
        for match in self._text.finditer(data):
            yield Occurrence(_name(match[0]), match.start(), match.end())
        for form, pattern in self._wide.items():
            for match in pattern.finditer(data):
                yield Occurrence(form, match.start(), match.end())


def _name(found: bytes) -> str:
    for mark, form in ((b"\\", "backslash escapes"), (b"%", "percent"), (b"&#", "html entities")):
        if mark in found:
            return form
    return "text"


def one_of(patterns: list[bytes]) -> bytes:
    """A pattern for any of these."""
    return b"(?:" + b"|".join(dict.fromkeys(patterns)) + b")"


def _variants(character: str) -> list[str]:
    """The character in every case, composed and decomposed."""
    cases = (character, character.lower(), character.upper(), character.casefold())
    return list(dict.fromkeys(unicodedata.normalize(form, case) for case in cases for form in ("NFC", "NFD")))


def escaped_forms(character: str) -> list[bytes]:
    """Patterns of all forms of one character in 8-bit text, plain ones first."""
    patterns = []
    variants = _variants(character)
    patterns += [re.escape(variant.encode()) for variant in variants]
    for variant in variants:
        encoded = variant.encode()
        patterns += [
            b"".join(rb"%%(?:25)*%s" % _hex(byte) for byte in encoded),
            b"".join(rb"\\+x%s" % _hex(byte) for byte in encoded),
            b"".join(rb"\\+%03o" % byte for byte in encoded),
            b"".join(rb"\\+u%s" % _hex(unit, 4) for unit in _code_units(variant)),
            b"".join(rb"%%(?:25)*u%s" % _hex(unit, 4) for unit in _code_units(variant)),
            b"".join(rb"\\+U%s" % _hex(ord(one), 8) for one in variant),
            b"".join(rb"&#0*%d;" % ord(one) for one in variant),
            b"".join(rb"&#[xX]0*%s;" % _hex(ord(one), 1) for one in variant),
        ]
        if not variant.isascii() and len(variant) == 1 and ord(variant) < 256:
            byte = variant.encode("latin-1")
            patterns += [re.escape(byte), rb"%%(?:25)*%s" % _hex(byte[0]), rb"\\+x%s" % _hex(byte[0])]
    if character.isascii() and not character.isalnum():
        patterns.append(rb"\\+" + re.escape(_LETTER_ESCAPES.get(character, character).encode()))
    if character == " ":
        patterns.append(rb"\+")
    return patterns


def _hex(number: int, digits: int = 2) -> bytes:
    """A pattern for a number in hexadecimal, with digits of either case."""
    return b"".join(
        b"[%c%c]" % (digit, digit - 32) if digit >= ord("a") else b"%c" % digit for digit in b"%0*x" % (digits, number)
    )


def _code_units(text: str) -> list[int]:
    raw = text.encode("utf-16-be")
    return [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]
