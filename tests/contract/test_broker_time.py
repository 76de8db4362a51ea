"""Schedules and expiry, on a clock that the tests move."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusMessageState
from azure.servicebus.exceptions import MessageNotFoundError

from local import clock
from tests.contract.broker import Broker, dead_letters, desk, fresh_broker, receive, receives_nothing, text, until


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with fresh_broker(tmp_path, monkeypatch) as running:
        yield running


def in_seconds(seconds: float) -> datetime:
    return clock.utcnow() + timedelta(seconds=seconds)


async def test_a_scheduled_message_comes_at_its_time_and_says_so(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        due = in_seconds(60)
        [number] = await sender.schedule_messages(ServiceBusMessage("planned"), due)
        await sender.send_messages(ServiceBusMessage("now"))
        at_once = await receive(receiver)
        assert text(at_once) == "now"
        await receiver.complete_message(at_once)
        assert await receives_nothing(receiver)
        clock.advance(61)
        got = await receive(receiver)
        assert text(got) == "planned"
        assert got.enqueued_time_utc is not None
        assert abs(got.enqueued_time_utc - due) < timedelta(milliseconds=2)
        assert got.sequence_number is not None
        assert got.sequence_number > number


async def test_a_message_sent_with_a_schedule_in_it_waits_too(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x", scheduled_enqueue_time_utc=in_seconds(60)))
        assert await receives_nothing(receiver)
        clock.advance(61)
        assert text(await receive(receiver)) == "x"


async def test_a_cancelled_schedule_leaves_nothing(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        planned = [ServiceBusMessage("canary-a"), ServiceBusMessage("canary-b")]
        first, second = await sender.schedule_messages(planned, in_seconds(60))
        await sender.cancel_scheduled_messages(first)
        assert not broker.holds(b"canary-a")
        with pytest.raises(MessageNotFoundError):
            await sender.cancel_scheduled_messages([second, first])
        clock.advance(61)
        assert text(await receive(receiver)) == "canary-b"
        assert await receives_nothing(receiver)
        with pytest.raises(MessageNotFoundError):
            await sender.cancel_scheduled_messages(second)


async def test_peek_shows_what_waits_and_takes_nothing(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages([ServiceBusMessage("one"), ServiceBusMessage("two")])
        await sender.schedule_messages(ServiceBusMessage("three"), in_seconds(60))
        seen = await receiver.peek_messages(max_message_count=10, sequence_number=1)
        assert [(text(one), one.state) for one in seen] == [
            ("one", ServiceBusMessageState.ACTIVE),
            ("two", ServiceBusMessageState.ACTIVE),
            ("three", ServiceBusMessageState.SCHEDULED),
        ]
        [second] = await receiver.peek_messages(max_message_count=1, sequence_number=2)
        assert text(second) == "two"
        assert text(await receive(receiver)) == "one"


async def test_peek_reads_the_dead_letter_queue(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver), dead_letters(broker, "plain") as dead:
        assert await dead.peek_messages() == []
        await sender.send_messages(ServiceBusMessage("bad"))
        await receiver.dead_letter_message(await receive(receiver), reason="code")
        [peeked] = await dead.peek_messages()
        assert (text(peeked), peeked.dead_letter_reason) == ("bad", "code")


async def test_an_expired_message_is_neither_received_nor_peeked_nor_on_the_disk(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("canary-ttl", time_to_live=timedelta(seconds=30)))
        assert broker.holds(b"canary-ttl")
        clock.advance(31)
        assert await receiver.peek_messages() == []
        await until(lambda: not broker.holds(b"canary-ttl"), seconds=1)
        assert await receives_nothing(receiver)


async def test_the_shorter_of_the_messages_and_the_queues_life_counts(broker: Broker) -> None:
    async with desk(broker, "brief") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("wants a day", time_to_live=timedelta(days=1)))
        await sender.send_messages(ServiceBusMessage("wants nothing"))
        clock.advance(59)
        assert len(await receiver.peek_messages(max_message_count=5, sequence_number=1)) == 2
        clock.advance(2)
        await until(lambda: not broker.holds(b"wants"), seconds=1)


async def test_a_scheduled_messages_life_begins_at_its_scheduled_time(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        message = ServiceBusMessage("canary-life", time_to_live=timedelta(seconds=30))
        await sender.schedule_messages(message, in_seconds(100))
        clock.advance(101)
        assert text((await receiver.peek_messages(sequence_number=1))[0]) == "canary-life"
        clock.advance(30)
        await until(lambda: not broker.holds(b"canary-life"), seconds=1)


async def test_expired_messages_are_dead_lettered_where_the_queue_says_so(broker: Broker) -> None:
    async with desk(broker, "keeps-expired") as (sender, _), dead_letters(broker, "keeps-expired") as dead:
        await sender.send_messages(ServiceBusMessage("old", time_to_live=timedelta(seconds=30)))
        clock.advance(31)
        got = await receive(dead)
        assert (text(got), got.dead_letter_reason) == ("old", "TTLExpiredException")


async def test_a_message_that_expires_under_its_lock_can_be_completed_but_does_not_come_back(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        for name in ("completed", "abandoned"):
            await sender.send_messages(ServiceBusMessage(name, time_to_live=timedelta(seconds=5)))
        completed, abandoned = await receive(receiver), await receive(receiver)
        clock.advance(6)
        await receiver.complete_message(completed)
        await receiver.abandon_message(abandoned)
        assert not broker.holds(b"abandoned")
        assert await receives_nothing(receiver)


async def test_thirty_days_pass_at_once(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages([ServiceBusMessage(f"canary-{number}") for number in range(200)])
        clock.advance(30 * 86400)
        await until(lambda: not broker.holds(b"canary-"), seconds=1)
        await sender.send_messages(ServiceBusMessage("fresh"))
        got = await receive(receiver)
        assert got.enqueued_time_utc is not None
        assert got.enqueued_time_utc - datetime.now(UTC) > timedelta(days=29)
