"""A part that is away for a while: jobs that arrive meanwhile are done afterwards, and nobody counts the time against them."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.system.faults import down
from tests.system.host_log import HostLog
from tests.system.jobs import job, left_over, submitted, text_of, wait_for_status, wait_until_drained
from tests.system.stack import Stack, running_stack, wait_for

JOBS = 50


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def test_jobs_that_arrive_while_the_store_is_down_are_done_when_it_is_back_at_their_first_delivery(stack: Stack) -> None:
    log = HostLog.from_now(stack)
    stack.submit([job("warm", "one", "so that the app is warm")])
    stack.wait_for_outputs("contoso", "warm", 1)
    with stack.keeping_connections() as sender, down(stack, "cosmos"):
        for n in range(JOBS):
            sender.submit([job("store-down", f"job-{n}", f"number {n}")])
            time.sleep(10 / JOBS)
    outputs = stack.wait_for_outputs("contoso", "store-down", JOBS)
    wait_until_drained(stack)
    assert {text_of(output) for output in outputs} == {f"number {n}" for n in range(JOBS)}
    assert {delivery.count for delivery in log.deliveries()} == {1}
    assert left_over(stack) == {}


def test_a_job_that_runs_while_the_store_is_down_keeps_its_answer(stack: Stack) -> None:
    prompt = "[[delay:1000]] answered meanwhile"
    log = HostLog.from_now(stack)
    job_id = submitted(stack, job("store-down-later", "one", prompt))
    with down(stack, "cosmos"):
        time.sleep(2.5)
    found = wait_for_status(stack, "contoso", job_id, "completed")
    assert (found.receipt["attempt"], len(found.events), stack.model_calls(prompt)) == (1, 1, 1)
    assert [delivery.count for delivery in log.deliveries()] == [1]


def test_a_job_that_runs_while_the_broker_is_down_is_stored_and_its_message_completed(stack: Stack) -> None:
    prompt = "[[delay:1500]] the queue was away"
    log = HostLog.from_now(stack)
    job_id = submitted(stack, job("broker-down", "one", prompt))
    with down(stack, "broker"):
        wait_for_status(stack, "contoso", job_id, "completed")
    wait_until_drained(stack)
    assert stack.model_calls(prompt) == 1
    assert [delivery.count for delivery in log.deliveries()] == [1]


def test_a_job_that_meets_a_dead_model_is_tried_again_until_it_lives(stack: Stack) -> None:
    prompt = "the model was away"
    log = HostLog.from_now(stack)
    with down(stack, "model"):
        job_id = submitted(stack, job("model-down", "one", prompt))
        wait_for("two failed rounds", lambda: len(log.events("model_call_failed")) >= 2)
    found = wait_for_status(stack, "contoso", job_id, "completed")
    assert {failed["code"] for failed in log.events("model_call_failed")} == {"model_unavailable"}
    assert (len(found.events), stack.model_calls(prompt)) == (1, 1)
    assert {delivery.count for delivery in log.deliveries()} == {1}


def test_a_host_that_is_told_to_stop_lets_running_jobs_end(stack: Stack) -> None:
    prompts = [f"[[delay:3500]] let me finish {n}" for n in range(10)]
    log = HostLog.from_now(stack)
    stack.submit([job("stopped", f"job-{n}", prompt) for n, prompt in enumerate(prompts)])
    wait_for("all jobs to run", lambda: log.unfinished() == len(prompts) and stack.model_calls(prompts[-1]))
    pid = stack.endpoints["pids"]["host"]
    os.kill(pid, signal.SIGTERM)
    wait_for("the host to be restarted", lambda: stack.endpoints["pids"]["host"] != pid)
    assert len(stack.outputs("contoso", "stopped")) == len(prompts)
    wait_until_drained(stack)
    assert log.unfinished() == 0
    assert [delivery.count for delivery in log.deliveries()] == [1] * len(prompts)
    assert {stack.model_calls(prompt) for prompt in prompts} == {1}
