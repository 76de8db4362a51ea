"""What the code under test measures, read by a real reader of OpenTelemetry's SDK. A process has one provider for good."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from opentelemetry import metrics as opentelemetry
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint

from shared.metric_temporality import TOLD_ONCE
from shared.metrics import Metric


@dataclass(frozen=True, kw_only=True)
class Value:
    """One measured value: a number, or how many values a histogram took and their sum."""

    metric: str
    attributes: dict[str, object]
    number: float
    taken: int = 1


class Measured:
    """Everything that was measured since the last look."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def values(self) -> list[Value]:
        """Return what is new; a second look finds nothing of it."""
        data = self._reader.get_metrics_data()
        return [
            _value(metric.name, point)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]

    def of(self, metric: Metric) -> dict[tuple[object, ...], float]:
        """Return the values of one metric by its attributes' values."""
        return {tuple(one.attributes.values()): one.number for one in self.values() if one.metric == metric}


@cache
def _reader() -> InMemoryMetricReader:
    reader = InMemoryMetricReader(preferred_temporality=TOLD_ONCE)
    opentelemetry.set_meter_provider(MeterProvider([reader]))
    return reader


@contextmanager
def measuring() -> Iterator[Measured]:
    """Measure for the length of a ``with`` block, from nothing."""
    measured = Measured(_reader())
    measured.values()
    yield measured
    measured.values()


def _value(metric: str, point: object) -> Value:
    match point:
        case NumberDataPoint():
            return Value(metric=metric, attributes=dict(point.attributes or {}), number=point.value)
        case HistogramDataPoint():
            return Value(metric=metric, attributes=dict(point.attributes or {}), number=point.sum, taken=point.count)
    raise TypeError(metric)
