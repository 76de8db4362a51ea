import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.amqp import AmqpAnnotatedMessage

from tests.contract.buses import Bus, ended, host, start
from tests.contract.hosts import eventually


@pytest.fixture(scope="module")
def closing() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def bus(tmp_path: Path, closing: ThreadPoolExecutor) -> Iterator[Bus]:
    bus = start(tmp_path, closing)
    yield bus
    bus.end()


def test_a_message_is_completed_when_the_function_returns(bus: Bus) -> None:
    bus.send({"n": 1})
    with host(bus) as running_host:
        eventually(lambda: ended(running_host) == {1})
        eventually(lambda: bus.waiting() == [])


def test_a_message_is_abandoned_when_the_function_raises_and_comes_again(bus: Bus) -> None:
    bus.send({"n": 1, "fail": 2})
    with host(bus) as running_host:
        eventually(lambda: ended(running_host) == {1})
        counts = [line["count"] for line in running_host.printed() if line["what"] == "began"]
        assert counts == [1, 2, 3]


def test_a_message_that_always_fails_is_dead_lettered_after_max_delivery_count(bus: Bus) -> None:
    bus.send({"n": 1, "fail": 99}, queue="three")
    with host(bus, queue="three") as running_host:
        eventually(lambda: bus.waiting("three", sub_queue=ServiceBusSubQueue.DEAD_LETTER))
        assert len(running_host.printed()) == 3


def test_the_metadata_is_what_azure_sends_and_nothing_more(bus: Bus) -> None:
    bus.send(
        {"n": 1, "show": True},
        message_id="m-1",
        content_type="application/json",
        correlation_id="c-1",
        reply_to="answers",
        subject="s-1",
        to="t-1",
        application_properties={"tenant": "contoso", "number": 7},
    )
    with host(bus) as running_host:
        eventually(lambda: ended(running_host) == {1})
        shown = next(line for line in running_host.printed() if "metadata" in line)
    metadata = shown["metadata"]
    assert metadata.keys() == {
        "DeliveryCount", "LockToken", "ExpiresAt", "ExpiresAtUtc", "EnqueuedTime", "EnqueuedTimeUtc", "MessageId",
        "ContentType", "ReplyTo", "SequenceNumber", "To", "Subject", "Label", "CorrelationId",
        "ApplicationProperties", "UserProperties",
    }  # fmt: skip
    assert (metadata["MessageId"], metadata["Subject"], metadata["Label"]) == ("m-1", "s-1", "s-1")
    assert metadata["DeliveryCount"] == 1
    assert metadata["ApplicationProperties"] == {"tenant": "contoso", "number": 7} == shown["properties"]
    assert metadata["EnqueuedTime"] == metadata["EnqueuedTimeUtc"] + "+00:00"
    assert not any("+" in moment or "Z" in moment for moment in shown["utc"])
    assert shown["kind"] == "bytes"


def test_nulls_are_left_out_of_the_metadata(bus: Bus) -> None:
    bus.send({"n": 1, "show": True})
    with host(bus) as running_host:
        eventually(lambda: ended(running_host) == {1})
        shown = next(line for line in running_host.printed() if "metadata" in line)
    assert "CorrelationId" not in shown["metadata"]
    assert shown["properties"] == {}


def test_properties_of_every_amqp_type_reach_the_function(bus: Bus) -> None:
    properties = {"id": uuid.UUID(int=7), "raw": b"bytes", "flag": True, "when": datetime(2026, 11, 1, tzinfo=UTC)}
    bus.send({"n": 1, "show": True}, application_properties=properties)
    with host(bus) as running_host:
        eventually(lambda: ended(running_host) == {1})
        shown = next(line for line in running_host.printed() if "metadata" in line)
    assert shown["properties"]["id"] == str(uuid.UUID(int=7))
    assert shown["properties"]["raw"] == "bytes"
    assert shown["properties"]["flag"] is True


def test_a_body_that_is_not_in_data_sections_never_reaches_the_function(bus: Bus) -> None:
    with bus.sender("three") as sender:
        sender.send_messages(AmqpAnnotatedMessage(value_body={"n": 1}))
    with host(bus, queue="three") as running_host:
        eventually(lambda: bus.waiting("three", sub_queue=ServiceBusSubQueue.DEAD_LETTER))
        assert running_host.printed() == []


def test_no_more_messages_run_at_once_than_max_concurrent_calls(bus: Bus) -> None:
    bus.send(*({"n": n, "sleep": 0.2} for n in range(9)))
    with host(bus, maxConcurrentCalls=3) as running_host:
        eventually(lambda: ended(running_host) == set(range(9)))
        now = most = 0
        for line in running_host.printed():
            now += 1 if line["what"] == "began" else -1
            most = max(most, now)
        assert most == 3


def test_what_no_slot_is_free_for_stays_unlocked_for_others(bus: Bus) -> None:
    bus.send({"n": 1, "sleep": 2}, {"n": 2})
    with host(bus, maxConcurrentCalls=1) as running_host:
        running_host.wait_printed(1)
        with bus.receiver() as receiver:
            (other,) = receiver.receive_messages(max_wait_time=2)
            assert json.loads(str(other))["n"] == 2
            assert other.delivery_count == 0
            receiver.complete_message(other)


def test_a_job_starts_at_once_when_its_message_arrives(bus: Bus) -> None:
    with host(bus) as running_host:
        bus.send({"n": 0})
        running_host.wait_printed(2)
        with bus.sender() as sender:
            delays = []
            for n in range(1, 6):
                time.sleep(0.1)
                sender.send_messages(ServiceBusMessage(json.dumps({"n": n})))
                sent = time.time()
                line = next(line for line in running_host.wait_printed(2 * n + 1) if line["n"] == n)
                delays.append(line["at"] - sent)
        assert sorted(delays)[2] < 0.05, delays


def test_sigterm_lets_a_running_function_finish_and_completes_its_message(bus: Bus) -> None:
    bus.send({"n": 1, "sleep": 1}, {"n": 2})
    with host(bus, maxConcurrentCalls=1) as running_host:
        running_host.wait_printed(1)
        assert running_host.stop() == 0
        assert ended(running_host) == {1}
    assert [json.loads(str(message))["n"] for message in bus.waiting()] == [2]


def test_an_idle_host_ends_quickly(bus: Bus) -> None:
    with host(bus) as running_host:
        bus.send({"n": 1})
        eventually(lambda: ended(running_host) == {1})
        started = time.monotonic()
        assert running_host.stop() == 0
        assert time.monotonic() - started < 4


def test_each_run_is_logged_with_message_id_sequence_number_and_delivery_count(bus: Bus) -> None:
    bus.send({"n": 1, "fail": 1}, message_id="m-1")
    with host(bus) as running_host:
        eventually(lambda: ended(running_host) == {1})
        eventually(lambda: any("(Succeeded" in line["message"] for line in running_host.lines()))
        lines = [line for line in running_host.lines() if line["category"] == "Function.work"]
    details = [line["message"] for line in lines if line["message"].startswith("Trigger Details")]
    assert "MessageId: m-1, SequenceNumber: 1, DeliveryCount: 1" in details[0]
    assert "DeliveryCount: 2" in details[1]
    (failed,) = (line for line in lines if "(Failed" in line["message"])
    assert "Exception: LookupError: failed on purpose\nStack: Traceback" in failed["exception"]
