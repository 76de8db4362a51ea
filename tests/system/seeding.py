"""Documents and dead letters by the thousand, for a stack that runs already."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from local import clock
from local.cosmos import partition, rows
from local.cosmos.store import Store

LONG = 100 * 86_400
"""Seconds; a document that lives so long in the store can only be deleted by the timer."""
_BATCH = 100


def insert(state: Path, documents: Iterable[dict[str, Any]], *, container: str = "generations") -> None:
    """Write documents into the file of a running stack's store, in one transaction, which its process waits for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETHE_CLOCK_OFFSET_FILE", str(state / "clock-offset"))
        store = Store(state / "cosmos.sqlite")
        with store.transaction():
            into = store.container(store.database("lethe"), container)
            for document in documents:
                rows.insert(store, into, partition.of_document(document, into.paths), document)
        store.close()


def now(state: Path) -> float:
    """What the clock of a stack says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETHE_CLOCK_OFFSET_FILE", str(state / "clock-offset"))
        return clock.now()


def receipts(count: int, *, expires_at: float, prefix: str = "5eed") -> Iterable[dict[str, Any]]:
    """Receipts of jobs that failed, each in a partition of its own."""
    for number in range(count):
        yield {
            "id": "receipt",
            "dataClass": "receipt",
            "tenantId": "contoso",
            "jobId": f"{prefix}{number:036x}",
            "status": "failed",
            "created_at": expires_at - 86_400,
            "content_expires_at": expires_at,
            "expires_at": expires_at,
            "content_mac": None,
            "kept_seconds": 86_400,
            "content_kept_seconds": 86_400,
            "ttl": LONG,
            "model": "x" * 1000,
        }


def dead_letters(connection: str, queue: str, count: int, *, body: bytes = b"dead") -> None:
    """Make dead letters of new messages of a queue that nobody else reads."""
    with (
        ServiceBusClient.from_connection_string(connection) as client,
        client.get_queue_sender(queue) as sender,
        client.get_queue_receiver(queue) as receiver,
    ):
        for begin in range(0, count, _BATCH):
            sender.send_messages([ServiceBusMessage(body) for _ in range(begin, min(count, begin + _BATCH))])
        done, until = 0, time.monotonic() + 300
        while done < count and time.monotonic() < until:
            for message in receiver.receive_messages(max_message_count=_BATCH, max_wait_time=2):
                receiver.dead_letter_message(message)
                done += 1
    assert done == count
