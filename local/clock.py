"""The clock of every part of the local stack: wall time plus an offset that a test may move at any moment.

The offset stands in a small text file (seconds, may be a fraction) named by ``LETHE_CLOCK_OFFSET_FILE``; the app under
test reads the same file. It is read on each call, so that thirty days pass at once and in all processes.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path


def offset() -> float:
    """Seconds by which the stack runs ahead of the machine; 0 without a file."""
    path = os.environ.get("LETHE_CLOCK_OFFSET_FILE")
    if not path:
        return 0.0
    try:
        return float(Path(path).read_text(encoding="ascii") or 0)
    except FileNotFoundError:
        return 0.0


def now() -> float:
    """Seconds since the epoch, offset included."""
    return time.time() + offset()


def utcnow() -> datetime:
    """The same moment as an aware UTC datetime."""
    return datetime.fromtimestamp(now(), UTC)


def advance(seconds: float) -> None:
    """Move the whole stack's clock forward; atomic, because readers never lock the file."""
    path = Path(os.environ["LETHE_CLOCK_OFFSET_FILE"])
    fresh = path.with_suffix(".new")
    fresh.write_text(repr(offset() + seconds), encoding="ascii")
    fresh.replace(path)
