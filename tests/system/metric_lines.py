"""What a stack wrote to its file of metrics."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system.stack import Stack


@dataclass(frozen=True, kw_only=True)
class MetricLines:
    """The lines of one stack, read anew each time."""

    stack: Stack

    @property
    def path(self) -> Path:
        return self.stack.state / "metrics.jsonl"

    def lines(self, name: str | None = None) -> list[dict[str, Any]]:
        """Every line, or those of one metric, the oldest first; one that is just being written is left out."""
        if not self.path.exists():
            return []
        text = self.path.read_text().rpartition("\n")[0]
        found = [json.loads(line) for line in text.splitlines()]
        return [line for line in found if name in (None, line["name"])]

    def counted(self, name: str) -> dict[str, int]:
        """What a counter counted since the start, by the value of its one attribute."""
        counts: Counter[str] = Counter()
        for line in self.lines(name):
            [value] = line["attributes"].values()
            counts[value] += line["value"]
        return dict(counts)

    def last(self, name: str, **attributes: str) -> float | None:
        """The latest value of a gauge, None when it was never told."""
        found = [line["value"] for line in self.lines(name) if line["attributes"] == attributes]
        return found[-1] if found else None
