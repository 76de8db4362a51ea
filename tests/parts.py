"""Starts parts of the local stack as the processes that they are."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(kw_only=True)
class Part:
    """A running part: its port, and its process to kill."""

    name: str
    port: int
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait()


def start(name: str, state: Path, **environment: str) -> Part:
    """Start ``python -m local.<name>`` with its own state folder and wait until it says that it listens."""
    port_variable = f"LETHE_{name.upper()}_PORT"
    settings = {
        **os.environ,
        port_variable: "0",
        "LETHE_LOCAL_STATE": str(state),
        "LETHE_CLOCK_OFFSET_FILE": str(state / "clock-offset"),
        **environment,
    }
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", f"local.{name}"], cwd=ROOT, env=settings, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"{name} ended before it was ready (exit {process.wait()})"
    return Part(name=name, port=int(json.loads(line)["port"]), process=process)


@contextmanager
def running(name: str, state: Path, **environment: str) -> Iterator[Part]:
    """Run a part for the length of a ``with`` block."""
    part = start(name, state, **environment)
    try:
        yield part
    finally:
        part.process.terminate()
        part.process.wait(timeout=20)
        if part.process.stdout is not None:
            part.process.stdout.close()
