"""Parts that outlived a supervisor which was killed.

Whoever holds the lock of a state folder owns every part that runs on it. Where the system has no ``/proc``, nothing is
found here, and the port of an orphan is reported as in use.
"""

import os
import signal
import time
from pathlib import Path

_PROCESSES = Path("/proc")
_POLL_SECONDS = 0.05


def end(state: Path, *, patience: float = 15) -> int:
    """End the parts left over on this state folder and return how many there were; SIGKILL after ``patience`` s."""
    orphans = _find(state)
    for pid in orphans:
        _signal(pid, signal.SIGTERM)
    until = time.monotonic() + patience
    while _find(state) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    for pid in _find(state):
        _signal(pid, signal.SIGKILL)
    return len(orphans)


def _find(state: Path) -> list[int]:
    mark = f"LETHE_LOCAL_STATE={state}".encode()
    found = []
    for folder in _PROCESSES.glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # ended meanwhile, or another user's
            continue
        is_part = any(word.startswith(b"local.") and word != b"local.stack" for word in command)
        if is_part and mark in environment and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
