"""Starts a broker, and the host on an app that works off its queues."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
    ServiceBusSender,
)

from tests import parts
from tests.contract.hosts import Host, running, write_app

QUEUE = {"max_delivery_count": 20, "ttl_seconds": 86400, "duplicate_detection_seconds": 0}
QUEUES = {
    "work": {**QUEUE, "lock_seconds": 1, "dead_letter_on_expiration": False},
    "long": {**QUEUE, "lock_seconds": 20, "dead_letter_on_expiration": False},
    "three": {**QUEUE, "lock_seconds": 1, "max_delivery_count": 3, "dead_letter_on_expiration": False},
}
APP = """
    @app.service_bus_queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="Bus", data_type="binary")
    async def work(msg: func.ServiceBusMessage) -> None:
        order = json.loads(msg.get_body())
        print(json.dumps({"n": order["n"], "at": time.time(), "count": msg.delivery_count, "what": "began"}))
        await asyncio.sleep(order.get("sleep", 0))
        if order.get("fail", 0) >= msg.delivery_count:
            raise LookupError("failed on purpose")
        if order.get("show"):
            print(json.dumps({"metadata": msg.metadata, "utc": [str(msg.enqueued_time_utc), str(msg.expires_at_utc)],
                              "properties": msg.user_properties, "kind": type(msg.get_body()).__name__}))
        print(json.dumps({"n": order["n"], "at": time.time(), "what": "ended"}))
"""


@dataclass(kw_only=True)
class Bus:
    """A broker, and where the host finds it."""

    state: Path
    part: parts.Part
    closing: ThreadPoolExecutor

    @property
    def connection(self) -> str:
        return (
            f"Endpoint=sb://localhost:{self.part.port};SharedAccessKeyName=Root;SharedAccessKey=local;"
            "UseDevelopmentEmulator=true;"
        )

    @contextmanager
    def sender(self, queue: str = "work") -> Iterator[ServiceBusSender]:
        client = ServiceBusClient.from_connection_string(self.connection)
        sender = client.get_queue_sender(queue)
        try:
            yield sender
        finally:
            self.close_later(sender, client)

    @contextmanager
    def receiver(self, queue: str = "work", **options: Any) -> Iterator[ServiceBusReceiver]:  # noqa: ANN401
        client = ServiceBusClient.from_connection_string(self.connection)
        receiver = client.get_queue_receiver(queue, **options)
        try:
            yield receiver
        finally:
            self.close_later(receiver, client)

    def close_later(self, *things: ServiceBusSender | ServiceBusReceiver | ServiceBusClient) -> None:
        """Close in the background: it takes the SDK a second, for which no test needs to wait."""
        self.closing.submit(lambda: [thing.close() for thing in things])

    def send(self, *orders: dict[str, Any], queue: str = "work", **options: Any) -> None:  # noqa: ANN401
        with self.sender(queue) as sender:
            sender.send_messages([ServiceBusMessage(json.dumps(order), **options) for order in orders])

    def waiting(self, queue: str = "work", **options: Any) -> list[ServiceBusReceivedMessage]:  # noqa: ANN401
        with self.receiver(queue, **options) as receiver:
            return receiver.peek_messages(100)

    def kill(self) -> None:
        self.part.kill()
        assert self.part.process.stdout is not None
        self.part.process.stdout.close()

    def restart(self) -> None:
        self.part = parts.start("broker", self.state, **self.settings)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "LETHE_BROKER_QUEUES": str(self.state / "queues.json"),
            "LETHE_BROKER_PORT": str(self.part.port),
        }

    def end(self) -> None:
        self.part.process.terminate()
        self.part.process.wait(timeout=20)
        assert self.part.process.stdout is not None
        self.part.process.stdout.close()


def start(state: Path, closing: ThreadPoolExecutor) -> Bus:
    """Start a broker with the queues of these tests."""
    (state / "queues.json").write_text(json.dumps(QUEUES))
    part = parts.start("broker", state, LETHE_BROKER_QUEUES=str(state / "queues.json"))
    return Bus(state=state, part=part, closing=closing)


@contextmanager
def host(bus: Bus, *, queue: str = "work", **options: Any) -> Iterator[Host]:  # noqa: ANN401
    app = write_app(bus.state, APP, {"extensions": {"serviceBus": options}})
    with running(app, Bus=bus.connection, QUEUE=queue) as host:
        yield host


def ended(host: Host) -> set[int]:
    return {line["n"] for line in host.printed() if line.get("what") == "ended"}
