"""Databases and containers in one SQLite file, and the transaction that every write of this endpoint runs in."""

import base64
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local import clock
from local.cosmos.documents import Document, decode_object, encode
from local.cosmos.errors import conflict, not_found
from local.database import Scrubber, connect

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS databases (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, etag TEXT NOT NULL, ts INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS containers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    database INTEGER NOT NULL REFERENCES databases(number), id TEXT NOT NULL,
    definition TEXT NOT NULL, etag TEXT NOT NULL, ts INTEGER NOT NULL, UNIQUE (database, id));
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    container INTEGER NOT NULL REFERENCES containers(number), partition TEXT NOT NULL, id TEXT NOT NULL,
    effective TEXT NOT NULL, body TEXT NOT NULL, etag TEXT NOT NULL, ts INTEGER NOT NULL, ttl INTEGER,
    expires_at GENERATED ALWAYS AS (json_extract(body, '$."expires_at"')) VIRTUAL,
    UNIQUE (container, partition, id));
CREATE INDEX IF NOT EXISTS items_by_number ON items (container);
CREATE INDEX IF NOT EXISTS items_by_hash ON items (container, effective);
CREATE INDEX IF NOT EXISTS items_by_deadline ON items (container, expires_at);
CREATE INDEX IF NOT EXISTS items_by_ttl ON items (container, ts + ttl);
CREATE INDEX IF NOT EXISTS items_by_job ON items (container, json_extract(body, '$."jobId"'));
"""


def new_etag() -> str:
    """An etag, quoted as Cosmos writes them."""
    return f'"{uuid.uuid4()}"'


def resource_id(*numbers: int) -> str:
    """A ``_rid``: database and container take four bytes each, an item eight."""
    sizes = (4, 4, 8)
    raw = b"".join(number.to_bytes(size, "big") for number, size in zip(numbers, sizes, strict=False))
    return base64.b64encode(raw, altchars=b"+-").decode()


@dataclass(frozen=True, kw_only=True)
class Database:
    """One database as stored."""

    number: int
    id: str
    etag: str
    ts: int

    @property
    def rid(self) -> str:
        """Its ``_rid``."""
        return resource_id(self.number)


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container as stored; ``definition`` is what the client gave, with the defaults filled in."""

    number: int
    database: Database
    id: str
    definition: Document
    etag: str
    ts: int

    @property
    def rid(self) -> str:
        """Its ``_rid``."""
        return resource_id(self.database.number, self.number)

    @property
    def paths(self) -> list[str]:
        """The paths of its partition key, top level first."""
        key = self.definition["partitionKey"]
        return [str(path) for path in key["paths"]] if isinstance(key, dict) else []

    @property
    def default_ttl(self) -> int | None:
        """Seconds; -1 when only items with a ttl of their own expire; None when nothing does."""
        ttl = self.definition.get("defaultTtl")
        return ttl if isinstance(ttl, int) else None


class Store:
    """The SQLite file behind the endpoint. Not for several threads at once."""

    def __init__(self, path: Path) -> None:
        self.sql = connect(path)
        self.sql.executescript(_SCHEMA)
        self.scrubber = Scrubber(self.sql)

    def close(self) -> None:
        """Release the file."""
        self.sql.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: committed when the block ends, rolled back when it raises."""
        self.sql.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.sql.execute("ROLLBACK")
            raise
        self.sql.execute("COMMIT")

    def create_database(self, name: str) -> Database:
        """Add a database; raises CosmosError 409."""
        try:
            self.sql.execute("INSERT INTO databases (id, etag, ts) VALUES (?, ?, ?)", (name, new_etag(), int(clock.now())))
        except sqlite3.IntegrityError:
            raise conflict() from None
        return self.database(name)

    def database(self, name: str) -> Database:
        """A database by its id; raises CosmosError 404."""
        row = self.sql.execute("SELECT * FROM databases WHERE id = ?", (name,)).fetchone()
        if row is None:
            raise not_found()
        return Database(**row)

    def databases(self) -> list[Database]:
        """All databases."""
        return [Database(**row) for row in self.sql.execute("SELECT * FROM databases ORDER BY number").fetchall()]

    def delete_database(self, database: Database) -> None:
        """Remove a database with all that is in it."""
        for container in self.containers(database):
            self.delete_container(container)
        self.sql.execute("DELETE FROM databases WHERE number = ?", (database.number,))

    def create_container(self, database: Database, name: str, definition: Document) -> Container:
        """Add a container; raises CosmosError 409."""
        try:
            self.sql.execute(
                "INSERT INTO containers (database, id, definition, etag, ts) VALUES (?, ?, ?, ?, ?)",
                (database.number, name, encode(definition), new_etag(), int(clock.now())),
            )
        except sqlite3.IntegrityError:
            raise conflict() from None
        return self.container(database, name)

    def container(self, database: Database, name: str) -> Container:
        """A container by its id; raises CosmosError 404."""
        row = self.sql.execute("SELECT * FROM containers WHERE database = ? AND id = ?", (database.number, name)).fetchone()
        if row is None:
            raise not_found()
        return _container(row, database)

    def containers(self, database: Database) -> list[Container]:
        """All containers of a database."""
        rows = self.sql.execute("SELECT * FROM containers WHERE database = ? ORDER BY number", (database.number,))
        return [_container(row, database) for row in rows.fetchall()]

    def replace_container(self, container: Container, definition: Document) -> Container:
        """Give a container a new definition."""
        self.sql.execute(
            "UPDATE containers SET definition = ?, etag = ?, ts = ? WHERE number = ?",
            (encode(definition), new_etag(), int(clock.now()), container.number),
        )
        return self.container(container.database, container.id)

    def delete_container(self, container: Container) -> None:
        """Remove a container with its items."""
        self.sql.execute("DELETE FROM items WHERE container = ?", (container.number,))
        self.sql.execute("DELETE FROM containers WHERE number = ?", (container.number,))


def _container(row: sqlite3.Row, database: Database) -> Container:
    return Container(
        number=row["number"],
        database=database,
        id=row["id"],
        definition=decode_object(row["definition"]),
        etag=row["etag"],
        ts=row["ts"],
    )
