"""Looks for a canary in files and bytes, in every form in which a program may have left it there.

It reports where and in which form, never what stands around it. The same code has to find the canary before the
deadline, or finding nothing after it would prove nothing.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.privacy import encodings, sqlite_pages
from tests.privacy.canary import Canary, Occurrence
from tests.privacy.encodings import CHUNK, Reader

MAX_DEPTH = 3
"""Encodings inside each other: compressed, then base64, then JSON escapes (which cost no depth), and one to spare."""


class Wanted(Protocol):
    """What is looked for: one canary, or many at once."""

    reach: int
    """Bytes that an occurrence may take at most."""
    min_bytes: int
    """Bytes that it takes at least."""

    def search(self, data: bytes) -> Iterator[Occurrence]:
        """Yield every occurrence that needs no decoding first."""


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """An occurrence: file (or name of the bytes), form (outermost encoding first), offset of it in the file.

    ``label`` says which canary it is, where several were looked for.
    """

    where: str
    form: str
    offset: int
    label: str = ""


def scan(canary: str | Wanted, *places: Path) -> list[Finding]:
    """Scan files, and folders with everything below them: databases, journals, temporary and hidden files alike.

    Names count too. A file that goes away meanwhile is gone; one that cannot be read raises its OSError, because
    "could not look" is not "nothing there".
    """
    wanted = Canary(canary) if isinstance(canary, str) else canary
    findings = set()
    for path in sorted({path for place in places for path in _files(place)}):
        findings |= {
            Finding(where=str(path), form=f"name > {found.form}", offset=0, label=found.label)
            for found in wanted.search(os.fsencode(path.name))
        }
        try:
            findings |= set(_scan_file(wanted, path))
        except FileNotFoundError:
            continue
    return sorted(findings)


def scan_bytes(canary: str | Wanted, **blobs: bytes) -> list[Finding]:
    """Scan bytes that lie in memory, such as a captured log or a request body, under the names that they are given."""
    wanted = Canary(canary) if isinstance(canary, str) else canary
    return sorted(
        {
            Finding(where=name, form=form, offset=offset, label=label)
            for name, blob in blobs.items()
            for form, offset, label in _scan(wanted, partial(_bytes_from, blob), MAX_DEPTH)
        }
    )


def _files(place: Path) -> Iterator[Path]:
    """Regular files only: a pipe or socket would block, a link leads to what is scanned where it lies."""
    if place.is_file():
        yield place
    elif not place.exists():
        raise FileNotFoundError(f"nothing to scan at {place}")
    for folder, _, names in os.walk(place, onerror=_refuse):
        for path in (Path(folder, name) for name in names):
            if path.is_file() and not path.is_symlink():
                yield path


def _refuse(error: OSError) -> None:
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise error


def _scan_file(wanted: Wanted, path: Path) -> Iterator[Finding]:
    for form, offset, label in _scan(wanted, partial(_file_from, path), MAX_DEPTH):
        yield Finding(where=str(path), form=form, offset=offset, label=label)
    with path.open("rb") as file:
        if file.read(len(sqlite_pages.MAGIC)) != sqlite_pages.MAGIC:
            return
        file.seek(0)
        data = file.read()
    for at, before, after in sqlite_pages.joints(data, wanted.reach):
        for form, start, end, label in wanted.search(before + after):
            if start < len(before) < end:
                yield Finding(where=str(path), form=f"overflow pages > {form}", offset=at + start, label=label)


def _scan(wanted: Wanted, reader: Reader, depth: int) -> Iterator[tuple[str, int, str]]:
    """Yield form, offset and label; an occurrence where two windows overlap may come twice."""
    for base, window in _windows(reader(0), wanted.reach):
        for form, start, _, label in wanted.search(window):
            yield form, base + start, label
        if depth == 0:
            continue
        for found in encodings.decoded(window, wanted.min_bytes):
            for form, offset, label in _scan(wanted, partial(_bytes_from, found.data), depth - 1):
                yield f"{found.form} > {form}", base + found.start + int(offset * found.width), label
        for at, kind, header, wbits in encodings.members(window):
            member = encodings.decompressed(reader, base + at + header, wbits)
            for form, _, label in _scan(wanted, member, depth - 1):
                yield f"{kind} > {form}", base + at, label


def _windows(chunks: Iterable[bytes], overlap: int) -> Iterator[tuple[int, bytes]]:
    """Join each chunk to the end of what came before, so that nothing is lost at a border."""
    base, kept = 0, b""
    for chunk in chunks:
        window = kept + chunk
        yield base, window
        kept = window[-overlap:]
        base += len(window) - len(kept)


def _bytes_from(blob: bytes, offset: int) -> Iterator[bytes]:
    for start in range(offset, len(blob), CHUNK):
        yield blob[start : start + CHUNK]


def _file_from(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(CHUNK):
            yield chunk
