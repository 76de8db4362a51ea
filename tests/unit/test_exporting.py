"""Where metrics go: as lines to the console and to a file, to Azure Monitor by its exporter alone, or nowhere."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from azure.core.credentials import AccessToken
from opentelemetry.sdk.metrics.export import MetricExporter

from shared import metric_lines
from shared.domain.residency import Geography
from shared.exporting import exporter_for, provider
from shared.metric_lines import LinesExporter, to_file
from shared.metrics_setting import Exporting, To

ROOT = Path(__file__).parents[2]
KEY = "11e7be00-0000-4000-8000-0000000000d0"
ENDPOINT = "https://swedencentral-0.in.applicationinsights.azure.com/"
CONNECTION = f"InstrumentationKey={KEY};IngestionEndpoint={ENDPOINT}"
SWITCHES = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)


class Identity:
    """A credential that nobody may ask in these tests."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # noqa: ANN401
        raise AssertionError((scopes, options))


def exported(exporter: MetricExporter, *statuses: str) -> None:
    """Record jobs with a provider of their own, and export them."""
    meters = provider(exporter, Geography.EU, seconds=3600)
    counter = meters.get_meter("test").create_counter("lethe.generations", "{generation}")
    for status in statuses:
        counter.add(1, {"status": status})
    assert meters.force_flush()
    meters.shutdown()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_gets_a_line_for_each_value(tmp_path: Path) -> None:
    exported(LinesExporter(to_file(tmp_path / "metrics.jsonl")), "completed", "failed", "completed")
    found = lines(tmp_path / "metrics.jsonl")
    assert all(line.pop("at") > 0 for line in found)
    assert found == [
        {"name": "lethe.generations", "unit": "{generation}", "attributes": {"status": status}, "value": value}
        for status, value in (("completed", 2), ("failed", 1))
    ]


def test_a_histogram_is_told_by_its_count_sum_and_ends(tmp_path: Path) -> None:
    meters = provider(LinesExporter(to_file(tmp_path / "m")), Geography.EU, seconds=3600)
    lag = meters.get_meter("test").create_histogram("lethe.retention.deletion_lag", "s")
    lag.record(1.5)
    lag.record(4)
    meters.shutdown()
    [line] = lines(tmp_path / "m")
    assert (line["count"], line["sum"], line["min"], line["max"]) == (2, 5.5, 1.5, 4)


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    exported(LinesExporter(to_file(tmp_path / "metrics.jsonl")), "completed")
    assert (tmp_path / "metrics.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric_lines, "LARGEST_FILE", 10)
    write = to_file(tmp_path / "m")
    for text in ("the oldest lines\n", "older lines\n", "the newest lines\n"):
        write(text)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"m": "the newest lines\n", "m.1": "older lines\n"}


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    exported(LinesExporter(to_file(tmp_path / "missing" / "metrics.jsonl")), "completed")


def test_nothing_new_is_no_line(tmp_path: Path) -> None:
    exported(LinesExporter(to_file(tmp_path / "metrics.jsonl")))
    assert not (tmp_path / "metrics.jsonl").exists()


def test_lines_go_to_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    exporter = exporter_for(Exporting(to=To.CONSOLE))
    assert exporter
    exported(exporter, "completed")
    assert json.loads(capsys.readouterr().out)["name"] == "lethe.generations"


def test_nothing_is_exported_unless_it_is_asked_for() -> None:
    assert exporter_for(Exporting(to=To.NOWHERE)) is None


def test_the_resource_tells_the_stamp_and_nothing_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "host.name=canary4f1c")
    told = dict(provider(LinesExporter(print), Geography.EU, seconds=3600)._sdk_config.resource.attributes)  # noqa: SLF001
    instance = told.pop("service.instance.id")
    assert told == {"service.name": "lethe", "service.namespace": "eu", "device.id": instance}
    assert len(str(instance)) == 8


def test_azure_monitor_is_set_up_without_disk_statistics_or_remote_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for switch in SWITCHES:
        monkeypatch.setenv(switch, "false")
    from shared.azure.monitor import MonitorExporter  # noqa: PLC0415 - half a second, for this test alone

    threads = set(threading.enumerate())
    exporter = MonitorExporter(CONNECTION, Identity())
    sender = exporter.sender
    assert set(threading.enumerate()) == threads  # neither statistics nor the remote settings work in the background
    assert {os.environ[switch] for switch in SWITCHES} == {"true"}
    assert sender.storage is None
    assert sender._disable_offline_storage  # noqa: SLF001
    assert sender._endpoint == ENDPOINT  # noqa: SLF001
    assert isinstance(sender._credential, Identity)  # noqa: SLF001
    assert sender.client._config.retry_policy.total_retries == 1  # noqa: SLF001


class Ingestion(BaseHTTPRequestHandler):
    """Takes what the exporter sends, and says that all of it was accepted."""

    bodies: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append(body.decode())
        answer = json.dumps({"itemsReceived": 1, "itemsAccepted": 1, "errors": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ingestion() -> Iterator[str]:
    Ingestion.bodies.clear()
    with HTTPServer(("127.0.0.1", 0), Ingestion) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_azure_monitor_is_told_neither_the_machines_name_nor_old_gauges(ingestion: str) -> None:
    from shared.azure.monitor import MonitorExporter  # noqa: PLC0415

    nobody: Any = None  # a token is not sent over http
    exporter = MonitorExporter(f"InstrumentationKey={KEY};IngestionEndpoint={ingestion}", nobody)
    meters = provider(exporter, Geography.EU, seconds=3600)
    meters.get_meter("test").create_gauge("lethe.opt_outs", "{tenant}").set(2, {"way": "queue"})
    meters.force_flush()
    meters.force_flush()
    meters.shutdown()
    [body] = Ingestion.bodies
    assert os.uname().nodename not in body
    [envelope] = json.loads(body)
    assert envelope["tags"]["ai.cloud.role"] == "eu.lethe"
    [point] = envelope["data"]["baseData"]["metrics"]
    assert (point["name"], point["value"]) == ("lethe.opt_outs", 2)
    assert envelope["data"]["baseData"]["properties"] == {"way": "queue"}
    assert "sampleRate" not in envelope


def python(script: str, **environment: str) -> str:
    """Run a script in a process of its own, and return what it prints."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_indexing_the_app_imports_nothing_of_opentelemetry() -> None:
    script = (
        "import sys, functions.web, functions.generation, functions.retention, functions.webhooks, shared.settings\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'azure.monitor'))])"
    )
    assert python(script).strip() == "[]"


def test_what_a_process_measured_is_exported_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    python(
        "from pathlib import Path\n"
        "from shared.domain.residency import Geography\n"
        "from shared.exporting import start\n"
        "from shared.metrics import Metric, count\n"
        "from shared.metrics_setting import Exporting, To\n"
        "from shared.domain.generation import Status\n"
        "count(Metric.GENERATIONS, status=Status.FAILED)\n"  # nobody listens yet
        f"start(Exporting(to=To.FILE, path=Path({str(path)!r})), Geography.EU)\n"
        "count(Metric.GENERATIONS, status=Status.COMPLETED)\n"
    )
    assert [line["attributes"] for line in lines(path)] == [{"status": "completed"}]
