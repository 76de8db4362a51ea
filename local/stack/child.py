"""A whole stack as a child process, for programs that want one of their own: the demo, the system tests."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.parts import PORTS
from local.stack.errors import StackError

_ROOT = Path(__file__).parent.parent.parent
_UP_SECONDS = 150
_END_SECONDS = 40


@dataclass(frozen=True, kw_only=True)
class ChildStack:
    """A stack that runs on ``state`` in a process of its own."""

    state: Path
    process: subprocess.Popen[str]

    @property
    def endpoints(self) -> dict[str, Any]:
        """What ``endpoints.json`` says now; process ids and tokens change while the stack lives."""
        described: dict[str, Any] = json.loads((self.state / "endpoints.json").read_text(encoding="utf-8"))
        return described

    def wait_until_up(self) -> None:
        """Return once everything listens; raise StackError, with what the stack said, when it ended instead."""
        until = time.monotonic() + _UP_SECONDS
        while not self._is_up():
            if self.process.poll() is not None:
                _, said = self.process.communicate()
                raise StackError(said.strip() or "The stack ended before it was up.")
            if time.monotonic() > until:
                raise StackError(f"The stack was not up after {_UP_SECONDS} s.")
            time.sleep(0.05)

    def _is_up(self) -> bool:
        """Whether the file is this stack's, and not one that another or a killed stack left."""
        try:
            return bool(self.endpoints["supervisor"] == self.process.pid)
        except FileNotFoundError:
            return False

    def end(self) -> int:
        """Ask the stack to end and return its exit code."""
        self.process.terminate()
        self.process.communicate(timeout=_END_SECONDS)
        return self.process.returncode


def launch(state: Path, **environment: str) -> ChildStack:
    """Start a stack on free ports; it ends with this process, however that ends."""
    state = state.resolve()
    inherited = {name: value for name, value in os.environ.items() if name != "LETHE_CLOCK_OFFSET_FILE"}
    free = {variable: "0" for variable, _ in PORTS.values()}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.stack", "--attached"],
        cwd=_ROOT,
        env={**inherited, **free, "LETHE_LOCAL_STATE": str(state), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return ChildStack(state=state, process=process)


@contextmanager
def running(state: Path, **environment: str) -> Iterator[ChildStack]:
    """Run a stack for the length of a ``with`` block."""
    stack = launch(state, **environment)
    try:
        stack.wait_until_up()
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.end()
        for stream in (stack.process.stdin, stack.process.stdout, stack.process.stderr):
            if stream is not None:
                stream.close()
