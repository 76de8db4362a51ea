"""Transactional batches: everything or nothing, in one logical partition."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError, CosmosResourceNotFoundError

from tests.contract.cosmos import Endpoint, document, fresh_endpoint, key


@pytest.fixture(scope="module")
async def container(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ContainerProxy]:
    with fresh_endpoint(tmp_path_factory.mktemp("batch")) as endpoint:
        async with endpoint.container() as opened:
            yield opened


async def names(container: ContainerProxy, job: str) -> list[Any]:
    found = container.query_items("SELECT VALUE c.id FROM c", partition_key=key(job))
    return sorted([str(each) async for each in found])


async def test_a_batch_of_every_operation_is_applied_in_order(container: ContainerProxy) -> None:
    job = "every"
    old = await container.create_item(document(job, "old", n=1))
    await container.create_item(document(job, "gone"))
    results = await container.execute_item_batch(
        [
            ("create", (document(job, "output", text="x"),)),
            ("upsert", (document(job, "event"),)),
            ("replace", ("old", document(job, "old", n=2)), {"if_match_etag": old["_etag"]}),
            ("patch", ("old", [{"op": "incr", "path": "/n", "value": 3}]), {"filter_predicate": "from c where c.n = 2"}),
            ("read", ("old",)),
            ("delete", ("gone",)),
        ],
        key(job),
    )
    assert [result["statusCode"] for result in results] == [201, 201, 200, 200, 200, 204]
    assert results[4]["resourceBody"]["n"] == 5
    assert results[4]["eTag"] == results[4]["resourceBody"]["_etag"] == results[3]["eTag"]
    assert "resourceBody" not in results[5]
    assert await names(container, job) == ["event", "old", "output"]
    charge = float(results.get_response_headers()["x-ms-request-charge"])
    assert charge == sum(result["requestCharge"] for result in results)


@pytest.mark.parametrize(
    ("failing", "status"),
    [
        (("create", (document("atomic", "taken"),)), 409),
        (("replace", ("absent", document("atomic", "absent"))), 404),
        (("replace", ("taken", document("atomic", "taken")), {"if_match_etag": '"stale"'}), 412),
        (("delete", ("taken",), {"if_match_etag": '"stale"'}), 412),
        (("patch", ("taken", [{"op": "set", "path": "/n", "value": 1}]), {"filter_predicate": "from c where c.n=9"}), 412),
        (("patch", ("taken", [{"op": "remove", "path": "/absent"}])), 400),
        (("read", ("absent",)), 404),
        (("create", (document("elsewhere", "x"),)), 400),
    ],
)
async def test_a_batch_with_one_failing_operation_changes_nothing(
    container: ContainerProxy, failing: tuple[Any, ...], status: int
) -> None:
    before = await container.upsert_item(document("atomic", "taken", n=1))
    with pytest.raises(CosmosBatchOperationError) as failed:
        await container.execute_item_batch(
            [
                ("create", (document("atomic", "fresh"),)),
                ("patch", ("taken", [{"op": "set", "path": "/n", "value": 7}])),
                failing,
                ("delete", ("taken",)),
            ],
            key("atomic"),
        )
    assert failed.value.status_code == status
    assert failed.value.error_index == 2
    assert [result["statusCode"] for result in failed.value.operation_responses] == [424, 424, status, 424]
    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("fresh", key("atomic"))
    after = await container.read_item("taken", key("atomic"))
    assert (after["_etag"], after["n"]) == (before["_etag"], 1)


async def test_a_batch_takes_a_hundred_operations_and_not_one_more(container: ContainerProxy) -> None:
    creates: list[Any] = [("create", (document("many", f"i{number}"),)) for number in range(101)]
    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.execute_item_batch(creates, key("many"))
    assert refused.value.status_code == 400
    assert len(await container.execute_item_batch(creates[:100], key("many"))) == 100


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp's, above 1 MB
async def test_a_batch_above_two_megabytes_is_413(container: ContainerProxy) -> None:
    halves: list[Any] = [("create", (document("big", f"i{number}", text="x" * 1024 * 1024),)) for number in range(2)]
    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.execute_item_batch(halves, key("big"))
    assert refused.value.status_code == 413
    assert await names(container, "big") == []


async def test_a_crash_leaves_whole_batches_only(tmp_path_factory: pytest.TempPathFactory) -> None:
    with fresh_endpoint(tmp_path_factory.mktemp("crash")) as endpoint:
        done = await _batches_until_killed(endpoint)
        endpoint.crash_and_restart()
        async with endpoint.container() as container:
            found = [await names(container, f"job{number}") for number in range(len(done) + 2)]
        whole = ["event", "output", "receipt"]
        assert found[: len(done)] == [whole] * len(done)
        assert all(rest in ([], whole) for rest in found[len(done) :])


async def _batches_until_killed(endpoint: Endpoint) -> list[str]:
    done: list[str] = []
    async with endpoint.container(retry_connect=0, retry_read=0, retry_total=1) as container:
        try:
            while True:
                job = f"job{len(done)}"
                creates: list[Any] = [("create", (document(job, name),)) for name in ("receipt", "output", "event")]
                if len(done) == 20:
                    endpoint.part.process.kill()
                await container.execute_item_batch(creates, key(job))
                done.append(job)
        except Exception:  # noqa: BLE001 - whatever the SDK makes of a dead server
            return done
