"""What time alone does: locks run out, scheduled messages become active, expired ones go, message ids are forgotten."""

import sqlite3

from local.broker.settlement import expire, unlock
from local.broker.store import Store, next_sequence


def sweep(store: Store, now: float) -> None:
    """Bring every message to the state that it has at ``now``, in one transaction."""
    if not store.is_due(now):
        return
    with store.transaction() as database:
        for row in database.execute(
            "SELECT id FROM messages WHERE lock_token IS NOT NULL AND locked_until <= ? ORDER BY locked_until", (now,)
        ).fetchall():
            unlock(store, database, row["id"], now, counted=True)
        for row in database.execute(
            "SELECT id, path FROM messages WHERE state = 2 AND enqueued_at <= ? ORDER BY enqueued_at, sequence", (now,)
        ).fetchall():
            _activate(store, database, row["id"], row["path"])
        for row in database.execute(
            "SELECT id, path FROM messages WHERE state = 0 AND lock_token IS NULL AND expires_at <= ?", (now,)
        ).fetchall():
            expire(store, database, store.entities[row["path"]], row["id"])
        database.execute("DELETE FROM seen WHERE until <= ?", (now,))


def _activate(store: Store, database: sqlite3.Connection, message: int, path: str) -> None:
    """Make a scheduled message available, at the queue's end and so under a new sequence number, as Service Bus does."""
    database.execute("UPDATE messages SET state = 0, sequence = ? WHERE id = ?", (next_sequence(database, path), message))
    store.available.add(path)
