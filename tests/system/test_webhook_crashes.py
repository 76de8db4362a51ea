"""SIGKILL between a request and its webhook: no job is lost, each has one event id, each endpoint gets each event."""

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.system.faults import Killer
from tests.system.stack import Stack, running_stack, wait_for
from tests.system.webhooks import DAY, PAUSES, Deliveries, Tenant, Webhook, tenant_of

BY_HTTP, BY_QUEUE = 60, 40
JOBS = BY_HTTP + BY_QUEUE
HOOKS = ("one", "two")
KILLS = {"host": 7, "broker": 1, "cosmos": 1}
CALLERS = 4
LOCK_AND_LEASE_SECONDS = 11
UNANNOUNCED_SECONDS = 61


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def tenant(stack: Stack) -> Iterator[Tenant]:
    """A caller as patient as a batch job would be: the client repeats by itself what was not answered."""
    with tenant_of(stack, "contoso", max_retries=20, timeout=20) as caller:
        for hook in HOOKS:
            caller.listens(hook)
        yield caller
        caller.forgets_endpoints()
        caller.receiver.answers_well()
        caller.receiver.forget()


@pytest.mark.timeout(240)
def test_of_a_hundred_jobs_whose_host_broker_and_store_are_killed_each_is_announced_to_each_endpoint(
    stack: Stack, tenant: Tenant
) -> None:
    seed = int(os.environ.get("LETHE_CRASH_SEED") or time.time_ns() % 1_000_000)
    print(f"to repeat this run: LETHE_CRASH_SEED={seed}")  # noqa: T201 - pytest shows it when the test fails
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    tenant.receiver.answers(status=200, count=10 * JOBS, delay_ms=150)  # so that kills meet deliveries, too
    stack.submit([_job(f"queue-{n}", chance.randint(300, 2500)) for n in range(BY_QUEUE)])
    kills = [part for part, times in KILLS.items() for _ in range(times)]
    chance.shuffle(kills)
    requests = [(f"http-{n}", chance.randint(0, 2000), chance.uniform(0.5, 2.0)) for n in range(BY_HTTP)]
    killer = Killer(stack=stack)
    with ThreadPoolExecutor(CALLERS) as pool:
        submitted = [pool.submit(_ask, tenant, *request) for request in requests]
        for part in kills:
            time.sleep(chance.uniform(0.7, 2.7) if part == "host" else chance.uniform(0.0, 0.5))
            killer.kill(part)
        heard_at_last_kill = len(tenant.receiver.received())
        ids = [each.result() for each in submitted]

    stack.advance(LOCK_AND_LEASE_SECONDS)
    wait_for("every job to end", lambda: len(stack.events("contoso")) >= JOBS, seconds=60)
    stack.advance(UNANNOUNCED_SECONDS)
    wait_for("every event to be delivered", lambda: _undelivered(stack.events("contoso")) == 0, seconds=60)
    stack.advance(LOCK_AND_LEASE_SECONDS)  # of messages that were locked when the clock was moved
    Deliveries(stack=stack).wait_until_drained()
    receipts, events = stack.receipts("contoso"), stack.events("contoso")
    assert [receipt["status"] for receipt in receipts] == ["completed"] * JOBS
    assert len(set(ids)) == BY_HTTP
    assert set(ids) <= {f"resp_{receipt['jobId']}" for receipt in receipts}
    expected = {event["event_id"]: f"resp_{event['jobId']}" for event in events}
    assert len(expected) == len(events) == JOBS
    received = tenant.receiver.received()
    for hook in HOOKS:
        assert {each.event_id: each.about for each in received if each.name == hook} == expected
    print(f"heard at the last kill {heard_at_last_kill}, posts {len(received)} for {len(HOOKS) * JOBS}")  # noqa: T201
    assert heard_at_last_kill < len(HOOKS) * JOBS, "the kills came too late to meet deliveries"


def test_a_receiver_that_is_away_for_three_days_gets_everything_afterwards(stack: Stack, tenant: Tenant) -> None:
    tenant.receiver.answers(status=503, count=10_000)
    ids = {tenant.asks(f"Number {n}.").id for n in range(6)}
    waiting = len(HOOKS) * len(ids)
    with stack.keeping_connections() as kept:
        deliveries = Deliveries(stack=kept)
        deliveries.retry(tenant, len(PAUSES) - 1, count=waiting)
        deliveries.wait_until_all_wait(waiting)
        assert {each.answered for each in tenant.receiver.received()} == {503}
        tenant.receiver.answers_well()
        deliveries.retry(tenant, 1, count=waiting)
        received = wait_for("everything", lambda: _accepted(tenant, waiting))
    assert sum(PAUSES) > 3 * DAY
    for hook in HOOKS:
        assert {each.about for each in received if each.name == hook} == ids
    assert all(endpoint.to_dict()["disabled_at"] is None for endpoint in tenant.openai.webhooks.list())


def _ask(tenant: Tenant, key: str, milliseconds: int, pause: float) -> str:
    time.sleep(pause)
    return tenant.asks(f"[[delay:{milliseconds}]] this is {key}", key=key).id


def _job(custom_id: str, milliseconds: int) -> dict[str, object]:
    body = {"model": "gpt-small", "input": f"[[delay:{milliseconds}]] this is {custom_id}"}
    return {"tenant": "contoso", "custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": body}


def _undelivered(events: list[dict[str, Any]]) -> int:
    """Events that are not known to have reached every endpoint."""
    states = [[entry["state"] for entry in event["deliveries"].values()] for event in events]
    return sum(each != ["delivered"] * len(HOOKS) for each in states)


def _accepted(tenant: Tenant, count: int) -> list[Webhook] | None:
    accepted = [each for each in tenant.receiver.received() if each.answered == 200]
    return accepted if len(accepted) >= count else None
