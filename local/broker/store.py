"""The broker's disk: messages of every entity in one SQLite file. Every public method is one transaction.

A message's content stands in a table of its own, so that a lock or a count rewrites some bytes and not 256 KB; a trigger
deletes it with its message. What is deleted is overwritten (see ``local.database``).
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from uuid import UUID, uuid4

from local.broker.messages import Message, MessageNotFoundError, State
from local.broker.queues import Entities, Entity
from local.broker.wire import Arrival
from local.database import Scrubber, connect

SCHEMA = """
CREATE TABLE IF NOT EXISTS entities (path TEXT PRIMARY KEY, settings TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sequences (path TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, sequence INTEGER NOT NULL, enqueue_sequence INTEGER NOT NULL,
    state INTEGER NOT NULL, enqueued_at REAL NOT NULL, ttl REAL, expires_at REAL, delivery_count INTEGER NOT NULL,
    lock_token TEXT UNIQUE, locked_until REAL, dead_letter_source TEXT, UNIQUE (path, sequence));
CREATE TABLE IF NOT EXISTS contents (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS seen (
    path TEXT NOT NULL, message_id TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (path, message_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ready ON messages (path, sequence) WHERE state = 0 AND lock_token IS NULL;
CREATE INDEX IF NOT EXISTS locked ON messages (locked_until) WHERE lock_token IS NOT NULL;
CREATE INDEX IF NOT EXISTS expiring ON messages (expires_at) WHERE state = 0 AND lock_token IS NULL;
CREATE INDEX IF NOT EXISTS scheduled ON messages (enqueued_at) WHERE state = 2;
CREATE INDEX IF NOT EXISTS forgetting ON seen (until);
CREATE TRIGGER IF NOT EXISTS content_ends AFTER DELETE ON messages BEGIN DELETE FROM contents WHERE id = old.id; END;
"""

LIVE = "(state <> 0 OR lock_token IS NOT NULL OR expires_at IS NULL OR expires_at > :now)"
"""Neither a lock, nor a deferral, nor a schedule ends at the message's own expiry."""


class Store:
    """Messages of all entities, and the paths at which some became available since somebody last asked.

    As in Service Bus, the messages of an entity that is no longer defined are gone. The settings of the entities lie beside
    the messages, so that whoever looks at the file sees what this broker goes by (``local.broker.counts``).
    """

    def __init__(self, file: Path, entities: Entities) -> None:
        self.entities = entities
        self.available: set[str] = set()
        self._database = connect(file)
        self._database.executescript(SCHEMA)
        self.scrubber = Scrubber(self._database)
        with self.transaction() as database:
            database.execute("DELETE FROM entities")
            settings = [(path, json.dumps(asdict(entity))) for path, entity in entities.items()]
            database.executemany("INSERT INTO entities VALUES (?, ?)", settings)
            database.execute("DELETE FROM messages WHERE path NOT IN (SELECT path FROM entities)")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block or nothing of it; it holds as soon as the block has ended, even if the process is killed."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise

    def is_due(self, now: float) -> bool:
        """Whether a lock, a message, a schedule or a remembered message id has come to its time."""
        row = self._database.execute(
            """SELECT EXISTS (SELECT 1 FROM messages WHERE lock_token IS NOT NULL AND locked_until <= :now)
            OR EXISTS (SELECT 1 FROM messages WHERE state = 0 AND lock_token IS NULL AND expires_at <= :now)
            OR EXISTS (SELECT 1 FROM messages WHERE state = 2 AND enqueued_at <= :now)
            OR EXISTS (SELECT 1 FROM seen WHERE until <= :now)""",
            {"now": now},
        ).fetchone()
        return bool(row[0])

    def admit(self, entity: Entity, arrivals: Sequence[Arrival], now: float) -> list[int]:
        """Store messages and return their sequence numbers.

        A message whose id was seen within the window is dropped in silence; its number then belongs to no message.
        """
        with self.transaction() as database:
            return [self._admit(database, entity, arrival, now) for arrival in arrivals]

    def lock(self, entity: Entity, count: int, now: float) -> list[Message]:
        """Lock up to ``count`` available messages, oldest first."""
        with self.transaction() as database:
            rows = _available(database, entity, count, now)
            return [lock_row(database, entity, row, now) for row in rows]

    def take(self, entity: Entity, count: int, now: float) -> list[Message]:
        """Remove up to ``count`` available messages, oldest first, and return them: receive and delete."""
        with self.transaction() as database:
            rows = _available(database, entity, count, now)
            database.executemany("DELETE FROM messages WHERE id = ?", [(row["id"],) for row in rows])
        return [message_of(row) for row in rows]

    def receive_deferred(self, entity: Entity, sequences: Sequence[int], now: float, *, delete: bool) -> list[Message]:
        """Lock, or remove, deferred messages by their numbers; raises ``MessageNotFoundError`` if one is not there."""
        messages = []
        with self.transaction() as database:
            for sequence in sequences:
                row = database.execute(
                    """SELECT * FROM messages JOIN contents USING (id)
                    WHERE path = ? AND sequence = ? AND state = 1 AND lock_token IS NULL""",
                    (entity.path, sequence),
                ).fetchone()
                if row is None:
                    raise MessageNotFoundError
                if delete:
                    database.execute("DELETE FROM messages WHERE id = ?", (row["id"],))
                messages.append(message_of(row) if delete else lock_row(database, entity, row, now))
        return messages

    def peek(self, entity: Entity, from_sequence: int, count: int, now: float) -> list[Message]:
        """Return messages of any state that are not expired, by sequence number."""
        rows = self._database.execute(
            f"""SELECT * FROM messages JOIN contents USING (id)
            WHERE path = :path AND sequence >= :first AND {LIVE} ORDER BY sequence LIMIT :count""",  # noqa: S608
            {"path": entity.path, "first": from_sequence, "count": count, "now": now},
        ).fetchall()
        return [message_of(row) for row in rows]

    def cancel(self, entity: Entity, sequences: Sequence[int]) -> None:
        """Remove scheduled messages; raises ``MessageNotFoundError``, removing none, if one is not there any more."""
        with self.transaction() as database:
            for sequence in sequences:
                gone = database.execute(
                    "DELETE FROM messages WHERE path = ? AND sequence = ? AND state = 2", (entity.path, sequence)
                )
                if not gone.rowcount:
                    raise MessageNotFoundError

    def _admit(self, database: sqlite3.Connection, entity: Entity, arrival: Arrival, now: float) -> int:
        sequence = next_sequence(database, entity.path)
        if _is_duplicate(database, entity, arrival.message_id, now):
            return sequence
        lives = [ttl for ttl in (arrival.ttl, entity.ttl_seconds) if ttl is not None]
        ttl = min(lives) if lives else None
        is_scheduled = arrival.scheduled_at is not None and arrival.scheduled_at > now
        enqueued_at = arrival.scheduled_at if is_scheduled and arrival.scheduled_at is not None else now
        row = database.execute(
            """INSERT INTO messages
            (path, sequence, enqueue_sequence, state, enqueued_at, ttl, expires_at, delivery_count)
            VALUES (?, ?, ?, ?, ?, ?, ?, 0)""",
            (
                entity.path,
                sequence,
                sequence,
                State.SCHEDULED if is_scheduled else State.ACTIVE,
                enqueued_at,
                ttl,
                None if ttl is None else enqueued_at + ttl,
            ),
        )
        database.execute("INSERT INTO contents (id, content) VALUES (?, ?)", (row.lastrowid, arrival.content))
        if not is_scheduled:
            self.available.add(entity.path)
        return sequence


def next_sequence(database: sqlite3.Connection, path: str) -> int:
    """Return the next sequence number of an entity; none is ever used twice."""
    row = database.execute(
        "INSERT INTO sequences VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET last = last + 1 RETURNING last", (path,)
    ).fetchone()
    return int(row[0])


def lock_row(database: sqlite3.Connection, entity: Entity, row: sqlite3.Row, now: float) -> Message:
    """Lock one message that is not locked."""
    token, until = uuid4(), now + entity.lock_seconds
    database.execute("UPDATE messages SET lock_token = ?, locked_until = ? WHERE id = ?", (str(token), until, row["id"]))
    return message_of(row, token=token, locked_until=until)


def message_of(row: sqlite3.Row, *, token: UUID | None = None, locked_until: float | None = None) -> Message:
    """Make a message from a row of ``messages`` joined with ``contents``, under the lock given."""
    return Message(
        path=row["path"],
        sequence=row["sequence"],
        enqueue_sequence=row["enqueue_sequence"],
        state=State(row["state"]),
        enqueued_at=row["enqueued_at"],
        ttl=row["ttl"],
        delivery_count=row["delivery_count"],
        lock_token=token,
        locked_until=locked_until,
        dead_letter_source=row["dead_letter_source"],
        content=row["content"],
    )


def _available(database: sqlite3.Connection, entity: Entity, count: int, now: float) -> list[sqlite3.Row]:
    return database.execute(
        """SELECT * FROM messages JOIN contents USING (id)
        WHERE path = ? AND state = 0 AND lock_token IS NULL AND (expires_at IS NULL OR expires_at > ?)
        ORDER BY sequence LIMIT ?""",
        (entity.path, now, count),
    ).fetchall()


def _is_duplicate(database: sqlite3.Connection, entity: Entity, message_id: str, now: float) -> bool:
    """Remember a message id for the entity's window; True when it is remembered already."""
    if entity.duplicate_detection_seconds is None:
        return False
    remembered = database.execute(
        """INSERT INTO seen VALUES (:path, :id, :until)
        ON CONFLICT (path, message_id) DO UPDATE SET until = :until WHERE until <= :now""",
        {"path": entity.path, "id": message_id, "until": now + entity.duplicate_detection_seconds, "now": now},
    )
    return not remembered.rowcount
