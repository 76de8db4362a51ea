import base64
import gzip
import html
import io
import json
import os
import sqlite3
import urllib.parse
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from local import database
from tests.privacy.encodings import CHUNK
from tests.privacy.scan import Finding, scan, scan_bytes

CANARY = "Kanarienvögel/☂ 4711-😀 end"


def zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("prompts.txt", content)
    return target.getvalue()


UTF8 = CANARY.encode()
WRAPPED = base64.encodebytes(b"x" * 70 + UTF8 + b"x" * 70)
FORMS = {
    "raw": UTF8,
    "upper case": CANARY.upper().encode(),
    "lower case": CANARY.lower().encode(),
    "decomposed": CANARY.replace("ö", "o\u0308").encode(),
    "UTF-16 little-endian": CANARY.encode("utf-16-le"),
    "UTF-16 big-endian": CANARY.encode("utf-16-be"),
    "UTF-16 in upper case": CANARY.upper().encode("utf-16-le"),
    "JSON": json.dumps(CANARY).encode(),
    "JSON in JSON": json.dumps(json.dumps(CANARY)).encode(),
    "JSON with escaped slashes": json.dumps(CANARY).replace("/", "\\/").encode(),
    "JSON with every character escaped": "".join(
        f"\\u{int.from_bytes(CANARY.encode('utf-16-be')[at : at + 2]):04X}"
        for at in range(0, len(CANARY.encode("utf-16-be")), 2)
    ).encode(),
    "JSON in UTF-16": json.dumps(CANARY).encode("utf-16-le"),
    "JSON in UTF-16 big-endian": json.dumps(CANARY).encode("utf-16-be"),
    "ascii() of Python": ascii(CANARY).encode(),
    "repr() of bytes": repr(UTF8).encode(),
    "percent-encoded": urllib.parse.quote(CANARY, safe="").encode(),
    "percent-encoded in lower case": urllib.parse.quote(CANARY, safe="").lower().encode(),
    "percent-encoded twice": urllib.parse.quote(urllib.parse.quote(CANARY, safe="")).encode(),
    "percent-encoded byte for byte": "".join(f"%{byte:02x}" for byte in UTF8).encode(),
    "form-encoded": urllib.parse.quote_plus(CANARY).encode(),
    "HTML entities": "".join(f"&#{ord(one)};" for one in CANARY).encode(),
    "HTML": html.escape(CANARY).encode("ascii", "xmlcharrefreplace"),
    **{f"base64, alignment {at}": base64.b64encode(b"x" * at + UTF8 + b"yz") for at in range(3)},
    **{f"base64 in a word, alignment {at}": b"key" + base64.urlsafe_b64encode(b"x" * at + UTF8) for at in range(3)},
    "base64 without padding": base64.urlsafe_b64encode(UTF8).rstrip(b"="),
    "base64 in lines": WRAPPED,
    "base64 in lines in JSON": json.dumps(WRAPPED.decode()).encode(),
    "base64 in a URL": urllib.parse.quote(base64.b64encode(UTF8), safe="").encode(),
    "base64 of JSON": base64.b64encode(json.dumps({"input": CANARY}).encode()),
    "base64 of UTF-16": base64.b64encode(CANARY.encode("utf-16-le")),
    "base64 of base64": base64.b64encode(base64.b64encode(UTF8)),
    "hex": UTF8.hex().encode(),
    "hex in upper case, misaligned": b"f" + UTF8.hex().upper().encode(),
    "gzip": gzip.compress(UTF8),
    "zlib": zlib.compress(UTF8),
    "zip": zipped(UTF8),
    "base64 of gzip": base64.b64encode(gzip.compress(UTF8)),
    "gzip of base64": gzip.compress(base64.b64encode(UTF8)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("around", [b"", b'\x00\xff{"text": "', b"plain words "])
def test_a_canary_is_found_in_every_form(form: str, around: bytes) -> None:
    assert scan_bytes(CANARY, blob=around + FORMS[form] + b'"}\x00')


@pytest.mark.parametrize("form", FORMS)
def test_a_similar_text_is_not_the_canary(form: str) -> None:
    similar = CANARY.replace("4711", "4712")

    assert not scan_bytes(similar, blob=FORMS[form])


@pytest.mark.parametrize("form", FORMS)
def test_half_a_canary_is_not_the_canary(form: str) -> None:
    if "zip" not in form and "zlib" not in form:
        assert not scan_bytes(CANARY, blob=FORMS[form][: len(FORMS[form]) // 2])


@pytest.mark.parametrize(
    "form", ["raw", "UTF-16 big-endian", "JSON", "percent-encoded", "base64, alignment 1", "hex", "gzip", "zip"]
)
def test_a_canary_is_found_across_the_borders_of_chunks(tmp_path: Path, form: str) -> None:
    content = FORMS[form]
    for into in (0, 1, len(content) // 2, len(content) - 1, len(content)):
        path = tmp_path / f"large-{into}.log"
        path.write_bytes(b"." * (2 * CHUNK - into) + content + b"." * CHUNK)

        assert scan(CANARY, path)


def test_the_offset_is_that_of_the_canary(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"." * 300_000 + UTF8)

    assert scan(CANARY, path) == [Finding(where=str(path), form="text", offset=300_000)]


def test_a_long_base64_run_gives_the_place_in_it() -> None:
    (finding,) = scan_bytes(CANARY, blob=base64.b64encode(b"x" * 300_000 + UTF8))

    assert finding.form == "base64 > text"
    assert finding.offset == 400_000


def test_a_canary_deep_in_a_large_compressed_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(os.urandom(2 * CHUNK).hex().encode() + UTF8 + b"." * CHUNK))

    assert [finding.form for finding in scan(CANARY, path)] == ["gzip > text"]


def test_a_folder_is_scanned_with_hidden_and_temporary_files_below_it(tmp_path: Path) -> None:
    names = [".hidden", "a/b/c.tmp", "broker.sqlite-journal", "cosmos.sqlite-wal", "x.new", "core.1234"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"before " + UTF8)

    assert sorted(finding.where for finding in scan(CANARY, tmp_path)) == sorted(str(tmp_path / name) for name in names)


def test_a_name_of_a_file_counts(tmp_path: Path) -> None:
    (tmp_path / urllib.parse.quote(CANARY, safe="")).touch()

    assert [finding.form for finding in scan(CANARY, tmp_path)] == ["name > percent"]


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    inside.mkdir()
    outside.write_bytes(UTF8)
    (inside / "link").symlink_to(outside)
    os.mkfifo(inside / "pipe")

    assert scan(CANARY, inside) == []


def test_what_is_not_there_cannot_be_clean(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan(CANARY, tmp_path / "nothing")


def test_empty_files_and_bytes_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    assert scan(CANARY, tmp_path) == []
    assert scan_bytes(CANARY, nothing=b"") == []


def test_a_report_repeats_nothing_of_what_it_found() -> None:
    assert "secret" not in repr(scan_bytes(CANARY, blob=b"secret " + UTF8 + b" secret"))
    assert CANARY not in repr(scan_bytes(CANARY, blob=UTF8))


def test_a_canary_that_chance_could_write_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8 characters"):
        scan_bytes("short", blob=b"")


@pytest.mark.parametrize("border", [816, 816 + 4092])
def test_a_canary_is_found_where_sqlite_breaks_a_value(tmp_path: Path, border: int) -> None:
    """A value of 9,000 bytes keeps 816 in its own page; the rest lies in overflow pages of 4,092 (page size 4,096)."""
    path = tmp_path / "cosmos.sqlite"
    starts = range(border - 3 * len(UTF8), border + len(UTF8), 5)
    with closing(database.connect(path)) as connection:
        connection.execute("CREATE TABLE documents (body BLOB)")
        for start in starts:
            connection.execute("INSERT INTO documents VALUES (?)", ((b"." * start + UTF8).ljust(9000 - 4, b"."),))

    forms = [finding.form for finding in scan(CANARY, path)]

    assert len(forms) == len(starts)
    assert set(forms) == {"text", "overflow pages > text"}


def test_a_canary_in_an_open_transaction_is_found(tmp_path: Path) -> None:
    path = tmp_path / "broker.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE messages (body BLOB)")
        connection.execute("INSERT INTO messages VALUES (?)", (UTF8,))

        assert {Path(finding.where).name for finding in scan(CANARY, tmp_path)} == {"broker.sqlite-wal"}


def test_what_an_ordinary_database_deleted_is_still_found(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "plain.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("CREATE TABLE messages (body TEXT)")
        connection.execute("INSERT INTO messages VALUES (?)", (CANARY,))
        connection.execute("DELETE FROM messages")

    assert scan(CANARY, tmp_path)


@pytest.mark.parametrize("size", [1, 3_000, 100_000])
def test_what_the_stacks_database_deleted_is_gone(tmp_path: Path, size: int) -> None:
    with closing(database.connect(tmp_path / "broker.sqlite")) as connection:
        connection.execute("CREATE TABLE messages (body TEXT)")
        connection.execute("INSERT INTO messages VALUES (?)", ("." * size + CANARY,))
        assert scan(CANARY, tmp_path), "found before"
        connection.execute("DELETE FROM messages")

        assert scan(CANARY, tmp_path) == []
