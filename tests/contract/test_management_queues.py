"""Queues as the management endpoint describes them: always what the broker beside it goes by and holds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage

from local import clock
from local.management import ids
from local.management.queues import duration
from tests.contract.broker import Broker, dead_letters, desk, fresh_broker, receive
from tests.contract.management import Arm, managing


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with fresh_broker(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
async def arm(broker: Broker) -> AsyncIterator[Arm]:
    with managing(broker.state) as management:
        async with management.arm() as arm:
            yield arm


async def properties(arm: Arm, queue: str) -> Any:  # noqa: ANN401
    return (await arm.get(f"{ids.QUEUES}/{queue}"))["properties"]


async def counts(arm: Arm, queue: str = "plain") -> tuple[int, int, int, int]:
    """All, active, scheduled, dead-lettered."""
    found = await properties(arm, queue)
    details = found["countDetails"]
    return (
        found["messageCount"],
        details["activeMessageCount"],
        details["scheduledMessageCount"],
        details["deadLetterMessageCount"],
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "PT0S"), (10, "PT10S"), (60, "PT1M"), (5400, "PT1H30M"), (86400, "P1D"), (604_861, "P7DT1M1S"), (0.5, "PT0.5S")],
)
def test_a_duration_is_written_as_service_bus_writes_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


async def test_settings_are_those_that_the_broker_goes_by(arm: Arm) -> None:
    listed = {queue["name"]: queue["properties"] for queue in (await arm.get(ids.QUEUES))["value"]}
    assert set(listed) == {"Plain", "once", "brief", "keeps-expired", "patient-twice"}
    assert await properties(arm, "pLaIn") == listed["Plain"]
    plain = {
        "lockDuration": "PT10S",
        "maxDeliveryCount": 20,
        "defaultMessageTimeToLive": "P1D",
        "deadLetteringOnMessageExpiration": False,
        "requiresDuplicateDetection": False,
        "requiresSession": False,
        "status": "Active",
    }
    assert plain.items() <= listed["Plain"].items()
    assert (listed["once"]["requiresDuplicateDetection"], listed["once"]["duplicateDetectionHistoryTimeWindow"]) == (
        True,
        "PT10M",
    )
    assert listed["keeps-expired"]["deadLetteringOnMessageExpiration"]
    assert listed["patient-twice"]["maxDeliveryCount"] == 2


async def test_settings_change_when_the_broker_starts_with_others(broker: Broker, arm: Arm) -> None:
    file = broker.state.parent / "queues.json"
    file.write_text('{"plain": {"lock_seconds": 300}}', encoding="utf-8")
    assert (await properties(arm, "plain"))["lockDuration"] == "PT10S"
    broker.crash_and_restart()
    assert [queue["name"] for queue in (await arm.get(ids.QUEUES))["value"]] == ["plain"]
    changed = await properties(arm, "plain")
    assert changed["lockDuration"] == "PT5M"
    assert changed["defaultMessageTimeToLive"] == "P10675199DT2H48M5.4775807S"


async def test_messages_are_counted_by_what_became_of_them(broker: Broker, arm: Arm) -> None:
    assert await counts(arm) == (0, 0, 0, 0)
    async with desk(broker, "plain") as (sender, receiver):
        await sender.send_messages([ServiceBusMessage(str(number)) for number in range(4)])
        await sender.schedule_messages(ServiceBusMessage("later"), clock.utcnow() + timedelta(seconds=60))
        assert await counts(arm) == (5, 4, 1, 0)
        await receiver.complete_message(await receive(receiver))
        await receiver.dead_letter_message(await receive(receiver))
        await receiver.defer_message(await receive(receiver))
        locked = await receive(receiver)
        assert await counts(arm) == (4, 2, 1, 1)
        await receiver.complete_message(locked)
        assert await counts(arm) == (3, 1, 1, 1)
        async with dead_letters(broker, "plain") as dead:
            await dead.complete_message(await receive(dead))
        assert await counts(arm) == (2, 1, 1, 0)
        clock.advance(61)
        assert await counts(arm) == (2, 2, 0, 0)


async def test_messages_past_their_time_are_counted_as_the_broker_would_though_it_is_down(broker: Broker, arm: Arm) -> None:
    soon = clock.utcnow() + timedelta(seconds=30)
    for queue in ("brief", "keeps-expired", "patient-twice"):
        async with desk(broker, queue) as (sender, receiver):
            await sender.send_messages(ServiceBusMessage("short", time_to_live=timedelta(seconds=50)))
            await sender.schedule_messages(ServiceBusMessage("later", time_to_live=timedelta(seconds=90)), soon)
            await sender.send_messages([ServiceBusMessage("locked") for _ in range(queue == "patient-twice")])
            if queue == "patient-twice":
                messages = [await receive(receiver), await receive(receiver)]
                await receiver.abandon_message(messages[1])
                await receive(receiver)
    broker.crash()
    assert [await counts(arm, queue) for queue in ("brief", "keeps-expired")] == [(2, 1, 1, 0), (2, 1, 1, 0)]
    assert await counts(arm, "patient-twice") == (3, 2, 1, 0)
    clock.advance(40)
    assert [await counts(arm, queue) for queue in ("brief", "keeps-expired")] == [(2, 2, 0, 0), (2, 2, 0, 0)]
    assert await counts(arm, "patient-twice") == (3, 2, 0, 1)
    clock.advance(100)
    predicted = [await counts(arm, queue) for queue in ("brief", "keeps-expired", "patient-twice")]
    assert predicted == [(0, 0, 0, 0), (2, 0, 0, 2), (1, 0, 0, 1)]
    broker.crash_and_restart()
    assert [await counts(arm, queue) for queue in ("brief", "keeps-expired", "patient-twice")] == predicted


async def test_a_broker_at_work_is_not_disturbed_by_who_counts(broker: Broker, arm: Arm) -> None:
    done = asyncio.Event()
    reads = 0

    async def count() -> None:
        nonlocal reads
        while not done.is_set():
            await arm.get(ids.QUEUES)
            reads += 1

    counting = [asyncio.create_task(count()) for _ in range(4)]
    async with desk(broker, "plain") as (sender, receiver):
        for _ in range(30):
            await sender.send_messages([ServiceBusMessage("x" * 10_000) for _ in range(10)])
            for message in await receiver.receive_messages(max_message_count=10, max_wait_time=5):
                await receiver.complete_message(message)
    done.set()
    await asyncio.gather(*counting)
    assert reads > 20
    assert await counts(arm) in {(left, left, 0, 0) for left in range(300)}
    assert broker.stop() == 0
