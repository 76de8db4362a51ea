"""A whole stack for a test, and what a test does with it: submit, wait, read, crash a part, move the clock."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from local import clock
from local.demo.client import REJECTED, Client, Message
from local.stack import child

POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 0.25
"""A look may be a query: what takes long is not asked for twenty times a second, which would slow down the stack itself."""


def wait_for[T](what: str, look: Callable[[], T | None], *, seconds: float = 30) -> T:
    """Return the first true value that ``look`` gives; fail the test, saying what was awaited, when there is none."""
    until, pause = time.monotonic() + seconds, POLL_SECONDS
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(pause)
        pause = min(pause * 1.2, LONGEST_POLL_SECONDS)
    pytest.fail(f"waited {seconds} s in vain for: {what}")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A running stack. Everything in it may crash; its state folder is ``state``."""

    child: child.ChildStack
    store: Client
    """Reads the stores; kept, because the SDK leaves sockets open when a client is closed during its own first look round."""

    queues: Client | None = None
    """Kept connections to the broker, if there are any."""

    @property
    def state(self) -> Path:
        return self.child.state

    @property
    def endpoints(self) -> dict[str, Any]:
        """Read anew each time: process ids and tokens change."""
        return self.child.endpoints

    def kill(self, part: str) -> None:
        """SIGKILL a part; return when it runs again on its port."""
        pid = self.endpoints["pids"][part]
        os.kill(pid, signal.SIGKILL)
        wait_for(f"{part} to be restarted", lambda: self.endpoints["pids"][part] != pid)

    @contextmanager
    def down(self, part: str) -> Iterator[None]:
        """Keep a part dead for the length of a ``with`` block; return when it runs again on its port."""
        described = self.endpoints
        pid = described["pids"][part]
        os.kill(described["supervisor"], signal.SIGSTOP)  # or it would be restarted at once
        try:
            os.kill(pid, signal.SIGKILL)
            yield
        finally:
            os.kill(described["supervisor"], signal.SIGCONT)
        wait_for(f"{part} to be restarted", lambda: self.endpoints["pids"][part] != pid)

    @contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """Let a part take connections and answer nothing for the length of a ``with`` block."""
        pid = self.endpoints["pids"][part]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def advance(self, seconds: float) -> None:
        """Move the clock of the whole stack forward."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LETHE_CLOCK_OFFSET_FILE", self.endpoints["clock_offset_file"])
            clock.advance(seconds)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Connections to the broker: the kept ones, or new ones, so that no test depends on what another one broke."""
        if self.queues:
            yield self.queues
            return
        with Client(self.endpoints) as client:
            yield client

    @contextmanager
    def keeping_connections(self) -> Iterator["Stack"]:
        """The same stack for tests that do not kill the broker: to open and close a connection takes a second."""
        with self.client() as client:
            yield replace(self, queues=client)

    def submit(self, envelopes: Sequence[dict[str, Any] | bytes], **properties: Any) -> None:  # noqa: ANN401
        """Send one message each to ``generation-requests``; bytes go as they are, ``properties`` to each message."""
        bodies = [envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode() for envelope in envelopes]
        with self.client() as client:
            client.submit(bodies, **properties)

    def outputs(self, tenant: str, batch: str | None = None) -> list[dict[str, Any]]:
        """Output documents of a tenant, of all batches or of one."""
        return self.store.documents(tenant, "output", batch=batch)

    def receipts(self, tenant: str) -> list[dict[str, Any]]:
        """Receipts of a tenant."""
        return self.store.documents(tenant, "receipt")

    def events(self, tenant: str) -> list[dict[str, Any]]:
        """Event documents of a tenant."""
        return self.store.documents(tenant, "event")

    def model_calls(self, prompt: str) -> int:
        """How often the model was asked this prompt."""
        return self.store.model_calls(prompt)

    def wait_for_outputs(self, tenant: str, batch: str, count: int, *, seconds: float = 30) -> list[dict[str, Any]]:
        """Return the outputs of a batch once there are ``count`` of them."""

        def enough() -> list[dict[str, Any]] | None:
            found = self.outputs(tenant, batch)
            return found if len(found) >= count else None

        return wait_for(f"{count} outputs of {batch}", enough, seconds=seconds)

    def rejected(self) -> list[Message]:
        """Messages of ``generation-rejected``; they stay there."""
        return self.peek(REJECTED)

    def peek(self, queue: str) -> list[Message]:
        """Messages of a queue, scheduled ones included; they stay there."""
        with self.client() as client:
            return client.peek(queue)

    def logs(self) -> str:
        """Everything that all parts wrote to their logs."""
        return "".join(path.read_text(errors="replace") for path in sorted((self.state / "logs").glob("*.log")))


@contextmanager
def running_stack(folder: Path, **environment: str) -> Iterator[Stack]:
    """Run a whole stack on ``folder``, on free ports, for the length of a ``with`` block."""
    with child.running(folder, **environment) as stack, Client(stack.endpoints) as store:
        yield Stack(child=stack, store=store)
