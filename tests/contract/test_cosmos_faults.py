"""Armed faults, counted requests, crashes, and what the official SDK makes of them."""

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.cosmos.exceptions import (
    CosmosBatchOperationError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from tests.contract.cosmos import Endpoint, document, fresh_endpoint, key


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("faults")) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(running: Endpoint) -> Endpoint:
    running.reset()
    return running


INCREMENT: list[dict[str, Any]] = [{"op": "incr", "path": "/n", "value": 1}]


async def test_requests_are_counted_by_container_and_operation_and_a_batch_counts_once(endpoint: Endpoint) -> None:
    async with endpoint.container() as container:
        await container.create_item(document("counted", n=1))
        await container.read_item("receipt", key("counted"))
        await container.upsert_item(document("counted", n=2))
        await container.replace_item("receipt", document("counted", n=3))
        await container.patch_item("receipt", key("counted"), INCREMENT)
        reads: list[Any] = [("read", ("receipt",)), ("read", ("receipt",))]
        await container.execute_item_batch(reads, key("counted"))
        assert [each async for each in container.query_items("SELECT * FROM c", partition_key=key("counted"))]
        await container.delete_item("receipt", key("counted"))
    each_once = dict.fromkeys(("create", "read", "upsert", "replace", "patch", "batch", "query", "delete"), 1)
    assert endpoint.counts() == each_once
    assert endpoint.counts("policies") == {}


async def test_a_429_is_retried_by_the_sdk_after_the_time_that_it_names(endpoint: Endpoint) -> None:
    endpoint.fault(operation="create", status=429, substatus=3200, retry_after_ms=150, count=2)
    started = time.monotonic()
    async with endpoint.container() as container:
        await container.create_item(document("throttled"))
    assert time.monotonic() - started >= 0.3
    assert endpoint.counts() == {"create": 3}


@pytest.mark.parametrize(("status", "sent"), [(449, 1), (500, 1), (408, 1), (503, 2)])
async def test_other_errors_of_a_write_reach_the_caller_and_only_a_503_is_sent_again(
    endpoint: Endpoint, status: int, sent: int
) -> None:
    endpoint.fault(operation="create", status=status, substatus=7, count=9)
    async with endpoint.container() as container:
        with pytest.raises(CosmosHttpResponseError) as failed:
            await container.create_item(document(f"status-{status}"))
    assert (failed.value.status_code, failed.value.sub_status) == (status, 7)
    assert endpoint.counts() == {"create": sent}


async def test_a_fault_meets_only_its_operation_on_its_container(endpoint: Endpoint) -> None:
    endpoint.fault(operation="delete", container="generations", status=500)
    endpoint.fault(operation=None, container="policies", status=500)
    async with endpoint.container() as container:
        await container.create_item(document("spared"))
        with pytest.raises(CosmosHttpResponseError):
            await container.delete_item("receipt", key("spared"))
        await container.delete_item("receipt", key("spared"))
    async with endpoint.container("policies") as policies:
        with pytest.raises(CosmosHttpResponseError):
            await policies.create_item({"id": "p", "tenantId": "contoso"})


async def test_a_delay_holds_a_request_up(endpoint: Endpoint) -> None:
    endpoint.fault(operation="create", delay_ms=300)
    started = time.monotonic()
    async with endpoint.container() as container:
        await container.create_item(document("delayed"))
    assert time.monotonic() - started >= 0.3


async def test_disarmed_faults_do_nothing(endpoint: Endpoint) -> None:
    endpoint.fault(operation="create", status=500)
    endpoint.control("DELETE", "faults")
    async with endpoint.container() as container:
        await container.create_item(document("disarmed"))


async def test_the_sdk_sends_a_create_again_whose_answer_was_lost_and_meets_its_own_item(endpoint: Endpoint) -> None:
    endpoint.fault(operation="create", drop_after_write=True)
    async with endpoint.container() as container:
        with pytest.raises(CosmosResourceExistsError):
            await container.create_item(document("lost-answer"))
        assert await container.read_item("receipt", key("lost-answer"))
    assert endpoint.counts()["create"] == 2


async def test_the_sdk_sends_a_batch_again_whose_answer_was_lost(endpoint: Endpoint) -> None:
    endpoint.fault(operation="batch", drop_after_write=True)
    creates: list[Any] = [("create", (document("lost-batch"),))]
    async with endpoint.container() as container:
        with pytest.raises(CosmosBatchOperationError) as failed:
            await container.execute_item_batch(creates, key("lost-batch"))
    assert failed.value.status_code == 409
    assert endpoint.counts() == {"batch": 2}


async def test_the_sdk_applies_an_increment_twice_whose_answer_was_lost(endpoint: Endpoint) -> None:
    async with endpoint.container() as container:
        await container.create_item(document("twice", n=0))
        endpoint.fault(operation="patch", drop_after_write=True)
        patched = await container.patch_item("receipt", key("twice"), INCREMENT)
    assert patched["n"] == 2
    assert endpoint.counts()["patch"] == 2


@pytest.mark.parametrize("operation", ["create", "patch", "batch"])
async def test_by_default_the_sdk_sends_a_write_four_times_while_connections_drop(endpoint: Endpoint, operation: str) -> None:
    endpoint.fault(operation=operation, drop_before=True, count=9)
    creates: list[Any] = [("create", (document("dropping", "x"),))]
    # Without the SDK's waits between the sendings, which would make this test slow.
    async with endpoint.container(retry_backoff_factor=0) as container:
        writes: dict[str, Callable[[], Awaitable[object]]] = {
            "create": lambda: container.create_item(document("dropping")),
            "patch": lambda: container.patch_item("receipt", key("dropping"), INCREMENT),
            "batch": lambda: container.execute_item_batch(creates, key("dropping")),
        }
        with pytest.raises(ServiceRequestError):
            await writes[operation]()
    assert endpoint.counts() == {operation: 4}


async def test_without_retries_a_lost_answer_is_an_error_although_the_write_stands(endpoint: Endpoint) -> None:
    endpoint.fault(operation="create", drop_after_write=True)
    async with endpoint.container(retry_connect=0) as container:
        with pytest.raises(ServiceRequestError):
            await container.create_item(document("single-shot"))
        assert await container.read_item("receipt", key("single-shot"))
    assert endpoint.counts()["create"] == 1


async def test_a_connection_dropped_before_the_write_leaves_nothing(endpoint: Endpoint) -> None:
    endpoint.fault(operation="create", drop_before=True)
    async with endpoint.container(retry_connect=0) as container:
        with pytest.raises(ServiceRequestError):
            await container.create_item(document("never-written"))
        with pytest.raises(CosmosResourceNotFoundError):
            await container.read_item("receipt", key("never-written"))


async def test_committed_items_survive_a_crash(endpoint: Endpoint) -> None:
    async with endpoint.container() as container:
        stored = await container.create_item(document("survivor", text="kept"))
    endpoint.crash_and_restart()
    async with endpoint.container() as container:
        assert (await container.read_item("receipt", key("survivor")))["_etag"] == stored["_etag"]


def test_the_part_ends_cleanly_when_told_to(tmp_path_factory: pytest.TempPathFactory) -> None:
    with fresh_endpoint(tmp_path_factory.mktemp("end")) as endpoint:
        assert endpoint.stop() == 0
