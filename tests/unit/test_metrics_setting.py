"""The setting of where metrics go, and the guards of the start."""

from pathlib import Path

import pytest

from shared import settings
from shared.metrics_setting import CONNECTION, METRICS, To, exporting
from tests.unit.environments import AZURE, LOCAL, refusal

CANARY = "canary4f1c"
KEY = "11e7be00-0000-4000-8000-0000000000d0"
INSIGHTS = f"InstrumentationKey={KEY};IngestionEndpoint=https://swedencentral-0.in.applicationinsights.azure.com/"


@pytest.mark.parametrize(
    ("environment", "to"),
    [
        ({}, To.NOWHERE),
        ({METRICS: ""}, To.NOWHERE),
        ({METRICS: "off"}, To.NOWHERE),
        ({METRICS: "console"}, To.CONSOLE),
        ({METRICS: "file:///tmp/m"}, To.FILE),
        ({CONNECTION: INSIGHTS}, To.AZURE_MONITOR),
        ({CONNECTION: INSIGHTS, METRICS: "azure"}, To.AZURE_MONITOR),
        ({CONNECTION: INSIGHTS, METRICS: "off"}, To.NOWHERE),
        ({CONNECTION: INSIGHTS, METRICS: "console"}, To.CONSOLE),
    ],
)
def test_metrics_go_where_they_are_sent_else_to_azure_monitor_if_there_is_one(environment: dict[str, str], to: To) -> None:
    assert exporting(environment).to is to


def test_a_file_is_named_by_its_url() -> None:
    assert exporting({METRICS: "file:///a%20folder/metrics.jsonl"}).path == Path("/a folder/metrics.jsonl")


@pytest.mark.parametrize(
    "value", ["on", "OFF", CANARY, f"/{CANARY}", f"file:{CANARY}", f"file://{CANARY}/m", f"file://[{CANARY}", "https://a"]
)
def test_another_destination_is_named_and_not_quoted(value: str) -> None:
    error = refusal(LOCAL | {METRICS: value})
    assert error.setting == METRICS
    assert CANARY not in f"{error} {error!r} {error.__cause__}"


@pytest.mark.parametrize(
    "value",
    [
        *("", CANARY, f"InstrumentationKey={CANARY};IngestionEndpoint=https://a.applicationinsights.azure.com"),
        f"InstrumentationKey={KEY}",  # a global address would be taken
        f"InstrumentationKey={KEY};EndpointSuffix=applicationinsights.azure.com;Location=eu",
        "IngestionEndpoint=https://swedencentral-0.in.applicationinsights.azure.com/",
    ],
)
def test_a_connection_string_without_key_or_endpoint_is_named_and_not_quoted(value: str) -> None:
    error = refusal(AZURE | {METRICS: "azure", CONNECTION: value})
    assert error.setting == CONNECTION
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://swedencentral-0.in.applicationinsights.azure.com/",
        "https://dc.services.visualstudio.com",
        "https://somebody.westeurope.cloudapp.azure.com",
        "https://applicationinsights.azure.com.example.com",
        "https://127.0.0.1",
    ],
)
def test_azure_refuses_to_send_metrics_and_a_token_to_another_host(endpoint: str) -> None:
    connection = f"InstrumentationKey={KEY};IngestionEndpoint={endpoint}"
    assert refusal(AZURE | {CONNECTION: connection}).setting == CONNECTION


def test_azure_refuses_a_file() -> None:
    assert refusal(AZURE | {METRICS: "file:///tmp/metrics.jsonl"}).setting == METRICS


def test_an_app_in_azure_starts_with_application_insights() -> None:
    read = settings.load(AZURE | {CONNECTION: INSIGHTS})
    assert read.exporting.to is To.AZURE_MONITOR
    assert KEY not in repr(read)


def test_a_laptop_sends_no_metrics_to_azure_unless_asked_for() -> None:
    assert refusal(LOCAL | {CONNECTION: INSIGHTS}).setting == CONNECTION
    assert settings.load(LOCAL | {CONNECTION: INSIGHTS, METRICS: "off"})
    assert settings.load(LOCAL | {CONNECTION: INSIGHTS, "LETHE_REAL_SERVICES": "true"})
