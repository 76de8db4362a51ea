"""Starts the host on a small sample app that a test writes into a folder."""

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parts import ROOT

PREAMBLE = "import asyncio, json, logging, os, time\nimport azure.functions as func\napp = func.FunctionApp()\n"


@dataclass(kw_only=True)
class Host:
    """A running host: its port, its process, and what it has logged."""

    port: int
    process: subprocess.Popen[str]
    log: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def printed(self) -> list[Any]:
        """What the app printed, as JSON."""
        return [json.loads(line["message"]) for line in self.lines() if line["category"] == "Host.Function.Console"]

    def wait_printed(self, count: int, *, seconds: float = 15) -> list[Any]:
        eventually(lambda: len(self.printed()) >= count, seconds=seconds)
        return self.printed()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=20)


def eventually(condition: Callable[[], object], *, seconds: float = 15) -> None:
    """Poll until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def write_app(folder: Path, source: str, host: Mapping[str, Any] | None = None) -> Path:
    """Write function_app.py and host.json into a folder of their own."""
    app = folder / "app"
    app.mkdir(exist_ok=True)
    (app / "function_app.py").write_text(PREAMBLE + textwrap.dedent(source))
    (app / "host.json").write_text(json.dumps({"version": "2.0", **(host or {})}))
    return app


def command(app: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "local.host", "--app", str(app), *arguments]


def environment(state: Path, **values: str) -> dict[str, str]:
    return {
        **os.environ,
        "LETHE_HTTP_PORT": "0",
        "LETHE_LOCAL_STATE": str(state / "state"),
        "LETHE_CLOCK_OFFSET_FILE": str(state / "clock-offset"),
        **values,
    }


def refused(app: Path, **values: str) -> str:
    """Run a host that must not start; what it says."""
    done = subprocess.run(  # noqa: S603
        command(app),
        cwd=ROOT,
        env=environment(app.parent, **values),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    return done.stderr


@contextmanager
def running(app: Path, *arguments: str, **values: str) -> Iterator[Host]:
    """Run the host for the length of a ``with`` block."""
    log = app.parent / "host.log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(  # noqa: S603
            command(app, *arguments),
            cwd=ROOT,
            env=environment(app.parent, **values),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready, log.read_text()
        assert json.loads(ready)["part"] == "http"
        try:
            yield Host(port=json.loads(ready)["port"], process=process, log=log)
        finally:
            process.kill()  # it must bear that at any time; a test of the orderly end calls stop()
