"""The app's only clock. Every deadline is an absolute time of this clock, in seconds since the epoch.

``LETHE_CLOCK_OFFSET_FILE`` names a text file with an offset in seconds, by which tests let thirty days pass in the app and
in the local stack at once. It is read on each call and refused in production (`shared.settings`).
"""

import time
from collections.abc import Callable
from pathlib import Path

type Clock = Callable[[], float]


def clock(offset_file: Path | None) -> Clock:
    """Return the clock: the machine's own, or the same plus what stands in the offset file."""
    if offset_file is None:
        return time.time

    def shifted() -> float:
        try:
            offset = float(offset_file.read_text(encoding="ascii") or 0)
        except FileNotFoundError:
            offset = 0.0
        return time.time() + offset

    return shifted
