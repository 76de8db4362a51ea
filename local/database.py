"""SQLite as the disk of the local parts, set up so that deleted text is really gone from the file."""

import sqlite3
from pathlib import Path


def connect(path: Path) -> sqlite3.Connection:
    """Open a database whose deletes overwrite what they delete.

    ``secure_delete`` zeroes freed pages, and ``journal_mode=DELETE`` leaves no second file behind (in WAL mode deleted
    text stayed in the ``-wal`` file until a truncating checkpoint). ``synchronous=OFF``: a commit survives SIGKILL of
    the process, not a power cut of the machine; these are development parts.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=DELETE", "secure_delete=ON", "synchronous=OFF", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.row_factory = sqlite3.Row
    return connection
