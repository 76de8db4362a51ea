import json
from pathlib import Path
from typing import Any

import pytest

from local.host import host_json
from local.host.errors import StartError
from local.host.host_json import HostJson


def read(folder: Path, document: Any) -> HostJson:  # noqa: ANN401
    (folder / "host.json").write_text(json.dumps(document))
    return host_json.read(folder / "host.json")


def test_the_defaults_are_those_of_azure_functions(tmp_path: Path) -> None:
    found = read(tmp_path, {"version": "2.0"})
    assert found == HostJson(
        route_prefix="api",
        function_timeout=1800.0,
        max_concurrent_calls=16,
        prefetch_count=0,
        auto_complete_messages=True,
        max_auto_lock_renewal=300.0,
    )


def test_every_setting_is_read(tmp_path: Path) -> None:
    bus = {
        "maxConcurrentCalls": 4,
        "prefetchCount": 2,
        "autoCompleteMessages": False,
        "maxAutoLockRenewalDuration": "00:10:30",
    }
    document = {
        "version": "2.0",
        "functionTimeout": "01:00:00",
        "telemetryMode": "OpenTelemetry",
        "logging": {"logLevel": {"default": "Information"}},
        "extensions": {"http": {"routePrefix": ""}, "serviceBus": bus},
    }
    assert read(tmp_path, document) == HostJson(
        route_prefix="",
        function_timeout=3600.0,
        max_concurrent_calls=4,
        prefetch_count=2,
        auto_complete_messages=False,
        max_auto_lock_renewal=630.0,
    )


def test_a_timeout_of_minus_one_is_no_timeout(tmp_path: Path) -> None:
    assert read(tmp_path, {"version": "2.0", "functionTimeout": "-1"}).function_timeout is None


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, '"version" must be'),
        ([], "must be an object"),
        ({"version": "2.0", "functionTimeOut": "00:05:00"}, "unknown key functionTimeOut"),
        ({"version": "2.0", "functionTimeout": "5 minutes"}, "time span"),
        ({"version": "2.0", "functionTimeout": 300}, "functionTimeout"),
        ({"version": "2.0", "extensions": {"serviceBus": []}}, "extensions.serviceBus must be an object"),
        ({"version": "2.0", "extensions": {"servicebus": {}}}, "unknown key servicebus"),
        ({"version": "2.0", "extensions": {"serviceBus": {"maxConcurentCalls": 1}}}, "unknown key maxConcurentCalls"),
        ({"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": 0}}}, "at least 1"),
        ({"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": "4"}}}, "whole number"),
        ({"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": True}}}, "whole number"),
        ({"version": "2.0", "extensions": {"serviceBus": {"autoCompleteMessages": "no"}}}, "type bool"),
        ({"version": "2.0", "extensions": {"http": {"routePrefix": None}}}, "type str"),
    ],
)
def test_a_slip_in_host_json_is_named(tmp_path: Path, document: object, says: str) -> None:
    with pytest.raises(StartError, match=says):
        read(tmp_path, document)


def test_host_json_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(StartError, match="not valid JSON"):
        host_json.read(tmp_path / "host.json")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:05:00", 300.0), ("1.12:00:00", 129600.0), ("00:00:00.5000000", 0.5), ("00:05", 300.0)],
)
def test_a_time_span_is_read_in_seconds(text: str, seconds: float) -> None:
    assert host_json.time_span(text) == seconds
