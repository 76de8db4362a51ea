"""Joins what SQLite splits: a long value goes on in overflow pages, so that a text in it may lie in two places.

File format: https://www.sqlite.org/fileformat2.html, "Cell Payload Overflow Pages".
"""

import re
from collections.abc import Iterator

MAGIC = b"SQLite format 3\x00"

_PAGE_NUMBER = re.compile(rb"(?=\x00(?!\x00\x00\x00)...)", re.DOTALL)
"""Four bytes that may name a page: not zero, and below 2**24 (64 GB of pages of 4 KiB)."""


def joints(data: bytes, reach: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield ``reach`` bytes before a place where a part may end, their offset, and as many where it would go on."""
    size = int.from_bytes(data[16:18])
    size = 65536 if size == 1 else size
    usable = size - data[20]
    count = len(data) // size
    for page in range(count):  # an overflow page begins with the number of the next one
        following = int.from_bytes(data[page * size : page * size + 4])
        if 2 <= following <= count:
            yield from _joint(data, page * size + usable, (following - 1) * size, reach)
    for match in _PAGE_NUMBER.finditer(data):  # a cell ends with the number of its first overflow page
        following = int.from_bytes(data[match.start() : match.start() + 4])
        if 2 <= following <= count:
            yield from _joint(data, match.start(), (following - 1) * size, reach)


def _joint(data: bytes, end: int, start: int, reach: int) -> Iterator[tuple[int, bytes, bytes]]:
    before = data[max(0, end - reach) : end]
    yield end - len(before), before, data[start + 4 : start + 4 + reach]
