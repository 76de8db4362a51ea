"""Rows of items: find, put, remove and scan them, with the time to live that their container gives them."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from local import clock
from local.cosmos.documents import Document, decode_object, encode
from local.cosmos.partition import PartitionKey
from local.cosmos.store import Container, Store, new_etag, resource_id

_SWEEP_PAGE: Final = 500


@dataclass(frozen=True, kw_only=True)
class Item:
    """One stored item."""

    number: int
    etag: str
    document: Document
    """As a client sees it, system properties included."""


def _live(container: Container, now: float) -> tuple[str, list[float]]:
    """The SQL condition that an item is not past its time to live, which counts from its last write (``_ts``)."""
    default = container.default_ttl
    if default is None:
        return "1", []
    if default == -1:
        return "(ttl IS NULL OR ttl = -1 OR ts + ttl > ?)", [now]
    return f"(ttl = -1 OR ts + ifnull(ttl, {default}) > ?)", [now]


def find(store: Store, container: Container, key: PartitionKey, name: str) -> Item | None:
    """The item with this id, unless it does not exist or is past its time to live."""
    live, now = _live(container, clock.now())
    row = store.sql.execute(
        f"SELECT * FROM items WHERE container = ? AND partition = ? AND id = ? AND {live}",  # noqa: S608
        (container.number, key.text, name, *now),
    ).fetchone()
    return None if row is None else item_of(container, row)


def insert(store: Store, container: Container, key: PartitionKey, own: Document) -> Item:
    """Store a new item; one that is past its time to live but not yet swept gives way."""
    remove(store, container, key, str(own["id"]))
    store.sql.execute(
        "INSERT INTO items (container, partition, id, effective, body, etag, ts, ttl) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (container.number, key.text, own["id"], key.effective, *_written(own)),
    )
    return _stored(store, container, key, str(own["id"]))


def update(store: Store, container: Container, key: PartitionKey, own: Document) -> Item:
    """Overwrite a stored item."""
    store.sql.execute(
        "UPDATE items SET body = ?, etag = ?, ts = ?, ttl = ? WHERE container = ? AND partition = ? AND id = ?",
        (*_written(own), container.number, key.text, own["id"]),
    )
    return _stored(store, container, key, str(own["id"]))


def remove(store: Store, container: Container, key: PartitionKey, name: str) -> None:
    """Delete an item for good."""
    store.sql.execute("DELETE FROM items WHERE container = ? AND partition = ? AND id = ?", (container.number, key.text, name))


def scan(
    store: Store, container: Container, where: str, order: str, arguments: Sequence[object], extra: str
) -> Iterator[sqlite3.Row]:
    """Rows of living items with extra columns, under an SQL condition, in an SQL order, read as they are needed."""
    live, now = _live(container, clock.now())
    return store.sql.execute(
        f"SELECT *, {extra} FROM items WHERE container = ? AND {live} AND ({where}) ORDER BY {order}",  # noqa: S608
        (container.number, *now, *arguments),
    )


def sweep(store: Store) -> int:
    """Delete a page of the items past their time to live; returns how many, so that a caller goes on until 0."""
    now = clock.now()
    swept = 0
    for database in store.databases():
        for container in store.containers(database):
            for condition in _expired(container.default_ttl):
                swept += store.sql.execute(
                    "DELETE FROM items WHERE number IN "  # noqa: S608
                    f"(SELECT number FROM items WHERE container = ? AND {condition} LIMIT {_SWEEP_PAGE})",
                    (container.number, now),
                ).rowcount
    return swept


def _expired(default: int | None) -> list[str]:
    # Two conditions, so that the index on ts + ttl serves the common one: items with a ttl of their own.
    if default is None:
        return []
    return ["ttl > 0 AND ts + ttl <= ?", *([f"ttl IS NULL AND ts + {default} <= ?"] if default > 0 else [])]


def item_of(container: Container, row: sqlite3.Row) -> Item:
    """An item as clients see it, from its row."""
    rid = resource_id(container.database.number, container.number, row["number"])
    document = decode_object(row["body"])
    document |= {
        "_rid": rid,
        "_self": f"dbs/{container.database.rid}/colls/{container.rid}/docs/{rid}/",
        "_etag": row["etag"],
        "_attachments": "attachments/",
        "_ts": row["ts"],
    }
    return Item(number=row["number"], etag=row["etag"], document=document)


def _written(own: Document) -> tuple[object, ...]:
    return encode(own), new_etag(), int(clock.now()), own.get("ttl")


def _stored(store: Store, container: Container, key: PartitionKey, name: str) -> Item:
    row = store.sql.execute(
        "SELECT * FROM items WHERE container = ? AND partition = ? AND id = ?", (container.number, key.text, name)
    ).fetchone()
    return item_of(container, row)
