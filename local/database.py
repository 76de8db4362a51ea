"""SQLite as the disk of the local parts, set up so that deleted text is really gone from the file."""

import sqlite3
import time
from pathlib import Path


def connect(path: Path) -> sqlite3.Connection:
    """Open a database whose deletes overwrite what they delete.

    ``secure_delete`` zeroes what is freed, `Scrubber` does the rest, and ``journal_mode=DELETE`` leaves no second file behind
    (in WAL mode deleted text stayed in the ``-wal`` file until a truncating checkpoint). ``synchronous=OFF``: a commit survives
    SIGKILL of the process, not a power cut of the machine; these are development parts.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=DELETE", "secure_delete=ON", "synchronous=OFF", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.row_factory = sqlite3.Row
    return connection


class Scrubber:
    """Rewrites a database now and then, so that no deleted text stays in its file.

    ``secure_delete`` alone is not enough: when SQLite moves rows between pages it leaves old copies in the unused space of a
    page (in a trial, of about one deleted text in a thousand).
    """

    _REST = 20
    """It rests this many times as long as it took, and so takes at most a twentieth of the time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._changes = -1
        self._rest_until = 0.0

    def scrub(self) -> None:
        """Rewrite the file if anything was written since the last time, and it has rested. Not inside a transaction."""
        started = time.monotonic()
        if started < self._rest_until or self._connection.total_changes == self._changes:
            return
        self._connection.execute("VACUUM")
        self._changes = self._connection.total_changes
        ended = time.monotonic()
        self._rest_until = ended + self._REST * (ended - started)
