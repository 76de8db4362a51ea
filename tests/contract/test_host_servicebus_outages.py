from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

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


def test_the_lock_is_renewed_while_a_function_runs_longer_than_it(bus: Bus) -> None:
    bus.send({"n": 1, "sleep": 2.5})
    with host(bus) as running_host:
        eventually(lambda: ended(running_host) == {1})
        eventually(lambda: bus.waiting() == [])
        assert len(running_host.printed()) == 2


def test_the_lock_is_not_renewed_beyond_the_limit_and_the_message_runs_again(bus: Bus) -> None:
    bus.send({"n": 1, "sleep": 2.5})
    with host(bus, maxAutoLockRenewalDuration="00:00:00") as running_host:
        counts = [line["count"] for line in running_host.wait_printed(2)]
        assert counts == [1, 2]


def test_the_host_is_ready_without_a_broker_and_begins_when_it_comes(bus: Bus) -> None:
    bus.send({"n": 1})
    bus.kill()
    with host(bus) as running_host:
        eventually(lambda: any("trying again" in line["message"] for line in running_host.lines()))
        assert running_host.printed() == []
        bus.restart()
        eventually(lambda: ended(running_host) == {1})


def test_the_host_works_on_after_the_broker_was_killed_and_restarted(bus: Bus) -> None:
    with host(bus) as running_host:
        bus.send({"n": 1})
        eventually(lambda: ended(running_host) == {1})
        bus.kill()
        bus.restart()
        bus.send({"n": 2})
        eventually(lambda: ended(running_host) == {1, 2})
        eventually(lambda: bus.waiting() == [])


def test_a_message_is_still_settled_when_the_broker_restarted_while_its_function_ran(bus: Bus) -> None:
    bus.send({"n": 1, "sleep": 1}, queue="long")
    with host(bus, queue="long") as running_host:
        running_host.wait_printed(1)
        bus.kill()
        bus.restart()
        eventually(lambda: ended(running_host) == {1})
        eventually(lambda: bus.waiting("long") == [])
        assert len(running_host.printed()) == 2


def test_the_sdk_that_the_host_itself_uses_writes_nothing_into_the_telemetry(bus: Bus) -> None:
    bus.send({"n": 1})
    with host(bus) as running_host:
        eventually(lambda: ended(running_host) == {1})
        bus.kill()
        eventually(lambda: any("trying again" in line["message"] for line in running_host.lines()))
        bus.restart()
        assert not [line for line in running_host.lines() if line.get("logger", "").startswith("azure.servicebus")]


def test_the_clock_may_jump_while_a_function_runs(bus: Bus) -> None:
    """The lock runs out at once: the message comes again, and the late settlement is given up."""
    bus.send({"n": 1, "sleep": 1})
    with host(bus) as running_host:
        running_host.wait_printed(1)
        (bus.state / "clock-offset").write_text("3600")
        eventually(lambda: len([line for line in running_host.printed() if line["what"] == "ended"]) == 2)
        eventually(lambda: bus.waiting() == [])
