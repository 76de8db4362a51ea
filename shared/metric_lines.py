"""Metrics as JSON lines, one for each value, for the console and for a file: what a person reads on the embedded stack.

{"at": 1767225600.0, "name": "lethe.generations", "unit": "{generation}", "attributes": {"status": "completed"}, "value": 3}
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from opentelemetry.sdk.metrics.export import (
    DataPointT,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
)

from shared.metric_temporality import TOLD_ONCE

LARGEST_FILE = 4_000_000
"""Bytes after which a file is put aside as ``….1``, over the one before: the embedded stack runs for weeks."""


class LinesExporter(MetricExporter):
    """Writes what was measured since the last export; what cannot be written is lost, and nothing waits for it."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(preferred_temporality=TOLD_ONCE)
        self._write = write

    def export(self, metrics_data: MetricsData, timeout_millis: float = 0, **kwargs: Any) -> MetricExportResult:  # noqa: ANN401, ARG002
        """Write the values of one interval; none, no line."""
        lines = "".join(json.dumps(line) + "\n" for line in _lines(metrics_data))
        try:
            if lines:
                self._write(lines)
        except OSError:
            return MetricExportResult.FAILURE
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 0) -> bool:  # noqa: ARG002
        """Nothing is held back."""
        return True

    def shutdown(self, timeout_millis: float = 0, **kwargs: Any) -> None:  # noqa: ANN401
        """Nothing is open."""


def to_console(lines: str) -> None:
    """Write to standard output, which the host takes for a line of the app's log."""
    sys.stdout.write(lines)
    sys.stdout.flush()


def to_file(path: Path) -> Callable[[str], None]:
    """Append to a file that only its owner may read (mode 600), and that is bounded."""

    def write(lines: str) -> None:
        if path.exists() and path.stat().st_size > LARGEST_FILE:
            path.replace(path.with_name(f"{path.name}.1"))
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
            file.write(lines)

    return write


def _lines(metrics_data: MetricsData) -> Iterator[dict[str, Any]]:
    for resource in metrics_data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                yield from (_line(metric, point) for point in metric.data.data_points)


def _line(metric: Metric, point: DataPointT) -> dict[str, Any]:
    line = {
        "at": point.time_unix_nano / 1e9,
        "name": metric.name,
        "unit": metric.unit,
        "attributes": dict(point.attributes or {}),
    }
    match point:
        case NumberDataPoint():
            return {**line, "value": point.value}
        case HistogramDataPoint():
            return {**line, "count": point.count, "sum": point.sum, "min": point.min, "max": point.max}
    return line
