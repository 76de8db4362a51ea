import json
import sqlite3
import urllib.parse
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest

from tests.privacy.flock import CUT, Flock
from tests.privacy.scan import scan, scan_bytes

FLOCK = Flock()
FIRST, SECOND = FLOCK.plant("a blocked prompt", "prompt"), FLOCK.plant("a blocked prompt", "custom_id")
FORMS = {
    "text": SECOND.encode(),
    "upper case": SECOND.upper().encode(),
    "utf-16-le": SECOND.encode("utf-16-le"),
    "utf-16-be": SECOND.encode("utf-16-be"),
    "percent": "".join(f"%{ord(one):02x}" for one in SECOND).encode(),
    "backslash escapes": json.dumps("".join(f"\\u{ord(one):04x}" for one in SECOND)).encode(),
    "base64": b64encode(b"x" + SECOND.encode()),
    "hex": SECOND.encode().hex().encode(),
    "quoted": urllib.parse.quote(json.dumps(SECOND)).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_canary_that_was_found_is_named_by_its_path_and_place(form: str) -> None:
    labels = {finding.label for finding in scan_bytes(FLOCK, blob=b"... " + FORMS[form] + b" ...")}

    assert labels - {CUT} == {"custom_id of 'a blocked prompt'"}


def test_two_canaries_in_one_place_are_told_apart() -> None:
    assert {finding.label for finding in scan_bytes(FLOCK, blob=f"{SECOND}{FIRST}".encode())} == {
        "prompt of 'a blocked prompt'",
        "custom_id of 'a blocked prompt'",
    }


@pytest.mark.parametrize("kept", [12, 13, 15])
def test_a_canary_that_was_cut_is_found_too(kept: int) -> None:
    assert [finding.label for finding in scan_bytes(FLOCK, blob=SECOND[:kept].encode())] == [CUT]


def test_another_flock_is_not_this_one() -> None:
    assert not scan_bytes(Flock(), blob=FIRST.encode())


def test_a_canary_is_named_where_sqlite_breaks_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE documents (body BLOB)")
        for start in range(816 - 20, 816 + 4):
            connection.execute(
                "INSERT INTO documents VALUES (?)", (b"." * start + SECOND.encode() + b"." * (9000 - 4 - start),)
            )

    labels = [finding.label for finding in scan(FLOCK, tmp_path)]

    assert labels.count("custom_id of 'a blocked prompt'") == 24
    assert set(labels) <= {"custom_id of 'a blocked prompt'", CUT}
