"""What a job costs at the store, and that a store which stumbles costs a job nothing but the moment."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.faults import arm, count_from_now, disarm, item_requests
from tests.system.host_log import HostLog
from tests.system.jobs import job, text_of, traces, wait_until_drained
from tests.system.stack import Stack, running_stack

NEVER = "0 0 0 1 1 *"
LIMIT = 32
"""Jobs of the tenant at once, by its policy."""

JOBS = LIMIT // 2 - 1
"""So many at once that a look at what other instances have of the tenant is not needed."""

FAULTS: dict[str, dict[str, Any]] = {
    "a connection dropped after the write": {"drop_after_write": True},
    "a connection dropped after each of five writes": {"drop_after_write": True, "count": 5},
    "a connection dropped before the write": {"drop_before": True},
    "an answer 429": {"status": 429, "retry_after_ms": 200},
    "an answer 429 without a time": {"status": 429},
    "an answer 449": {"status": 449},
    "an answer 500": {"status": 500},
    "an answer 503": {"status": 503},
    "five answers 503": {"status": 503, "count": 5},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose timer stays silent, because its requests would be counted; with one job done, so that all is warm."""
    with (
        running_stack(tmp_path_factory.mktemp("stack"), LETHE_RETENTION_SCHEDULE=NEVER) as started,
        started.keeping_connections() as running,
    ):
        running.submit([job("warm", "one", "Hello.")])
        running.wait_for_outputs("contoso", "warm", 1)
        wait_until_drained(running)
        yield running


def test_a_queue_job_costs_two_item_requests_and_no_query(stack: Stack) -> None:
    count_from_now(stack)
    stack.submit([job("counted", f"job-{n}", f"[[delay:100]] count {n}") for n in range(JOBS)])
    wait_until_drained(stack)
    counted, policies = item_requests(stack), item_requests(stack, "policies")
    assert len(stack.outputs("contoso", "counted")) == JOBS
    assert counted == {"create": JOBS, "batch": JOBS}
    assert policies == {}


def test_a_tenant_that_has_half_of_its_limit_costs_one_query_a_second(stack: Stack) -> None:
    count_from_now(stack)
    began = time.monotonic()
    stack.submit([job("crowded", f"job-{n}", f"[[delay:1500]] crowded {n}") for n in range(LIMIT)])
    wait_until_drained(stack)
    counted, seconds = item_requests(stack), time.monotonic() - began
    assert len(stack.outputs("contoso", "crowded")) == LIMIT
    queries = counted.pop("query")
    assert counted == {"create": LIMIT, "batch": LIMIT}
    assert 1 <= queries <= seconds + 1


@pytest.mark.parametrize("operation", ["create", "batch"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_store_neither_delays_nor_repeats_nor_fails_a_job(stack: Stack, fault: str, operation: str) -> None:
    batch = f"{fault} at {operation}"
    log = HostLog.from_now(stack)
    count_from_now(stack)
    arm(stack, operation=operation, **FAULTS[fault])
    stack.submit([job(batch, "one", batch)])
    wait_until_drained(stack)
    requests = item_requests(stack)
    disarm(stack)

    [output] = stack.outputs("contoso", batch)
    found = traces(stack, "contoso", output["jobId"])
    assert requests[operation] > FAULTS[fault].get("count", 1), "the fault was not met"
    assert text_of(output) == batch
    assert (found.receipt["status"], found.receipt["attempt"], len(found.events)) == ("completed", 1, 1)
    assert [ended["attempt"] for ended in log.events("job_ended")] == [1]
    assert log.events("job_postponed") == []
    assert [delivery.count for delivery in log.deliveries()] == [1]
    assert stack.model_calls(batch) == 1
