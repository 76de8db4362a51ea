"""Runs a Node program that drives a local part with an official JavaScript SDK."""

import fcntl
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "js"


@cache
def install() -> str | None:
    """Install the pinned packages once a session; the reason when that cannot be done here."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "Node.js and npm are not installed: the JavaScript SDK contract tests did not run"
    with (FOLDER / ".npmrc").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # another worker of the same test run may be installing
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"],  # noqa: S607
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    return None if done.returncode == 0 else f"npm install failed: {done.stderr[-500:]}"


def run(script: str, **environment: str) -> Any:  # noqa: ANN401
    """Run ``js/<script>`` and return the JSON that it prints last; fails with its standard error."""
    if reason := install():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(  # noqa: S603
        ["node", script],  # noqa: S607
        cwd=FOLDER,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
