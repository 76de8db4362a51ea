"""``make run`` without a file: all samples, a table of what became of them, and whether it is what had to become of them."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from local.demo import progress
from local.demo.client import REJECTED, REQUESTS, Client
from local.demo.samples import ASKED_TWICE, BATCH, FORGOTTEN, FORGOTTEN_SECONDS, SHORTENED_SECONDS, Ending, Sample

_PATIENCE_SECONDS = 60
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Found:
    """What became of a sample: its ending, and its output document where it has one."""

    ending: Ending
    output: dict[str, Any] | None = None


def run(client: Client, console: Console, samples: list[Sample]) -> dict[str, Found]:
    """Submit all samples and wait until each has ended; by name of the sample."""
    console.print(f"Submitting {len(samples)} sample requests to the queue generation-requests ...")
    found: dict[str, Found] = {}
    with progress.showing(console, "requests that have ended", len(samples)) as show:
        for phase in sorted({sample.phase for sample in samples}):
            client.submit([sample.body for sample in samples if sample.phase == phase])
            sent = [sample for sample in samples if sample.phase <= phase]
            until = time.monotonic() + _PATIENCE_SECONDS
            while (len(found) < len(sent) or client.peek(REQUESTS)) and time.monotonic() < until:
                time.sleep(_POLL_SECONDS)
                found = _look(client, sent)
                show(len(found))
    return found


def _look(client: Client, samples: list[Sample]) -> dict[str, Found]:
    rejections = {message.body: message.properties for message in client.peek(REJECTED)}
    outputs = {
        (tenant, output["custom_id"]): output
        for tenant in {sample.tenant for sample in samples}
        for output in client.documents(tenant, "output", batch=BATCH)
    }
    found = {}
    for sample in samples:
        rejection = rejections.get(sample.body)
        output = outputs.get((sample.tenant, sample.key))
        if rejection is not None:
            detail = f"{rejection.get('reason')}: {rejection.get('field')}"
            found[sample.name] = Found(ending=Ending(status="rejected", detail=detail))
        elif output is not None and sample.expected.status != "rejected":
            found[sample.name] = Found(ending=_ending(output), output=output)
    return found


def _ending(output: dict[str, Any]) -> Ending:
    error, content_filter = output["error"], output["content_filter"]
    detail = error["code"] if error else content_filter["outcome"] if content_filter else ""
    return Ending(status=output["status"], detail=detail)


def table(samples: list[Sample], found: dict[str, Found]) -> Table:
    """Return what became of the samples, for reading."""
    rows = Table(title="What became of the requests", title_justify="left", header_style="bold")
    for name in ("key", "url", "what was asked", "status", "outcome or reason", "finished", "deadline", ""):
        rows.add_column(name, overflow="fold")
    for sample in samples:
        result = found.get(sample.name)
        if result is None:
            rows.add_row(sample.name, sample.url, sample.asks, "no end yet", "", "", "", "✗")
            continue
        output = result.output or {}
        rows.add_row(
            sample.name,
            sample.url,
            sample.asks,
            result.ending.status,
            result.ending.detail,
            _clock(output.get("completed_at")),
            _deadline(output),
            "✓" if result.ending == sample.expected else "✗",
        )
    return rows


def failed_expectations(client: Client, samples: list[Sample], found: dict[str, Found]) -> list[str]:
    """Say of each sample that did not end as it must what was expected and what was found."""
    failures = []
    for sample in samples:
        result = found.get(sample.name)
        if result is None:
            failures.append(f"{sample.name}: no end within {_PATIENCE_SECONDS} s")
        elif result.ending != sample.expected:
            failures.append(f"{sample.name}: expected {_words(sample.expected)}, found {_words(result.ending)}")
    failures += _failed_facts(client, {name: result.output for name, result in found.items() if result.output is not None})
    return failures


def _failed_facts(client: Client, outputs: dict[str, dict[str, Any]]) -> list[str]:
    """Check what the endings alone do not show; a sample that has no output was reported by its ending."""
    failures = []
    if (short := outputs.get("short")) and _kept(short) != SHORTENED_SECONDS:
        failures.append("short: its deadline is not the one it asked for")
    if (forgotten := outputs.get(FORGOTTEN)) and _kept(forgotten) != FORGOTTEN_SECONDS:
        failures.append(f"{FORGOTTEN}: its deadline is not the one of its tenant")
    if (tool := outputs.get("tool")) and not _calls_a_function(tool):
        failures.append("tool: the answer does not call the function")
    if (calls := client.model_calls(ASKED_TWICE)) != 1:
        failures.append(f"answer (again): not the job of the first, because the model was called {calls} times")
    return failures


def _calls_a_function(output: dict[str, Any]) -> bool:
    return any(item["type"] == "function_call" for item in output["response"]["body"]["output"])


def _kept(output: dict[str, Any]) -> int:
    """Return the whole seconds from admission to deadline."""
    return round(float(output["expires_at"]) - float(output["created_at"]))


def _words(ending: Ending) -> str:
    return f"{ending.status} ({ending.detail})" if ending.detail else ending.status


def _clock(moment: float | None) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S") if moment else ""


def _deadline(output: dict[str, Any]) -> str:
    return f"{datetime.fromtimestamp(output['expires_at'], UTC):%d %b %H:%M:%S} ({_length(_kept(output))})" if output else ""


def _length(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds} s"
