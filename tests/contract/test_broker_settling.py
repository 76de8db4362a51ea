"""How a delivery ends, and what becomes of the message and of its count."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusMessageState, ServiceBusReceiveMode
from azure.servicebus.aio import AutoLockRenewer
from azure.servicebus.exceptions import MessageLockLostError, MessageNotFoundError

from local import clock
from tests.contract.broker import Broker, dead_letters, desk, fresh_broker, receive, receives_nothing, text, until


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with fresh_broker(tmp_path, monkeypatch) as running:
        yield running


async def test_a_completed_message_is_gone_from_the_queue_and_from_the_disk(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("canary-4711"))
        got = await receive(receiver)
        assert broker.holds(b"canary-4711")
        await receiver.complete_message(got)
        assert not broker.holds(b"canary-4711")
        clock.advance(11)
        assert await receives_nothing(receiver)


async def test_receive_and_delete_removes_what_it_hands_out(broker: Broker) -> None:
    async with desk(broker, "plain", receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE) as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("canary-4712"))
        assert text(await receive(receiver)) == "canary-4712"
        assert not broker.holds(b"canary-4712")


async def test_an_abandoned_message_comes_back_with_its_delivery_counted(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        await receiver.abandon_message(await receive(receiver))
        again = await receive(receiver)
        assert again.delivery_count == 1
        assert again.sequence_number == 1


async def test_a_message_released_by_a_closing_receiver_comes_back_uncounted(broker: Broker) -> None:
    async with desk(broker, "plain") as (_, receiver):
        async with desk(broker, "plain", prefetch_count=10) as (sender, greedy):
            await sender.send_messages([ServiceBusMessage("1"), ServiceBusMessage("2")])
            await receive(greedy)  # holds the second one in its buffer
        returned = await receive(receiver)
        assert text(returned) == "2"
        assert returned.delivery_count == 0


async def test_a_dead_lettered_message_lies_in_the_dead_letter_queue_with_its_reason(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver), dead_letters(broker, "plain") as dead:
        await sender.send_messages(ServiceBusMessage("bad", application_properties={"kept": 1}))
        await receiver.dead_letter_message(await receive(receiver), reason="unreadable", error_description="no such field")
        got = await receive(dead)
        assert text(got) == "bad"
        assert (got.dead_letter_reason, got.dead_letter_error_description) == ("unreadable", "no such field")
        assert got.dead_letter_source == "Plain"
        assert got.application_properties is not None
        assert got.application_properties[b"kept"] == 1
        assert await receives_nothing(receiver)
        await dead.complete_message(got)
        assert not broker.holds(b"unreadable")


async def test_a_dead_letter_queue_never_cleans_itself_and_counts_without_end(broker: Broker) -> None:
    async with desk(broker, "brief") as (sender, receiver), dead_letters(broker, "brief") as dead:
        await sender.send_messages(ServiceBusMessage("stays"))
        await receiver.dead_letter_message(await receive(receiver))
        clock.advance(30 * 86400)
        for count in range(25):
            got = await receive(dead)
            assert (text(got), got.delivery_count) == ("stays", count)
            await dead.abandon_message(got)


async def test_the_last_allowed_delivery_leads_to_the_dead_letter_queue(broker: Broker) -> None:
    async with desk(broker, "patient-twice") as (sender, receiver), dead_letters(broker, "patient-twice") as dead:
        await sender.send_messages(ServiceBusMessage("x"))
        await receiver.abandon_message(await receive(receiver))
        await receiver.abandon_message(await receive(receiver))
        assert await receives_nothing(receiver)
        got = await receive(dead)
        assert got.dead_letter_reason == "MaxDeliveryCountExceeded"
        assert got.delivery_count == 2


async def test_a_lock_that_runs_out_counts_and_is_lost(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        slow = await receive(receiver)
        assert await receives_nothing(receiver)
        clock.advance(11)
        again = await receive(receiver)
        assert again.delivery_count == 1
        with pytest.raises(MessageLockLostError):
            await receiver.complete_message(slow)
        with pytest.raises(MessageLockLostError):
            await receiver.renew_message_lock(slow)
        await receiver.complete_message(again)


async def test_a_renewed_lock_lasts_for_another_lock_duration(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        got = await receive(receiver)
        clock.advance(6)
        await receiver.renew_message_lock(got)
        clock.advance(6)
        assert await receives_nothing(receiver)
        await receiver.complete_message(got)


async def test_the_sdks_lock_renewer_keeps_a_lock(broker: Broker) -> None:
    async with AutoLockRenewer() as renewer, desk(broker, "plain", auto_lock_renewer=renewer) as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        got = await receive(receiver)
        first = got.locked_until_utc
        await until(lambda: got.locked_until_utc != first)
        await receiver.complete_message(got)


async def test_a_deferred_message_is_had_by_its_number_only(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("later"))
        got = await receive(receiver)
        assert got.sequence_number is not None
        await receiver.defer_message(got)
        assert await receives_nothing(receiver)
        assert [one.state for one in await receiver.peek_messages(sequence_number=1)] == [ServiceBusMessageState.DEFERRED]
        deferred = await receiver.receive_deferred_messages(got.sequence_number)
        assert text(deferred[0]) == "later"
        await receiver.complete_message(deferred[0])
        with pytest.raises(MessageNotFoundError):
            await receiver.receive_deferred_messages(got.sequence_number)


async def test_several_receivers_share_a_queue_and_nobody_gets_a_message_twice(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, one), desk(broker, "plain") as (_, two):
        await sender.send_messages([ServiceBusMessage(str(number)) for number in range(60)])
        share: dict[int, list[str]] = {1: [], 2: []}

        async def work(name: int) -> None:
            receiver = {1: one, 2: two}[name]
            while len(share[1]) + len(share[2]) < 60:
                for message in await receiver.receive_messages(max_message_count=5, max_wait_time=0.5):
                    share[name].append(text(message))
                    await receiver.complete_message(message)

        async with asyncio.timeout(20):
            await asyncio.gather(work(1), work(2))
        assert sorted(share[1] + share[2], key=int) == [str(number) for number in range(60)]
        assert share[1]
        assert share[2]


async def test_a_message_that_meets_a_receiver_which_stopped_waiting_goes_on_to_the_others_uncounted(broker: Broker) -> None:
    async with desk(broker, "plain") as (_, idle), desk(broker, "plain") as (sender, receiver):
        assert await receives_nothing(idle)
        await sender.send_messages(ServiceBusMessage("x"))
        got = await receive(receiver)
        assert text(got) == "x"
        assert got.delivery_count == 0
