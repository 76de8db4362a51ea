"""The demo's last part: one output before its deadline and after it, as reads and as bytes on the disk."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azure.cosmos.exceptions import CosmosResourceNotFoundError
from rich.console import Console

from local.demo import footprint
from local.demo.client import Client

_LATEST_SECONDS = 25
"""Seconds after the deadline by which the bytes must be gone: the timer's 5 s, else the grace of 15 s and a sweep."""

_POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One output, and the text in it by which its bytes are known."""

    output: dict[str, Any]
    canary: str
    state: Path

    def is_readable(self, client: Client) -> bool:
        """Whether the store still gives the output to somebody who may read everything."""
        try:
            client.container("generations").read_item("output", [self.output["tenantId"], self.output["jobId"]])
        except CosmosResourceNotFoundError:
            return False
        return True

    def files(self) -> list[str]:
        """Files of the stack's state that hold the text."""
        return footprint.files_with(self.canary, self.state)


def watch(client: Client, console: Console, watched: Watch) -> list[str]:
    """Show the output and its bytes while they are there, and again once they are gone; return what did not hold."""
    deadline = float(watched.output["expires_at"])
    console.print(f"\nForgetting: the output of tenant adatum, whose deadline is {_clock(deadline)}")
    failures = []
    readable, files = watched.is_readable(client), watched.files()
    console.print(f"  {_clock(time.time())}  in the store: {_yes(readable)}; its text is in: {', '.join(files) or 'no file'}")
    if not readable or not files:
        failures.append("forgetting: the output was not there before its deadline")
    while (readable or files) and time.time() < deadline + _LATEST_SECONDS:
        time.sleep(_POLL_SECONDS)
        readable, files = watched.is_readable(client), watched.files()
    console.print(f"  {_clock(time.time())}  in the store: {_yes(readable)}; its text is in: {', '.join(files) or 'no file'}")
    if readable or files:
        failures.append(f"forgetting: the output was still there {_LATEST_SECONDS} s after its deadline")
    elif time.time() < deadline:
        failures.append("forgetting: the output was gone before its deadline")
    return failures


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S}"


def _yes(there: bool) -> str:  # noqa: FBT001
    return "yes" if there else "no"
