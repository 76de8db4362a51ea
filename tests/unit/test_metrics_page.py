"""The reference page of metrics lists the table, and nothing else."""

import re
from pathlib import Path

from shared.metrics import TABLE

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(lethe\.[a-z_.]+)` \| (\w+) \| `([^`]+)` \|([^|]*)\| [^|]{10,} \| [^|]+ \|$", re.MULTILINE)


def test_the_page_lists_the_table_in_its_order() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    rows = [(name, kind, unit, re.findall(r"`(\w+)`", attributes)) for name, kind, unit, attributes in ROW.findall(page)]
    assert rows == [
        (metric.value, instrument.kind.name.lower(), instrument.unit, list(instrument.attributes))
        for metric, instrument in TABLE.items()
    ]
