"""The demo's statement: what the running stack says of each promise, as anybody may ask it."""

import json
import urllib.request
from typing import Any

from rich.table import Table

VIOLATED_HERE = {"geography": ["queue_submission_open"]}
"""What the samples break on purpose: three tenants share a stack whose queue takes unsigned requests."""

_DAY = 86_400
_WORDS = {
    "held_by_tests_of_this_commit": "held by tests of this version",
    "vendors_statement": "the vendor's statement",
    "not_built": "not built yet",
}


def read(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Ask for the public statement."""
    with urllib.request.urlopen(f"{endpoints['http']}/v1/privacy/statement") as answer:  # noqa: S310 - a loopback URL
        statement: dict[str, Any] = json.load(answer)
    return statement


def clocks(statement: dict[str, Any]) -> str:
    """Say for how long Lethe and Azure keep what they keep for abuse review, beside each other."""
    kept = statement["abuse_monitoring"]
    days = {name: seconds // _DAY for name, seconds in kept["lethe"].items()}
    published = kept["azure"]["longest_seconds"]
    return (
        f"For abuse review Lethe keeps what is flagged {days['longest_seconds']} days, sealed; after "
        f"{days['unrecoverable_after_seconds']} days nobody can open it. Azure keeps what it selects itself, "
        f"{'for a time of which it publishes no number' if published is None else f'{published // _DAY} days'}; "
        "nothing for who opted out of that."
    )


def table(promises: list[dict[str, Any]]) -> Table:
    """Return the state of each promise, for reading."""
    rows = Table(title="The privacy statement: GET /v1/privacy/statement", title_justify="left", header_style="bold")
    for name in ("promise", "state", "because", "basis", ""):
        rows.add_column(name, overflow="fold")
    for promise in promises:
        rows.add_row(
            promise["id"], promise["state"], _because(promise), promise["basis"], "✓" if _is_as_expected(promise) else "✗"
        )
    return rows


def failed_expectations(promises: list[dict[str, Any]]) -> list[str]:
    """Say which promises of the running service are not stated as they must be."""
    failures = [f"statement: {one['id']} is {one['state']} ({_because(one)})" for one in promises if not _is_as_expected(one)]
    return failures if promises else ["statement: it is empty"]


def _is_as_expected(promise: dict[str, Any]) -> bool:
    """Whether a checked promise holds, but for what the samples break; the others are never said to hold."""
    if promise["id"] in VIOLATED_HERE:
        return bool(promise["state"] == "violated" and promise["causes"] == VIOLATED_HERE[promise["id"]])
    checked = promise["basis"] == "runtime" and promise["why"] != "not_built"
    return bool(promise["state"] == ("holding" if checked else "unknown"))


def _because(promise: dict[str, Any]) -> str:
    if promise["state"] == "holding":
        return "every check of the last run"
    why = _WORDS.get(promise["why"], promise["why"].replace("_", " "))
    return ": ".join(
        [why, *(["the samples' queue takes unsigned requests"] if promise["id"] in VIOLATED_HERE else promise["causes"])]
    )
