"""A broker of one test's own, with queues for each rule, and what tests do with it again and again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusReceivedMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

from local import clock
from tests.parts import Part, start

PLAIN: dict[str, Any] = {"lock_seconds": 10, "max_delivery_count": 20, "ttl_seconds": 86400}
QUEUES = {
    "Plain": PLAIN,
    "once": PLAIN | {"duplicate_detection_seconds": 600},
    "brief": PLAIN | {"ttl_seconds": 60},
    "keeps-expired": PLAIN | {"dead_letter_on_expiration": True},
    "patient-twice": PLAIN | {"max_delivery_count": 2},
}


class Broker:
    """A running broker that can be killed and started again on its port and its disk."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._queues = state.parent / "queues.json"
        self._queues.write_text(json.dumps(QUEUES), encoding="utf-8")
        self.part = self._start(0)

    def connection_string(self, port: int | None = None) -> str:
        """What a client needs; another port for a client that comes over a proxy."""
        return (
            f"Endpoint=sb://localhost:{port or self.part.port};SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=local;UseDevelopmentEmulator=true;"
        )

    def crash(self) -> None:
        """SIGKILL, and nothing more."""
        self.part.kill()
        self._close_output()

    def crash_and_restart(self) -> None:
        """SIGKILL and a new process with the same state."""
        self.crash()
        self.part = self._start(self.part.port)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.part.process.terminate()
        code = self.part.process.wait(timeout=10)
        self._close_output()
        return code

    def holds(self, content: bytes) -> bool:
        """Whether any file of the state folder contains these bytes."""
        return any(content in file.read_bytes() for file in self.state.iterdir() if file.is_file())

    def _start(self, port: int) -> Part:
        return start("broker", self.state, LETHE_BROKER_QUEUES=str(self._queues), LETHE_BROKER_PORT=str(port))

    def _close_output(self) -> None:
        if self.part.process.stdout is not None:
            self.part.process.stdout.close()


@contextmanager
def fresh_broker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker without messages whose clock is the one that ``clock.advance`` moves."""
    state = folder / "state"
    state.mkdir()
    monkeypatch.setenv("LETHE_CLOCK_OFFSET_FILE", str(state / "clock-offset"))
    assert clock.offset() == 0
    broker = Broker(state)
    try:
        yield broker
    finally:
        broker.stop()


@asynccontextmanager
async def desk(
    broker: Broker,
    queue: str,
    *,
    port: int | None = None,
    **receiving: Any,  # noqa: ANN401 - the SDK's own keywords
) -> AsyncIterator[tuple[ServiceBusSender, ServiceBusReceiver]]:
    """A sender and a receiver of a queue, opened and closed side by side: the SDK takes half a second for each."""
    client = ServiceBusClient.from_connection_string(broker.connection_string(port), retry_backoff_factor=0.1)
    sender, receiver = client.get_queue_sender(queue), client.get_queue_receiver(queue, **receiving)
    await asyncio.gather(sender.__aenter__(), receiver.__aenter__())
    try:
        yield sender, receiver
    finally:
        await asyncio.gather(sender.close(), receiver.close())
        await client.close()


@asynccontextmanager
async def dead_letters(broker: Broker, queue: str) -> AsyncIterator[ServiceBusReceiver]:
    """A receiver of a queue's dead-letter queue."""
    async with (
        ServiceBusClient.from_connection_string(broker.connection_string()) as client,
        client.get_queue_receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER) as receiver,
    ):
        yield receiver


async def receive(receiver: ServiceBusReceiver) -> ServiceBusReceivedMessage:
    """The next message; an error when none comes soon."""
    messages = await receiver.receive_messages(max_wait_time=5)
    assert messages, "no message came within five seconds"
    return messages[0]


async def receives_nothing(receiver: ServiceBusReceiver) -> bool:
    """Whether the queue offers no message for a little while."""
    return not await receiver.receive_messages(max_wait_time=0.4)


def text(message: ServiceBusReceivedMessage) -> str:
    """The body as text."""
    return b"".join(message.body).decode()


async def until(reached: Callable[[], bool], seconds: float = 5) -> None:
    """Poll until ``reached()`` is true."""
    async with asyncio.timeout(seconds):
        while not reached():  # noqa: ASYNC110 - another process moves
            await asyncio.sleep(0.02)
