"""The desk of an operator: documents of their own, the command, and all that it has said."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.parts import ROOT
from tests.system.policy_command import Done
from tests.system.stack import Stack

PATIENCE = 0.3
"""Seconds after which the command gives a service up here; a minute, when an operator runs it."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the command; ``faults`` are armed in the store while it lasts, ``code`` is how it has to end."""

    path: str
    arguments: tuple[str, ...] = field(repr=False)
    code: int
    token: str | None = field(default=None, repr=False)
    faults: tuple[dict[str, object], ...] = ()
    settings: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Files lie outside of the stack's state, because they are the operator's and not the service's."""

    stack: Stack
    folder: Path
    said: dict[str, Done] = field(default_factory=dict, repr=False)
    unexpected: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Path:
        """The app's settings, as the stack has written them."""
        return self.stack.state / "local.settings.json"

    def document(self, content: object) -> str:
        """Write a document and return its path."""
        path = self.folder / f"document-{len(list(self.folder.iterdir()))}.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    def changed_settings(self, **values: object) -> Path:
        """Write the app's settings with some changed."""
        settings = json.loads(self.settings.read_text(encoding="utf-8"))
        return Path(self.document(settings | {"Values": settings["Values"] | values}))

    def run(self, runs: Iterable[Run]) -> list[Done]:
        """Run the command so often, one after the other, and remember what it said."""
        chosen = [*runs]
        given = {
            "faults": f"{self.stack.endpoints['cosmos_control']}/faults",
            "patience": PATIENCE,
            "runs": [self._wanted(each) for each in chosen],
        }
        process = subprocess.run(
            [sys.executable, "-m", "tests.privacy.operator_driver"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("LETHE_")},
            input=json.dumps(given).encode(),
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert process.returncode == 0, process.stderr.decode()
        self.note("the end of a process", Done(code=0, out="", err=process.stderr.decode()))
        ended = [Done(**each) for each in json.loads(process.stdout)]
        for each, done in zip(chosen, ended, strict=True):
            self.note(each.path, done, code=each.code)
        return ended

    def note(self, path: str, done: Done, *, code: int = 0) -> None:
        """Remember what a run said."""
        if done.code != code or "Traceback" in done.err:
            self.unexpected.append(f"{path}: {done.code}{', with a traceback' if 'Traceback' in done.err else ''}")
        self.said[f"{len(self.said)} to {path}"] = done

    def _wanted(self, run: Run) -> dict[str, Any]:
        return {
            "arguments": ["--settings", str(run.settings or self.settings), *run.arguments],
            "token": self.stack.endpoints["tokens"]["operator"] if run.token is None else run.token,
            "faults": [{"container": "policies", "count": 1000, **fault} for fault in run.faults],
        }
