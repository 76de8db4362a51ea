"""The check of a running stack's configuration: what it logged and recorded, and what it is told of services."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx2

from local.management import ids
from tests.system.stack import Stack, running_stack, wait_for

OPEN = {f"queue_submission_open:{tenant}" for tenant in ("adatum", "contoso", "fabrikam")}
LOCAL = OPEN | {"store_local_auth:lethe"}
"""What the embedded stack cannot do without: open submission for everybody, and a key for the store."""
CANARY = f"canary{token_hex(8)}"


@contextmanager
def checked_stack(folder: Path) -> Iterator[Stack]:
    """Run a stack whose timer, and so the check, runs every second."""
    with (
        running_stack(folder, LETHE_RETENTION_SCHEDULE="* * * * * *") as started,
        started.keeping_connections() as running,
    ):
        yield running


def host_lines(stack: Stack) -> list[dict[str, Any]]:
    """Whole lines of the host's log, but for the one that says where it listens."""
    whole, _, _ = (stack.state / "logs" / "host.log").read_text().rpartition("\n")
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return [line for line in lines if "message" in line]


def said(stack: Stack, function: str | None = None) -> list[dict[str, Any]]:
    """What the app logged of its configuration, in one function or in all."""
    lines = [line for line in host_lines(stack) if line.get("logger") == "lethe"]
    events = [json.loads(line["message"]) for line in lines if function in {None, line["category"].removesuffix(".User")[9:]}]
    return [one for one in events if one["event"].startswith("configuration_") or one.get("step") == "configuration"]


def runs(stack: Stack) -> int:
    return sum("Executed 'Functions.enforce_retention'" in line["message"] for line in host_lines(stack))


def records(stack: Stack) -> list[dict[str, Any]]:
    """Evidence, oldest first."""
    query = "SELECT * FROM c WHERE c.sequence > 0 ORDER BY c.sequence"
    return list(stack.store.container("evidence").query_items(query, partition_key="configuration"))


def wait_for_record(stack: Stack, findings: set[str], *unchecked: str) -> dict[str, Any]:
    """Wait until the newest evidence says exactly this; return its fields."""

    def newest() -> dict[str, Any] | None:
        found = records(stack)
        fields: dict[str, Any] = found[-1]["fields"] if found else {"findings": [], "unchecked": None}
        return fields if (set(fields["findings"]), fields["unchecked"]) == (findings, [*unchecked]) else None

    return wait_for(f"evidence of {sorted(findings)} and not of {unchecked}", newest, seconds=20)


@contextmanager
def overridden(stack: Stack, *overrides: dict[str, Any]) -> Iterator[None]:
    """Let the management endpoint say something else about resources for the length of a ``with`` block."""
    url = f"{stack.endpoints['management_control']}/overrides"
    try:
        for override in overrides:
            httpx2.post(url, json=override, timeout=10).raise_for_status()
        yield
    finally:
        httpx2.delete(url, timeout=10).raise_for_status()


def unlogged(*capabilities: dict[str, str]) -> dict[str, Any]:
    """What Azure says of the resource of the tenant that opted out."""
    return {"id": ids.account("unlogged"), "properties": {"capabilities": [{"name": "VirtualNetworks"}, *capabilities]}}


def has_failed(stack: Stack) -> bool:
    """Whether a check, or anything else, has failed since the start."""
    kinds = {record["kind"] for record in records(stack)}
    logs = stack.logs()
    return kinds != {"configuration_checked"} or "retention_step_failed" in logs or "invocation_failed" in logs
