"""Crashes of the broker, dropped connections, and a clean end: what was committed holds, locks included."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage

from local import clock
from tests.contract.broker import Broker, desk, fresh_broker, receive, receives_nothing, text

# The SDK leaves the socket of a broken connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with fresh_broker(tmp_path, monkeypatch) as running:
        yield running
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Proxy:
    """A TCP hop before the broker whose connections can be cut."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._writers: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        """Drop every connection without a word; new ones are let through."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, far_writer]
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
        except ConnectionError:
            pass
        writer.close()


async def test_committed_messages_schedules_and_numbers_survive_a_kill_and_clients_come_back(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("kept"))
        later = clock.utcnow() + timedelta(seconds=60)
        await sender.schedule_messages(ServiceBusMessage("planned"), later)
        broker.crash_and_restart()
        await sender.send_messages(ServiceBusMessage("after"))
        kept, after = await receive(receiver), await receive(receiver)
        assert [(text(one), one.sequence_number) for one in (kept, after)] == [("kept", 1), ("after", 3)]
        for one in (kept, after):
            await receiver.complete_message(one)
        clock.advance(61)
        assert text(await receive(receiver)) == "planned"


async def test_a_lock_survives_a_kill_and_can_be_settled_afterwards(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages([ServiceBusMessage("done"), ServiceBusMessage("left")])
        done, _left = await receive(receiver), await receive(receiver)
        broker.crash_and_restart()
        await receiver.complete_message(done)
        assert not broker.holds(b"done")
        assert await receives_nothing(receiver)
        clock.advance(11)
        again = await receive(receiver)
        assert (text(again), again.delivery_count) == ("left", 1)


async def test_what_was_settled_stays_settled_after_a_kill(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        await receiver.complete_message(await receive(receiver))
        broker.crash_and_restart()
        clock.advance(11)
        await sender.send_messages(ServiceBusMessage("next"))
        assert text(await receive(receiver)) == "next"


async def test_seen_message_ids_survive_a_kill(broker: Broker) -> None:
    async with desk(broker, "once") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("first", message_id="job.1"))
        await receiver.complete_message(await receive(receiver))
        broker.crash_and_restart()
        await sender.send_messages(ServiceBusMessage("again", message_id="job.1"))
        await sender.send_messages(ServiceBusMessage("other", message_id="job.2"))
        assert text(await receive(receiver)) == "other"


async def test_no_acknowledged_message_is_lost_by_a_kill_in_the_middle(broker: Broker) -> None:
    acknowledged: list[str] = []

    async def send() -> None:
        async with desk(broker, "plain") as (sender, _):
            for number in range(150):
                await sender.send_messages(ServiceBusMessage(str(number)))
                acknowledged.append(str(number))

    sending = asyncio.create_task(send())
    while len(acknowledged) < 40:
        assert not sending.done()
        await asyncio.sleep(0)
    broker.crash_and_restart()
    await sending
    async with desk(broker, "plain", prefetch_count=200) as (_, receiver):
        got: set[str] = set()
        while more := await receiver.receive_messages(max_message_count=200, max_wait_time=1):
            got |= {text(one) for one in more}
    assert got == set(acknowledged)
    assert len(got) == 150


async def test_what_expired_while_the_broker_was_down_is_gone_when_it_is_ready(broker: Broker) -> None:
    async with desk(broker, "brief") as (sender, _):
        await sender.send_messages(ServiceBusMessage("canary-down"))
    broker.crash()
    clock.advance(61)
    broker.crash_and_restart()
    assert not broker.holds(b"canary-down")


async def test_a_dropped_connection_keeps_its_locks(broker: Broker) -> None:
    proxy = Proxy(broker.part.port)
    async with (
        proxy.running(),
        desk(broker, "plain") as (sender, other),
        desk(broker, "plain", port=proxy.port) as (_, receiver),
    ):
        await sender.send_messages([ServiceBusMessage("settled later"), ServiceBusMessage("left alone")])
        first, _second = await receive(receiver), await receive(receiver)
        proxy.cut()
        assert await receives_nothing(other)
        await receiver.complete_message(first)  # over a new connection, by its lock token
        assert not broker.holds(b"settled later")
        clock.advance(11)
        again = await receive(other)
        assert (text(again), again.delivery_count) == ("left alone", 1)


async def test_the_broker_ends_cleanly_with_clients_connected(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, _):
        await sender.send_messages(ServiceBusMessage("x"))
        assert broker.stop() == 0
        broker.crash_and_restart()
