"""How a delivery ends: completed, abandoned, released, deferred or dead-lettered; and how its lock is prolonged."""

import sqlite3
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from local.broker.messages import LockLostError
from local.broker.queues import Entity
from local.broker.store import Store, next_sequence
from local.broker.wire import with_properties


class Settlement(StrEnum):
    """What a receiver says of a delivery, in the words of Service Bus's ``update-disposition``."""

    COMPLETE = "completed"
    ABANDON = "abandoned"
    RELEASE = "released"
    """Give back without counting the delivery; only over a link."""
    DEFER = "defered"
    DEAD_LETTER = "suspended"


def settle(
    store: Store,
    entity: Entity,
    tokens: Sequence[UUID],
    settlement: Settlement,
    now: float,
    properties: Mapping[str, Any] | None = None,
) -> None:
    """Settle locked messages, all or none; raises ``LockLostError``.

    ``properties`` become application properties of a message that stays. A message of a dead-letter queue stays there.
    """
    with store.transaction() as database:
        for token in tokens:
            row = _locked(database, entity, token, now)
            if settlement is Settlement.COMPLETE:
                database.execute("DELETE FROM messages WHERE id = ?", (row["id"],))
                continue
            if properties:
                _set_properties(database, row["id"], properties)
            if settlement is Settlement.DEAD_LETTER and not entity.is_dead_letter_queue:
                dead_letter(store, database, entity, row["id"])
                continue
            if settlement is Settlement.DEFER:
                database.execute("UPDATE messages SET state = 1 WHERE id = ?", (row["id"],))
            unlock(store, database, row["id"], now, counted=settlement is Settlement.ABANDON)


def renew(store: Store, entity: Entity, tokens: Sequence[UUID], now: float) -> list[float]:
    """Prolong locks by the entity's lock duration and return their new ends; raises ``LockLostError``."""
    until = now + entity.lock_seconds
    with store.transaction() as database:
        for token in tokens:
            row = _locked(database, entity, token, now)
            database.execute("UPDATE messages SET locked_until = ? WHERE id = ?", (until, row["id"]))
    return [until] * len(tokens)


def unlock(store: Store, database: sqlite3.Connection, message: int, now: float, *, counted: bool) -> None:
    """End a lock without a result: the message is available again, or at its last delivery, or expired meanwhile."""
    row = database.execute(
        """UPDATE messages SET lock_token = NULL, locked_until = NULL, delivery_count = delivery_count + ?
        WHERE id = ? RETURNING path, state, expires_at, delivery_count""",
        (int(counted), message),
    ).fetchone()
    entity = store.entities[row["path"]]
    if row["state"] == 0 and row["expires_at"] is not None and row["expires_at"] <= now:
        expire(store, database, entity, message)
    elif counted and entity.max_delivery_count is not None and row["delivery_count"] >= entity.max_delivery_count:
        reason = "MaxDeliveryCountExceeded"
        text = f"Message could not be consumed after {row['delivery_count']} delivery attempts."
        dead_letter(store, database, entity, message, reason=reason, description=text)
    elif row["state"] == 0:
        store.available.add(entity.path)


def expire(store: Store, database: sqlite3.Connection, entity: Entity, message: int) -> None:
    """End a message whose time to live is over: gone, or dead-lettered where the queue says so."""
    if entity.dead_letter_on_expiration:
        text = "The message expired and was dead lettered."
        dead_letter(store, database, entity, message, reason="TTLExpiredException", description=text)
    else:
        database.execute("DELETE FROM messages WHERE id = ?", (message,))


def dead_letter(
    store: Store,
    database: sqlite3.Connection,
    entity: Entity,
    message: int,
    *,
    reason: str | None = None,
    description: str | None = None,
) -> None:
    """Move a message to the dead-letter queue, where nothing expires it."""
    if reason is not None:
        _set_properties(database, message, {"DeadLetterReason": reason, "DeadLetterErrorDescription": description})
    path = entity.dead_letter_path
    database.execute(
        """UPDATE messages SET path = ?, sequence = ?, state = 0, lock_token = NULL, locked_until = NULL,
        expires_at = NULL, dead_letter_source = ? WHERE id = ?""",
        (path, next_sequence(database, path), entity.name, message),
    )
    store.available.add(path)


def _locked(database: sqlite3.Connection, entity: Entity, token: UUID, now: float) -> sqlite3.Row:
    row: sqlite3.Row | None = database.execute(
        "SELECT id FROM messages WHERE lock_token = ? AND path = ? AND locked_until > ?", (str(token), entity.path, now)
    ).fetchone()
    if row is None:
        raise LockLostError
    return row


def _set_properties(database: sqlite3.Connection, message: int, properties: Mapping[str, Any]) -> None:
    row = database.execute("SELECT content FROM contents WHERE id = ?", (message,)).fetchone()
    given = {str(name): value for name, value in properties.items() if value is not None}
    database.execute("UPDATE contents SET content = ? WHERE id = ?", (with_properties(row["content"], given), message))
