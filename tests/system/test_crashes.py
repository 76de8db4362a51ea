"""SIGKILL at any moment: no job is lost, none has two results, and each crash costs at most one more model call per job."""

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.system.faults import Killer, arm, change_app_settings, count_from_now, item_requests
from tests.system.host_log import HostLog
from tests.system.jobs import job, left_over, text_of, traces, wait_until_all_wait, wait_until_drained
from tests.system.stack import Stack, running_stack, wait_for

JOBS = 200
KILLS = {"host": 10, "broker": 3, "cosmos": 3}
LOCK_AND_LEASE_SECONDS = 11
HELD = {"delay_ms": 8000}
"""Keeps a request from being answered, and its worker at that request, until the worker is killed."""

LOST = {"drop_after_write": True}
"""The write happens; the worker's SDK does not hear of it and sends it again."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="module")
def connected(stack: Stack) -> Iterator[Stack]:
    with stack.keeping_connections() as kept:
        yield kept


@pytest.fixture(scope="module")
def killer(stack: Stack) -> Killer:
    return Killer(stack=stack)


@pytest.mark.timeout(240)
def test_two_hundred_jobs_end_once_each_while_host_broker_and_store_are_killed_at_random(stack: Stack, killer: Killer) -> None:
    seed = int(os.environ.get("LETHE_CRASH_SEED") or time.time_ns() % 1_000_000)
    print(f"to repeat this run: LETHE_CRASH_SEED={seed}")  # noqa: T201 - pytest shows it when the test fails
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    prompts = {f"job-{n}": f"[[delay:{chance.randint(300, 2500)}]] this is answer {n} of {JOBS}" for n in range(JOBS)}
    log = HostLog.from_now(stack)
    stack.submit([job("crashes", name, prompt, tenant="fabrikam") for name, prompt in prompts.items()])

    kills = [part for part, times in KILLS.items() for _ in range(times)]
    chance.shuffle(kills)
    for part in kills:
        time.sleep(chance.uniform(0.7, 2.7) if part == "host" else chance.uniform(0.0, 0.5))
        killer.kill(part)
    done_at_last_kill = len(stack.outputs("fabrikam", "crashes"))

    outputs = stack.wait_for_outputs("fabrikam", "crashes", JOBS, seconds=120)
    wait_until_drained(stack)
    assert {output["custom_id"]: text_of(output) for output in outputs} == {
        name: prompt.partition("]] ")[2] for name, prompt in prompts.items()
    }
    assert len(stack.outputs("fabrikam")) == JOBS
    assert [receipt["status"] for receipt in stack.receipts("fabrikam")] == ["completed"] * JOBS
    events = stack.events("fabrikam")
    assert len(events) == len({event["event_id"] for event in events}) == JOBS
    calls = {name: stack.model_calls(prompt) for name, prompt in prompts.items()}
    assert left_over(stack) == {}
    cut = log.unfinished()
    print(f"done at the last kill {done_at_last_kill}, invocations cut {cut}, model calls {sum(calls.values())}")  # noqa: T201
    assert done_at_last_kill < JOBS, "the kills came too late to meet running jobs"
    assert min(calls.values()) == 1
    assert max(calls.values()) <= 1 + KILLS["host"]
    assert sum(calls.values()) <= JOBS + cut


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A moment of a job at which its host is killed: when the worker is held at the ``reached``-th request of an operation.

    ``calls`` and ``attempts`` are what the job has cost when it has ended; ``copies`` of its message wait after the crash.
    """

    operation: str
    reached: int
    faults: tuple[dict[str, Any], ...]
    calls: int
    attempts: tuple[int, ...]
    copies: int = 0


MOMENTS = {
    "before its receipt is stored": Moment(operation="create", reached=1, faults=(HELD,), calls=1, attempts=(1,)),
    "after its receipt is stored": Moment(operation="create", reached=2, faults=(LOST, HELD), calls=1, attempts=(2,)),
    "before its result is stored": Moment(operation="batch", reached=1, faults=(HELD,), calls=2, attempts=(2,)),
    "after its result is stored": Moment(operation="batch", reached=2, faults=(LOST, HELD), calls=1, attempts=(1,)),
    "before it is given back": Moment(operation="patch", reached=1, faults=(HELD,), calls=3, attempts=(2,)),
    "after it is given back": Moment(operation="patch", reached=2, faults=(LOST, HELD), calls=3, attempts=(3,), copies=1),
    "after its copy is scheduled": Moment(
        operation="patch", reached=3, faults=({"count": 2}, HELD), calls=3, attempts=(4, 5), copies=2
    ),
}
"""A job of which two copies wait is taken by one; the other may find it running, and counts one more attempt to look again."""


@pytest.mark.parametrize("when", MOMENTS)
def test_a_job_whose_host_is_killed_ends_once(connected: Stack, killer: Killer, when: str) -> None:
    moment = MOMENTS[when]
    prompt = f"{'[[status:429:2:90]] ' if moment.operation == 'patch' else ''}killed {when}"
    count_from_now(connected)
    for fault in moment.faults:
        arm(connected, operation=moment.operation, **fault)
    connected.submit([job(when, "one", prompt)])
    wait_for("the moment", lambda: item_requests(connected).get(moment.operation, 0) >= moment.reached)
    killer.kill("host")
    connected.advance(LOCK_AND_LEASE_SECONDS)
    if moment.copies:
        wait_until_all_wait(connected, moment.copies)
        connected.advance(90)
    [output] = connected.wait_for_outputs("contoso", when, 1)
    if moment.copies:
        connected.advance(LOCK_AND_LEASE_SECONDS)
    wait_until_drained(connected)

    found = traces(connected, "contoso", output["jobId"])
    assert text_of(output) == f"killed {when}"
    assert (found.receipt["status"], len(found.events)) == ("completed", 1)
    assert connected.model_calls(prompt) == moment.calls
    assert found.receipt["attempt"] in moment.attempts
    assert left_over(connected) == {}


def test_a_job_that_kills_its_host_at_every_delivery_fails_with_a_code_and_leaves_no_dead_letter(
    connected: Stack, killer: Killer
) -> None:
    deliveries = 3
    change_app_settings(connected, LETHE_MAX_DELIVERY_COUNT=str(deliveries))
    killer.kill("host")
    log = HostLog.from_now(connected)
    prompt = "[[delay:4000]] the end of its host"
    connected.submit([job("poison", "one", prompt)])
    for calls in range(1, deliveries):
        wait_for("a model call", partial(_has_been_asked, connected, prompt, calls))
        killer.kill("host")
        connected.advance(LOCK_AND_LEASE_SECONDS)
    [output] = connected.wait_for_outputs("contoso", "poison", 1)
    wait_until_drained(connected)

    found = traces(connected, "contoso", output["jobId"])
    assert (output["status"], output["error"]["code"]) == ("failed", "delivery_attempts_exhausted")
    assert (found.receipt["status"], found.error_code) == ("failed", "delivery_attempts_exhausted")
    assert [event["type"] for event in found.events] == ["response.failed"]
    assert [delivery.count for delivery in log.deliveries()] == [1, 2, 3]
    assert connected.model_calls(prompt) == deliveries - 1
    assert left_over(connected) == {}


def _has_been_asked(stack: Stack, prompt: str, times: int) -> bool:
    return stack.model_calls(prompt) == times
