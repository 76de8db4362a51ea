"""A model that asks for patience: waiting holds no worker, costs no delivery, and loses no job."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.system.host_log import HostLog
from tests.system.jobs import job, left_over, text_of, traces, wait_until_all_wait, wait_until_drained
from tests.system.stack import Stack, running_stack, wait_for

WORKERS = 32
"""``maxConcurrentCalls`` in host.json."""

DEPLOYMENTS = 2
"""Of contoso's model; fabrikam has opted out, and has the one of a resource on which Azure keeps nothing."""
"""Deployments of the model alias; each round of calls asks all of them."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with (
        running_stack(folder, LETHE_MODEL_TIMEOUT_SECONDS="20") as started,
        started.keeping_connections() as running,
    ):
        yield running


def test_a_long_429_holds_no_worker_costs_no_delivery_and_loses_no_job(stack: Stack) -> None:
    rounds, count = 3, WORKERS + 8
    prompts = {f"job-{n}": f"[[status:429:{rounds}:90]] patient {n}" for n in range(count)}
    log = HostLog.from_now(stack)
    stack.submit([job("patient", name, prompt, tenant="fabrikam") for name, prompt in prompts.items()])
    stack.submit([job("hasty", "one", "hasty")])
    stack.wait_for_outputs("contoso", "hasty", 1, seconds=15)
    wait_until_all_wait(stack, count)
    assert [receipt["status"] for receipt in stack.receipts("fabrikam")] == ["queued"] * count
    for done in range(1, rounds):
        stack.advance(90)
        wait_for("the next round", partial(_has_waited, log, count * (done + 1)))
        wait_until_all_wait(stack, count)
    stack.advance(90)
    outputs = stack.wait_for_outputs("fabrikam", "patient", count)
    wait_until_drained(stack)

    assert {output["custom_id"]: text_of(output) for output in outputs} == {f"job-{n}": f"patient {n}" for n in range(count)}
    assert {stack.model_calls(prompt) for prompt in prompts.values()} == {rounds + 1}
    assert {delivery.count for delivery in log.deliveries()} == {1}
    assert len(log.deliveries()) == count * (rounds + 1) + 1
    assert left_over(stack) == {}


def test_a_short_wait_is_spent_in_place(stack: Stack) -> None:
    log = HostLog.from_now(stack)
    prompt = "[[status:429:2:1]] soon"
    stack.submit([job("short", "one", prompt)])
    [output] = stack.wait_for_outputs("contoso", "short", 1)
    assert text_of(output) == "soon"
    assert traces(stack, "contoso", output["jobId"]).receipt["attempt"] == 1
    assert log.events("job_postponed") == []
    assert stack.model_calls(prompt) == DEPLOYMENTS + 1


def test_calls_longer_than_half_a_lock_keep_their_messages_however_many_they_are(stack: Stack) -> None:
    prompts = {f"job-{n}": f"[[delay:{4800 + 10 * n}]] long {n}" for n in range(WORKERS)}
    log = HostLog.from_now(stack)
    stack.submit([job("long", name, prompt) for name, prompt in prompts.items()])
    outputs = stack.wait_for_outputs("contoso", "long", WORKERS)
    wait_until_drained(stack)
    assert {traces(stack, "contoso", output["jobId"]).receipt["attempt"] for output in outputs} == {1}
    assert [delivery.count for delivery in log.deliveries()] == [1] * WORKERS
    assert {stack.model_calls(prompt) for prompt in prompts.values()} == {1}


def _has_waited(log: HostLog, times: int) -> bool:
    return len(log.events("job_postponed")) == times
