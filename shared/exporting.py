"""Where metrics go: the one provider of a process, with the exporter that the settings name.

Nothing but metrics is exported: there is no provider of traces or logs here, and nothing that watches a library, because what
such things record (URLs, names of exceptions, whole log lines) is nothing that a table can bound.
"""

from secrets import token_hex

from opentelemetry import metrics as opentelemetry
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from shared.domain.residency import Geography
from shared.metric_lines import LinesExporter, to_console, to_file
from shared.metrics_setting import Exporting, To

_SECONDS = {To.AZURE_MONITOR: 60.0, To.CONSOLE: 2.0, To.FILE: 2.0}
"""Between two exports: less than between two runs of the timer, so that no export mixes the figures of two."""
_TIMEOUT = 30.0


def start(chosen: Exporting, geography: Geography) -> None:
    """Export metrics from now on, until the process ends; the last ones at its end. Once per process."""
    exporter = exporter_for(chosen)
    if exporter is not None:
        opentelemetry.set_meter_provider(provider(exporter, geography, seconds=_SECONDS[chosen.to]))


def exporter_for(chosen: Exporting) -> MetricExporter | None:
    """Return the exporter of a setting; None for none."""
    match chosen.to:
        case To.AZURE_MONITOR:
            from shared.azure.credential import blocking_credential  # noqa: PLC0415
            from shared.azure.monitor import MonitorExporter  # noqa: PLC0415 - half a second, which only Azure has to pay

            return MonitorExporter(chosen.connection_string, blocking_credential())
        case To.CONSOLE:
            return LinesExporter(to_console)
        case To.FILE:
            return LinesExporter(to_file(chosen.path))
        case To.NOWHERE:
            return None


def provider(exporter: MetricExporter, geography: Geography, *, seconds: float) -> MeterProvider:
    """Make a provider. Its resource is the stamp, and a number for this process in place of the machine's name.

    Exemplars are off: they would carry what a view cut off, and ids of traces.
    """
    instance = token_hex(4)
    resource = Resource(
        {
            "service.name": "lethe",
            "service.namespace": geography.value,
            "service.instance.id": instance,
            "device.id": instance,  # or the exporter to Azure Monitor would send the machine's name
        }
    )
    reader = PeriodicExportingMetricReader(
        exporter, export_interval_millis=seconds * 1000, export_timeout_millis=_TIMEOUT * 1000
    )
    return MeterProvider([reader], resource=resource, exemplar_filter=AlwaysOffExemplarFilter())
