"""What the timer does with messages that lie in queues, against the broker."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from local import clock
from shared.azure import lying
from shared.azure.lying import Lying, LyingMessages
from shared.domain.step_report import StepReport, Tally
from shared.errors import QueueUnavailable
from shared.privacy.messages import expire_rejected, purge_dead_letters
from tests.contract.broker import Broker, desk, fresh_broker, receive

HOUR = 3600.0

# The SDK leaves the socket of a broken connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with fresh_broker(tmp_path, monkeypatch) as running:
        yield running
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
async def messages(broker: Broker) -> AsyncIterator[LyingMessages]:
    async with ServiceBusClient.from_connection_string(broker.connection_string(), retry_total=0) as client:
        yield LyingMessages(client)


async def purge(messages: LyingMessages) -> StepReport:
    tally = Tally(step="purge")
    await purge_dead_letters(messages, "plain", max_age=HOUR, clock=clock.now, tally=tally)
    return tally.report()


async def bury(broker: Broker, *counts: int, apart: float = 0.0) -> None:
    """Make dead letters, some at a time, with some seconds between them."""
    async with desk(broker, "plain") as (sender, receiver):
        for number, count in enumerate(counts):
            clock.advance(apart if number else 0.0)
            await sender.send_messages([ServiceBusMessage(f"dead {n}") for n in range(count)])
            for _ in range(count):
                await receiver.dead_letter_message(await receive(receiver))


async def test_dead_letters_that_are_old_enough_are_deleted_and_younger_ones_stay(
    broker: Broker, messages: LyingMessages
) -> None:
    await bury(broker, 120, 30, apart=1000.0)
    assert (await purge(messages)).found == 0
    clock.advance(HOUR - 500)
    report = await purge(messages)
    assert (report.checked, report.found, report.deleted, report.overdue, report.complete) == (150, 120, 120, 0, True)
    assert report.oldest_overdue_seconds == pytest.approx(500, abs=60)
    left = await messages.look("plain", dead_letters=True, after=0)
    assert len(left) == 30
    clock.advance(1000)
    assert (await purge(messages)).deleted == 30


async def test_one_that_became_a_dead_letter_behind_a_younger_one_is_found_and_the_younger_one_goes_back(
    broker: Broker, messages: LyingMessages
) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("older"))
        older = await receive(receiver)
        clock.advance(5)
        await sender.send_messages(ServiceBusMessage("younger"))
        await receiver.dead_letter_message(await receive(receiver))
        await receiver.dead_letter_message(older)
    clock.advance(HOUR - 3)
    report = await purge(messages)
    assert (report.checked, report.found, report.deleted) == (2, 1, 1)
    assert len(await messages.look("plain", dead_letters=True, after=0)) == 1
    clock.advance(5)
    assert (await purge(messages)).deleted == 1


async def test_more_than_a_run_looks_at_is_incomplete(
    broker: Broker, messages: LyingMessages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.privacy.messages.MAX_MESSAGES", 100)
    await bury(broker, 150)
    clock.advance(HOUR + 1)
    report = await purge(messages)
    assert (report.checked, report.deleted, report.complete) == (100, 100, False)
    report = await purge(messages)
    assert (report.deleted, report.complete) == (50, True)


async def test_no_look_and_no_listening_costs_a_living_message_a_delivery(broker: Broker, messages: LyingMessages) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages([ServiceBusMessage("living"), ServiceBusMessage("living too")])
        for _ in range(3):
            await messages.look("plain", dead_letters=False, after=0)
            await messages.listen("plain")
        async with asyncio.timeout(10):
            first, second = await receive(receiver), await receive(receiver)
        assert (first.delivery_count, second.delivery_count) == (0, 0)


async def test_what_has_expired_is_measured_and_what_lives_is_not_touched(broker: Broker, messages: LyingMessages) -> None:
    async with desk(broker, "plain") as (sender, _):
        await sender.send_messages(
            [ServiceBusMessage(f"{life}", time_to_live=timedelta(seconds=life)) for life in (30, 3000, 60)]
        )
    clock.advance(100)
    tally = Tally(step="rejected")
    await expire_rejected(messages, "plain", grace=900, clock=clock.now, tally=tally)
    assert tally.report() == StepReport(step="rejected", checked=1)


class Lazy(LyingMessages):
    """A Service Bus that removes what has expired when somebody listens, and not even all of it.

    The embedded broker is never late, so that it cannot show this.
    """

    def __init__(self) -> None:
        self.lying = [Lying(sequence_number=n, enqueued_at=0.0, expires_at=at) for n, at in enumerate((10.0, 500.0, 2e9), 1)]

    async def look(self, queue: str, *, dead_letters: bool, after: int) -> list[Lying]:
        assert (queue, dead_letters) == ("plain", False)
        return [each for each in self.lying if each.sequence_number > after]

    async def listen(self, queue: str) -> None:
        assert queue == "plain"
        del self.lying[1]


async def test_expired_messages_that_service_bus_still_shows_are_told_and_only_late_ones_are_overdue() -> None:
    tally = Tally(step="rejected")
    await expire_rejected(Lazy(), "plain", grace=900, clock=lambda: 1000.0, tally=tally)
    assert tally.report() == StepReport(step="rejected", checked=3, found=2, deleted=1, overdue=1, oldest_overdue_seconds=990.0)


async def test_a_broker_that_is_away_or_silent_is_unavailable(
    broker: Broker, messages: LyingMessages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lying, "CALL_SECONDS", 3.0)
    await messages.look("plain", dead_letters=True, after=0)
    broker.crash()
    for call in (messages.look("plain", dead_letters=True, after=0), messages.listen("plain")):
        with pytest.raises(QueueUnavailable):
            await call
    broker.crash_and_restart()
    assert await messages.look("plain", dead_letters=True, after=0) == []
