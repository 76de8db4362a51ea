import time
from pathlib import Path

import pytest

from shared.clock import clock

MONTH = 30 * 86_400


def test_without_a_file_the_clock_is_the_machines() -> None:
    assert clock(None) is time.time


@pytest.mark.parametrize(("content", "offset"), [(None, 0), ("", 0), ("0", 0), (str(MONTH), MONTH), ("-1.5e3\n", -1500)])
def test_the_clock_runs_ahead_by_what_stands_in_the_file(tmp_path: Path, content: str | None, offset: float) -> None:
    file = tmp_path / "offset"
    if content is not None:
        file.write_text(content)
    before = time.time()
    shifted = clock(file)()
    assert before + offset <= shifted <= time.time() + offset


def test_the_file_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    now = clock(file)
    before = now()
    file.write_text(str(MONTH))
    assert now() - before >= MONTH
