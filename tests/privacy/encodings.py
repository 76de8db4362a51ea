"""Finds what may be encoded inside bytes (base64, hex, wide ASCII, compressed members) and decodes it."""

import binascii
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CHUNK = 256 * 1024

type Reader = Callable[[int], Iterator[bytes]]
"""Gives the chunks of something from an offset on."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """What stood at ``start`` in another form; ``width`` is the bytes that one decoded byte took there."""

    form: str
    start: int
    width: float
    data: bytes


_BASE64 = rb"(?:[A-Za-z0-9+/_-]|[\r\n]|\\[rn/]|%%2[BbFf]){%d,}+"
_BASE64_EXTRAS = re.compile(rb"[\r\n]|\\[rn]|\\(?=/)")
_PERCENT = {b"%2B": b"+", b"%2b": b"+", b"%2F": b"/", b"%2f": b"/"}
_STANDARD = bytes.maketrans(b"-_", b"+/")


def decoded(data: bytes, min_bytes: int) -> Iterator[Decoded]:
    """Decode every run of ``data`` that is long enough to hold ``min_bytes``, in each alignment."""
    for match in re.finditer(_BASE64 % (min_bytes * 4 // 3), data):
        yield from _base64(match)
    for match in re.finditer(rb"[0-9a-fA-F]{%d,}+" % (2 * min_bytes), data):
        run = match[0]
        for shift in (0, 1):
            digits = run[shift : len(run) - (len(run) - shift) % 2]
            yield Decoded(form="hex", start=match.start() + shift, width=2, data=binascii.a2b_hex(digits))
    for first, pattern in ((0, rb"(?:[\t\n\r -~]\x00){%d,}+"), (1, rb"(?:\x00[\t\n\r -~]){%d,}+")):
        for match in re.finditer(pattern % min_bytes, data):
            yield Decoded(form="wide", start=match.start(), width=2, data=match[0][first::2])


def _base64(match: re.Match[bytes]) -> Iterator[Decoded]:
    """Both alphabets; line breaks, JSON's escaped slash and URL-encoded signs inside a run are no part of the code."""
    run = _BASE64_EXTRAS.sub(b"", match[0])
    for escape, plain in _PERCENT.items():
        run = run.replace(escape, plain)
    run = run.translate(_STANDARD)
    for shift in range(4):
        code = run[shift:]
        data = binascii.a2b_base64(code + b"A" * (-len(code) % 4))
        yield Decoded(form="base64", start=match.start() + shift, width=4 / 3, data=data)


_MEMBER = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|PK\x03\x04(?=.{26})", re.DOTALL)


def members(data: bytes) -> Iterator[tuple[int, str, int, int]]:
    """Yield where compressed members may begin: offset, form, offset of the stream in it, zlib's ``wbits``."""
    for match in _MEMBER.finditer(data):
        at = match.start()
        if match[0].startswith(b"P"):
            lengths = data[at + 26 : at + 28], data[at + 28 : at + 30]
            yield at, "zip", 30 + sum(int.from_bytes(length, "little") for length in lengths), -zlib.MAX_WBITS
        elif match[0].startswith(b"\x1f"):
            yield at, "gzip", 0, 16 + zlib.MAX_WBITS
        else:
            yield at, "zlib", 0, zlib.MAX_WBITS


def decompressed(reader: Reader, start: int, wbits: int) -> Reader:
    """Read the member that may begin at ``start``; what is no member, or a damaged one, gives what comes out of it."""

    def read(offset: int) -> Iterator[bytes]:
        skip = offset
        stream = zlib.decompressobj(wbits)
        for chunk in reader(start):
            rest = chunk
            while rest and not stream.eof:
                try:
                    out = stream.decompress(rest, CHUNK)
                except zlib.error:
                    return
                rest = stream.unconsumed_tail
                if len(out) > skip:
                    yield out[skip:]
                skip = max(0, skip - len(out))
            if stream.eof:
                return

    return read
