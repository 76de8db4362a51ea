"""What arrives is what was sent, once, within the limits of Service Bus Standard."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType
from azure.servicebus.exceptions import MessageSizeExceededError, MessagingEntityNotFoundError, ServiceBusError

from local import clock
from tests.contract.broker import Broker, desk, fresh_broker, receive, receives_nothing, text


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with fresh_broker(tmp_path, monkeypatch) as running:
        yield running


async def test_a_message_arrives_as_it_was_sent(broker: Broker) -> None:
    key = uuid.uuid4()
    sent = ServiceBusMessage(
        "Grüße",
        message_id="m-1",
        content_type="application/json",
        correlation_id="c-1",
        subject="s",
        to="t",
        reply_to="r",
        time_to_live=timedelta(minutes=5),
        application_properties={"text": "ü", "number": 7, "flag": True, "ratio": 0.5, "key": key},
    )
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(sent)
        got = await receive(receiver)
        assert text(got) == "Grüße"
        assert (got.message_id, got.content_type, got.correlation_id) == ("m-1", "application/json", "c-1")
        assert (got.subject, got.to, got.reply_to) == ("s", "t", "r")
        assert got.time_to_live == timedelta(minutes=5)
        assert got.application_properties == {
            b"text": b"\xc3\xbc",
            b"number": 7,
            b"flag": True,
            b"ratio": 0.5,
            b"key": key,
        }
        assert (got.delivery_count, got.sequence_number) == (0, 1)
        assert got.enqueued_time_utc is not None
        assert abs(got.enqueued_time_utc - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"value_body": {"a": [1, None, "x"]}}, AmqpMessageBodyType.VALUE),
        ({"sequence_body": [[1, "two"], [3]]}, AmqpMessageBodyType.SEQUENCE),
        ({"data_body": [b"one", b"two"]}, AmqpMessageBodyType.DATA),
    ],
)
async def test_every_kind_of_amqp_body_keeps_its_kind(broker: Broker, body: dict[str, Any], kind: AmqpMessageBodyType) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(AmqpAnnotatedMessage(**body))
        got = await receive(receiver)
        assert got.body_type is kind
        kept = got.body if kind is AmqpMessageBodyType.VALUE else list(got.body)
        plain = {"value_body": {b"a": [1, None, b"x"]}, "sequence_body": [[1, b"two"], [3]]}
        assert kept == (plain | body if "data_body" in body else plain)[next(iter(body))]


async def test_a_message_without_an_id_is_given_one(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(AmqpAnnotatedMessage(data_body=b"anonymous"))
        got = await receive(receiver)
        assert got.message_id
        assert text(got) == "anonymous"


async def test_a_batch_becomes_its_messages_in_order(broker: Broker) -> None:
    async with desk(broker, "plain", prefetch_count=20) as (sender, receiver):
        batch = await sender.create_message_batch()
        for number in range(5):
            batch.add_message(ServiceBusMessage(f"in batch {number}", application_properties={"number": number}))
        await sender.send_messages(batch)
        await sender.send_messages([ServiceBusMessage("in list 0"), ServiceBusMessage("in list 1")])
        got = [await receive(receiver) for _ in range(7)]
        assert [text(one) for one in got] == [*(f"in batch {n}" for n in range(5)), "in list 0", "in list 1"]
        assert [one.sequence_number for one in got] == list(range(1, 8))
        assert got[3].application_properties == {b"number": 3}


async def test_a_message_over_256_kb_is_refused_and_the_sender_goes_on(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        for size in (262_144, 1_000_000):
            with pytest.raises(MessageSizeExceededError):
                await sender.send_messages(ServiceBusMessage(b"x" * size))
        await sender.send_messages(ServiceBusMessage(b"y" * 260_000))
        assert len(text(await receive(receiver))) == 260_000


async def test_a_message_over_256_kb_cannot_be_scheduled_either(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, _):
        with pytest.raises(MessageSizeExceededError):
            await sender.schedule_messages(ServiceBusMessage(b"x" * 270_000), datetime.now(UTC) + timedelta(hours=1))


async def test_an_unknown_queue_is_not_found(broker: Broker) -> None:
    async with ServiceBusClient.from_connection_string(broker.connection_string()) as client:
        with pytest.raises(MessagingEntityNotFoundError):
            await client.get_queue_sender("no-such-queue").send_messages(ServiceBusMessage("x"))
        with pytest.raises(MessagingEntityNotFoundError):
            await client.get_queue_receiver("no-such-queue").receive_messages(max_wait_time=1)


async def test_nothing_can_be_sent_into_a_dead_letter_queue(broker: Broker) -> None:
    async with ServiceBusClient.from_connection_string(broker.connection_string(), retry_total=0) as client:
        with pytest.raises(ServiceBusError, match="not-allowed"):
            await client.get_queue_sender("plain/$DeadLetterQueue").send_messages(ServiceBusMessage("x"))


async def test_queue_names_ignore_case(broker: Broker) -> None:
    async with desk(broker, "PLAIN") as (sender, _), desk(broker, "pLaIn") as (_, receiver):
        await sender.send_messages(ServiceBusMessage("same queue"))
        assert text(await receive(receiver)) == "same queue"


async def test_a_message_id_is_taken_once_within_the_window_even_after_completion(broker: Broker) -> None:
    async with desk(broker, "once") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("first", message_id="job.1"))
        await receiver.complete_message(await receive(receiver))
        await sender.send_messages(ServiceBusMessage("again", message_id="job.1"))
        await sender.send_messages(ServiceBusMessage("other", message_id="job.2"))
        assert text(await receive(receiver)) == "other"
        assert not broker.holds(b"again")


async def test_a_message_id_is_taken_again_after_the_window(broker: Broker) -> None:
    async with desk(broker, "once") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("first", message_id="job.1"))
        await receiver.complete_message(await receive(receiver))
        clock.advance(601)
        await sender.send_messages(ServiceBusMessage("later", message_id="job.1"))
        assert text(await receive(receiver)) == "later"


async def test_a_scheduled_copy_of_a_seen_message_is_dropped_in_silence(broker: Broker) -> None:
    async with desk(broker, "once") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("first", message_id="job.1"))
        await receiver.complete_message(await receive(receiver))
        later = datetime.now(UTC) + timedelta(seconds=60)
        numbers = await sender.schedule_messages(ServiceBusMessage("copy", message_id="job.1"), later)
        assert len(numbers) == 1
        clock.advance(61)
        assert await receives_nothing(receiver)


async def test_a_message_whose_scheduled_copy_waits_is_dropped(broker: Broker) -> None:
    async with desk(broker, "once") as (sender, receiver):
        later = datetime.now(UTC) + timedelta(seconds=60)
        await sender.schedule_messages(ServiceBusMessage("planned", message_id="job.1"), later)
        await sender.send_messages(ServiceBusMessage("early", message_id="job.1"))
        assert await receives_nothing(receiver)
        clock.advance(61)
        assert text(await receive(receiver)) == "planned"
