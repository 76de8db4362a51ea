"""What webhooks cost at the store: nothing for those who do not listen."""

from collections.abc import Iterator

import pytest

from local.demo.client import REQUESTS
from tests.system.faults import count_from_now, item_requests
from tests.system.stack import Stack, running_stack, wait_for
from tests.system.webhooks import QUEUE, Tenant, tenant_of

NEVER = "0 0 0 1 1 *"
JOBS = 15
"""Below half of the tenant's limit, from where on other instances are counted."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose timer stays silent, because its requests would be counted."""
    with (
        running_stack(tmp_path_factory.mktemp("stack"), LETHE_RETENTION_SCHEDULE=NEVER) as started,
        started.keeping_connections() as running,
    ):
        yield running


@pytest.fixture
def tenant(stack: Stack) -> Iterator[Tenant]:
    with tenant_of(stack, "fabrikam") as caller:
        yield caller


def test_a_queue_job_of_a_tenant_without_endpoints_costs_two_item_requests_and_no_query(stack: Stack) -> None:
    _run(stack, "warm", 1)
    count_from_now(stack)
    _run(stack, "counted", JOBS)
    assert item_requests(stack) == {"create": JOBS, "batch": JOBS}
    assert item_requests(stack, "webhook-endpoints") == {}


def test_each_endpoint_costs_a_read_and_a_write_per_event_and_its_announcement_one_of_each(
    stack: Stack, tenant: Tenant
) -> None:
    for hook in ("one", "two"):
        tenant.listens(hook)
    _run(stack, "warm again", 1)
    tenant.receiver.wait_for(2)
    _wait_until_drained(stack)
    count_from_now(stack)
    _run(stack, "heard", JOBS)
    tenant.receiver.wait_for(2 + 2 * JOBS)
    _wait_until_drained(stack)
    assert item_requests(stack) == {"create": JOBS, "batch": JOBS, "read": 3 * JOBS, "patch": 3 * JOBS}


def _run(stack: Stack, batch: str, count: int) -> None:
    body = {"model": "gpt-small", "input": "[[delay:50]] Count this."}
    envelope = {"tenant": "fabrikam", "batch": batch, "method": "POST", "url": "/v1/responses", "body": body}
    stack.submit([{**envelope, "custom_id": f"job-{n}"} for n in range(count)])
    _wait_until_drained(stack)


def _wait_until_drained(stack: Stack) -> None:
    wait_for("empty queues", lambda: not any(stack.peek(queue) for queue in (REQUESTS, QUEUE)))
