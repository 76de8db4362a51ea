"""What of host.json matters to a host on one machine."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import StartError

_TOP_LEVEL = {
    "$schema", "version", "aggregator", "concurrency", "extensionBundle", "extensions", "functionTimeout",
    "healthMonitor", "logging", "managedDependency", "singleton", "telemetryMode", "watchDirectories", "watchFiles",
}  # fmt: skip
_SERVICE_BUS = {
    "autoCompleteMessages", "clientRetryOptions", "enableCrossEntityTransactions", "maxAutoLockRenewalDuration",
    "maxBatchWaitTime", "maxConcurrentCalls", "maxConcurrentCallsPerSession", "maxConcurrentSessions",
    "maxMessageBatchSize", "minMessageBatchSize", "prefetchCount", "sessionIdleTimeout", "transportType", "webProxy",
}  # fmt: skip
_HTTP = {
    "customHeaders", "dynamicThrottlesEnabled", "hsts", "maxConcurrentRequests", "maxOutstandingRequests", "routePrefix",
}  # fmt: skip
_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,7})?))?")


@dataclass(frozen=True, kw_only=True)
class HostJson:
    """Settings of host.json with the defaults of Azure Functions; durations in seconds."""

    route_prefix: str = "api"
    function_timeout: float | None = 1800.0
    """None means without limit (``-1``)."""
    max_concurrent_calls: int = 16
    """Per function. Azure's default is 16 for each core; a development machine counts as one."""
    prefetch_count: int = 0
    auto_complete_messages: bool = True
    max_auto_lock_renewal: float = 300.0


def read(path: Path) -> HostJson:
    """Read host.json; a key that Azure Functions does not document is an error, so that a typing slip is seen."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StartError(f"{path.name} is missing: this is not the folder of a function app") from None
    except ValueError:
        raise StartError("host.json is not valid JSON") from None
    top = _section({"": document}, "", known=_TOP_LEVEL, where="host.json")
    if top.get("version") != "2.0":
        raise StartError('host.json: "version" must be "2.0"')
    extensions = _section(top, "extensions", known={"http", "serviceBus", "timers"}, where="extensions")
    http = _section(extensions, "http", known=_HTTP, where="extensions.http")
    bus = _section(extensions, "serviceBus", known=_SERVICE_BUS, where="extensions.serviceBus")
    default = HostJson()
    return HostJson(
        route_prefix=_value(http, "routePrefix", str, default.route_prefix).strip("/"),
        function_timeout=_timeout(top.get("functionTimeout")),
        max_concurrent_calls=_count(bus, "maxConcurrentCalls", default.max_concurrent_calls, least=1),
        prefetch_count=_count(bus, "prefetchCount", default.prefetch_count, least=0),
        auto_complete_messages=_value(bus, "autoCompleteMessages", bool, default.auto_complete_messages),
        max_auto_lock_renewal=time_span(_value(bus, "maxAutoLockRenewalDuration", str, "00:05:00")),
    )


def time_span(text: str) -> float:
    """Seconds of a .NET time span such as ``00:05:00`` or ``1.12:00:00``."""
    match = _TIME_SPAN.fullmatch(text)
    if match is None:
        raise StartError(f"{text!r} is not a time span like 00:05:00")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _timeout(text: object) -> float | None:
    if text is None:
        return HostJson().function_timeout
    if text in {"-1", -1}:
        return None
    if not isinstance(text, str):
        raise StartError("host.json: functionTimeout must be a time span")
    return time_span(text)


def _section(parent: dict[str, Any], name: str, *, known: set[str], where: str) -> dict[str, Any]:
    found = parent.get(name, {})
    if not isinstance(found, dict):
        raise StartError(f"host.json: {where} must be an object")
    if unknown := sorted(found.keys() - known):
        raise StartError(f"host.json: {where} has the unknown key {unknown[0]}")
    return found


def _value[T](section: dict[str, Any], key: str, kind: type[T], default: T) -> T:
    value = section.get(key, default)
    if not isinstance(value, kind):
        raise StartError(f"host.json: {key} must be of type {kind.__name__}")
    return value


def _count(section: dict[str, Any], key: str, default: int, *, least: int) -> int:
    value = section.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise StartError(f"host.json: {key} must be a whole number of at least {least}")
    return value
