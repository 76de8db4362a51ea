"""Metrics to Application Insights, by the exporter alone: no traces, no logs, no library watched, and nothing kept on disk."""

import os
from typing import Any

from azure.core.credentials import TokenCredential
from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from shared.metric_temporality import TOLD_ONCE

_OFF = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",  # statistics about this app, to an address of Microsoft's
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",  # settings that Microsoft may change, asked for by this app's key and region
)
"""Switches that the exporter reads from the environment only. Each is for something that does not go to the resource."""

_SECONDS = 10
"""For one attempt to send; there are two, and the next export comes in a minute."""


class MonitorExporter(MetricExporter):
    """Sends metrics to the resource of a connection string, as the app's identity (role Monitoring Metrics Publisher).

    It wraps the SDK's exporter, which would repeat old gauges (`shared.metric_temporality`).
    """

    def __init__(self, connection_string: str, credential: TokenCredential) -> None:
        super().__init__(preferred_temporality=TOLD_ONCE)
        os.environ.update(dict.fromkeys(_OFF, "true"))
        self.sender = AzureMonitorMetricExporter(
            connection_string=connection_string,
            credential=credential,
            disable_offline_storage=True,
            timeout=_SECONDS,
            read_timeout=_SECONDS,
            retry_total=1,
        )

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:  # noqa: ANN401
        """Send; what cannot be sent is lost."""
        return self.sender.export(metrics_data, timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is held back."""
        return self.sender.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:  # noqa: ANN401
        """End."""
        self.sender.shutdown(timeout_millis, **kwargs)
