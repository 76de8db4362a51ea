"""How values are exported: each once. Counters and histograms tell what came since the last export, gauges what is new.

By default a gauge would be exported again and again as it last was, by each process that ever set it: one that ran the timer
yesterday would go on telling yesterday's figures, and what could not be measured would look like the last time when it could.
"""

from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    _Gauge,  # the instrument's class, which the SDK gives no public name
)
from opentelemetry.sdk.metrics.export import AggregationTemporality

TOLD_ONCE: dict[type, AggregationTemporality] = {
    Counter: AggregationTemporality.DELTA,
    Histogram: AggregationTemporality.DELTA,
    _Gauge: AggregationTemporality.DELTA,
}
