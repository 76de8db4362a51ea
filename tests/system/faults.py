"""Faults and outages of the parts of a stack, and what the parts counted."""

import json
import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.system.stack import Stack, wait_for

_DEATHS, _WITHIN_SECONDS = 4, 10.5
"""One death of a part more than this, within this time, and the stack gives up."""


def arm(stack: Stack, **fault: Any) -> None:  # noqa: ANN401
    """Let something go wrong with the next item requests on container ``generations``; without a kind, nothing does."""
    wanted = {"container": "generations", **fault}
    httpx2.post(f"{stack.endpoints['cosmos_control']}/faults", json=wanted, timeout=10).raise_for_status()


def disarm(stack: Stack) -> None:
    httpx2.delete(f"{stack.endpoints['cosmos_control']}/faults", timeout=10).raise_for_status()


def count_from_now(stack: Stack) -> None:
    httpx2.delete(f"{stack.endpoints['cosmos_control']}/requests", timeout=10).raise_for_status()


def item_requests(stack: Stack, container: str = "generations") -> dict[str, int]:
    """Requests of a container's items since `count_from_now`, by operation."""
    counts: dict[str, dict[str, int]] = httpx2.get(f"{stack.endpoints['cosmos_control']}/requests", timeout=10).json()
    return counts.get(container, {})


COUNTING = ("cosmos", "management", "vault")
"""Parts that count what comes; the store counts requests of items only."""


def count_everything_from_now(stack: Stack) -> None:
    for part in COUNTING:
        httpx2.delete(f"{stack.endpoints[f'{part}_control']}/requests", timeout=10).raise_for_status()


def requests(stack: Stack) -> dict[str, int]:
    """Requests of each part since `count_everything_from_now`."""
    found = {part: httpx2.get(f"{stack.endpoints[f'{part}_control']}/requests", timeout=10).json() for part in COUNTING}
    store = sum(count for operations in found["cosmos"].values() for count in operations.values())
    return {"cosmos": store, **{part: sum(found[part].values()) for part in COUNTING[1:]}}


def change_app_settings(stack: Stack, **values: str) -> None:
    """Give the app other settings; its host reads them when it starts again."""
    path = stack.state / "local.settings.json"
    document = json.loads(path.read_text())
    document["Values"] |= values
    path.write_text(json.dumps(document))


@contextmanager
def down(stack: Stack, part: str) -> Iterator[None]:
    """Keep a part dead for the length of a ``with`` block: its port refuses connections."""
    described = stack.endpoints
    pid, supervisor = described["pids"][part], described["supervisor"]
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)
    wait_for(f"{part} to be back", lambda: stack.endpoints["pids"][part] != pid)


@dataclass(frozen=True, kw_only=True)
class Killer:
    """Kills parts, no part so often that the stack gives it up."""

    stack: Stack
    _killed: dict[str, deque[float]] = field(default_factory=dict)

    def kill(self, part: str) -> None:
        """SIGKILL a part, and return when it runs again."""
        killed = self._killed.setdefault(part, deque(maxlen=_DEATHS))
        if len(killed) == _DEATHS:
            time.sleep(max(0.0, killed[0] + _WITHIN_SECONDS - time.monotonic()))
        killed.append(time.monotonic())
        self.stack.kill(part)
