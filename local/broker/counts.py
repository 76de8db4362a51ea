"""What lies in the queues, for somebody beside the broker: read from its file, which is opened to read only.

One short read transaction: a broker that wants to write, or to rewrite its file, meanwhile waits for it, as it would for five
seconds at the most. Nothing here loads AMQP.
"""

import json
import math
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from local.broker.messages import State
from local.broker.queues import Entities, Entity

_BUSY_SECONDS = 2.0
_DEAD_LETTERED = "dead-lettered"

_GROUPS = """
SELECT path, state, count(*) AS messages, state = 2 AND enqueued_at <= :now AS is_due,
    lock_token IS NOT NULL AND locked_until > :now AS is_held, expires_at <= :now AS is_expired,
    CASE WHEN locked_until <= :now THEN delivery_count + 1 ELSE 0 END AS deliveries
FROM messages GROUP BY path, state, is_due, is_held, is_expired, deliveries
"""


class Unreadable(Exception):
    """The broker's file is not there, or cannot be read now."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue of the broker with its messages by their states; a locked message is an active or a deferred one."""

    settings: Entity
    active: int
    deferred: int
    scheduled: int
    dead_lettered: int


def look(file: Path, now: float) -> list[Queue]:
    """Return every queue, counted as of ``now``; raises `Unreadable`.

    A message that has come to its time, and that the broker has not moved yet, counts where the broker will move it.
    """
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)) as database:
            database.row_factory = sqlite3.Row
            database.execute("BEGIN")
            rows = database.execute("SELECT * FROM entities").fetchall()
            groups = database.execute(_GROUPS, {"now": now}).fetchall()
    except sqlite3.Error:
        raise Unreadable from None
    entities = {row["path"]: Entity(**json.loads(row["settings"])) for row in rows}
    return [_queue(entity, entities, groups) for entity in entities.values() if not entity.is_dead_letter_queue]


def _queue(queue: Entity, entities: Entities, groups: list[sqlite3.Row]) -> Queue:
    dead_letters = entities[queue.dead_letter_path]
    counts = dict.fromkeys([*State, _DEAD_LETTERED], 0)
    for group in groups:
        if group["path"] == dead_letters.path:
            counts[_DEAD_LETTERED] += group["messages"]
        elif group["path"] == queue.path and (place := _place(queue, group)) is not None:
            counts[place] += group["messages"]
    return Queue(
        settings=queue,
        active=counts[State.ACTIVE],
        deferred=counts[State.DEFERRED],
        scheduled=counts[State.SCHEDULED],
        dead_lettered=counts[_DEAD_LETTERED],
    )


def _place(queue: Entity, group: sqlite3.Row) -> State | str | None:
    """Return the state of messages once the broker has swept (``local.broker.sweep``); None for those that it deletes."""
    state = State.ACTIVE if group["is_due"] else State(group["state"])
    if group["is_held"]:
        return state
    if state is State.ACTIVE and group["is_expired"]:
        return _DEAD_LETTERED if queue.dead_letter_on_expiration else None
    return _DEAD_LETTERED if group["deliveries"] >= (queue.max_delivery_count or math.inf) else state
