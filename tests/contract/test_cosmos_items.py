"""Items by themselves: create, read, replace, upsert, patch, delete, and the etags that guard them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from local import clock
from tests.contract.cosmos import Endpoint, document, fresh_endpoint, key


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("items")) as running:
        yield running


@pytest.fixture
async def container(endpoint: Endpoint) -> AsyncIterator[ContainerProxy]:
    async with endpoint.container() as opened:
        yield opened


async def test_an_item_is_read_as_it_was_created_with_the_server_s_properties(container: ContainerProxy) -> None:
    sent = document("round-trip", text="Grüße \u2028 😀", number=1.5, deep={"list": [1, None, True]})
    created = await container.create_item(sent)
    read = await container.read_item("receipt", key("round-trip"))
    assert {name: read[name] for name in sent} == sent
    assert read["_etag"] == created["_etag"] == read.get_response_headers()["etag"]
    assert abs(read["_ts"] - clock.now()) < 5
    assert read["_rid"]
    assert read["_self"].endswith(f"/docs/{read['_rid']}/")


async def test_each_response_carries_a_charge_an_activity_and_a_session(container: ContainerProxy) -> None:
    created = await container.create_item(document("headers"))
    read = await container.read_item("receipt", key("headers"))
    assert float(created.get_response_headers()["x-ms-request-charge"]) >= 5
    assert float(read.get_response_headers()["x-ms-request-charge"]) == 1
    assert read.get_response_headers()["x-ms-activity-id"]
    assert read.get_response_headers()["x-ms-session-token"]


async def test_the_same_id_twice_in_a_partition_is_a_conflict_and_in_another_is_not(container: ContainerProxy) -> None:
    await container.create_item(document("first"))
    with pytest.raises(CosmosResourceExistsError):
        await container.create_item(document("first"))
    await container.create_item(document("second"))


async def test_what_is_not_there_is_not_found(container: ContainerProxy) -> None:
    absent = key("absent")
    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("receipt", absent)
    with pytest.raises(CosmosResourceNotFoundError):
        await container.replace_item("receipt", document("absent"))
    with pytest.raises(CosmosResourceNotFoundError):
        await container.delete_item("receipt", absent)
    with pytest.raises(CosmosResourceNotFoundError):
        await container.patch_item("receipt", absent, [{"op": "set", "path": "/n", "value": 1}])


async def test_a_deleted_item_is_gone_and_its_id_is_free(container: ContainerProxy) -> None:
    await container.create_item(document("deleted"))
    await container.delete_item("receipt", key("deleted"))
    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("receipt", key("deleted"))
    await container.create_item(document("deleted", again=True))


async def test_an_upsert_adds_and_then_overwrites(container: ContainerProxy) -> None:
    await container.upsert_item(document("upsert", old=1))
    await container.upsert_item(document("upsert", new=2))
    read = await container.read_item("receipt", key("upsert"))
    assert (read.get("old"), read["new"]) == (None, 2)


@pytest.mark.parametrize("operation", ["replace", "upsert", "patch", "delete"])
async def test_a_write_with_an_etag_that_is_no_more_fails_and_changes_nothing(
    container: ContainerProxy, operation: str
) -> None:
    job = f"etag-{operation}"
    stale = (await container.create_item(document(job, n=1)))["_etag"]
    current = (await container.replace_item("receipt", document(job, n=2)))["_etag"]
    with pytest.raises(CosmosAccessConditionFailedError):
        await _write(container, operation, job, stale)
    assert (await container.read_item("receipt", key(job)))["n"] == 2
    await _write(container, operation, job, current)


async def _write(container: ContainerProxy, operation: str, job: str, etag: str) -> None:
    guard: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    match operation:
        case "replace":
            await container.replace_item("receipt", document(job, n=3), **guard)
        case "upsert":
            await container.upsert_item(document(job, n=3), **guard)
        case "patch":
            await container.patch_item("receipt", key(job), [{"op": "set", "path": "/n", "value": 3}], **guard)
        case _:
            await container.delete_item("receipt", key(job), **guard)


async def test_an_upsert_with_an_etag_adds_what_is_not_there_as_azure_does(container: ContainerProxy) -> None:
    await container.upsert_item(document("upsert-absent"), etag='"never"', match_condition=MatchConditions.IfNotModified)
    assert await container.read_item("receipt", key("upsert-absent"))


async def test_an_upsert_that_wants_nothing_there_fails_when_there_is(container: ContainerProxy) -> None:
    await container.upsert_item(document("only-new", n=1), match_condition=MatchConditions.IfMissing)
    with pytest.raises(CosmosAccessConditionFailedError):
        await container.upsert_item(document("only-new", n=2), match_condition=MatchConditions.IfMissing)


async def test_every_patch_operation_does_what_its_name_says(container: ContainerProxy) -> None:
    await container.create_item(document("patch", n=1, gone=1, list=[1, 3], deep={"a": 1}, old="moved"))
    patched = await container.patch_item(
        "receipt",
        key("patch"),
        [
            {"op": "add", "path": "/list/1", "value": 2},
            {"op": "add", "path": "/list/-", "value": 4},
            {"op": "set", "path": "/deep/b", "value": {"c": None}},
            {"op": "replace", "path": "/deep/a", "value": 5},
            {"op": "remove", "path": "/gone"},
            {"op": "incr", "path": "/n", "value": 2},
            {"op": "incr", "path": "/fresh", "value": 1.5},
            {"op": "move", "from": "/old", "path": "/new"},
        ],
    )
    assert patched["list"] == [1, 2, 3, 4]
    assert patched["deep"] == {"a": 5, "b": {"c": None}}
    assert (patched["n"], patched["fresh"], patched["new"]) == (3, 1.5, "moved")
    assert not {"gone", "old"} & set(patched)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/absent", "value": 1},
        {"op": "remove", "path": "/absent"},
        {"op": "incr", "path": "/text", "value": 1},
        {"op": "set", "path": "/id", "value": "x"},
        {"op": "set", "path": "/jobId", "value": "x"},
        {"op": "set", "path": "/_etag", "value": "x"},
        {"op": "set", "path": "/list/7", "value": 1},
        {"op": "grow", "path": "/n", "value": 1},
    ],
    ids=lambda operation: f"{operation['op']} {operation['path']}",
)
async def test_a_patch_that_cannot_be_applied_is_refused_as_a_whole(
    container: ContainerProxy, operation: dict[str, Any]
) -> None:
    stored = await container.upsert_item(document("patch-refused", text="x", list=[1], n=1))
    first = {"op": "set", "path": "/n", "value": 2}
    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.patch_item("receipt", key("patch-refused"), [first, operation])
    assert refused.value.status_code == 400
    assert (await container.read_item("receipt", key("patch-refused")))["_etag"] == stored["_etag"]


async def test_a_patch_whose_filter_predicate_is_false_fails_with_412(container: ContainerProxy) -> None:
    await container.create_item(document("predicate", state="queued", lease=10))
    claim = [{"op": "set", "path": "/state", "value": "running"}]
    free = "FROM c WHERE c.state = 'queued' AND (NOT IS_DEFINED(c.lease) OR c.lease < 20)"
    patched = await container.patch_item("receipt", key("predicate"), claim, filter_predicate=free)
    assert patched["state"] == "running"
    with pytest.raises(CosmosAccessConditionFailedError):
        await container.patch_item("receipt", key("predicate"), claim, filter_predicate=free)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp's, above 1 MB
async def test_an_item_of_two_megabytes_is_stored_and_a_larger_one_is_413(container: ContainerProxy) -> None:
    await container.create_item(document("large", text="ü" * (1024 * 1024 - 200)))
    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.create_item(document("larger", text="ü" * 1024 * 1024))
    assert refused.value.status_code == 413
    with pytest.raises(CosmosHttpResponseError) as grown:
        await container.patch_item("receipt", key("large"), [{"op": "add", "path": "/more", "value": "x" * 1000}])
    assert grown.value.status_code == 413


@pytest.mark.parametrize("name", ["", "a/b", "a#b", "a?b", "a\\b", "x" * 256])
async def test_an_id_that_azure_refuses_is_refused(container: ContainerProxy, name: str) -> None:
    with pytest.raises((CosmosHttpResponseError, ValueError)):
        await container.create_item(document("bad-id", name))


async def test_an_unusual_but_valid_id_travels_in_addresses(container: ContainerProxy) -> None:
    name = "a b%20c:ü+&=d"
    await container.create_item(document("odd-id", name))
    assert (await container.read_item(name, key("odd-id")))["id"] == name
    await container.delete_item(name, key("odd-id"))


async def test_a_write_can_do_without_the_item_in_its_answer(container: ContainerProxy) -> None:
    answer = await container.create_item(document("quiet"), no_response=True)
    assert dict(answer) == {}
    assert await container.read_item("receipt", key("quiet"))


async def test_a_point_operation_needs_the_whole_partition_key(container: ContainerProxy) -> None:
    await container.create_item(document("whole-key"))
    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.read_item("receipt", ["contoso"])
    assert refused.value.status_code == 400


async def test_an_error_quotes_nothing_of_the_document(container: ContainerProxy) -> None:
    await container.create_item(document("secretive", text="CANARY-1"))
    with pytest.raises(CosmosResourceExistsError) as refused:
        await container.create_item(document("secretive", text="CANARY-2"))
    assert "CANARY" not in str(refused.value)
    assert "secretive" not in str(refused.value)


async def test_another_key_than_the_account_s_is_refused(endpoint: Endpoint) -> None:
    stranger = CosmosClient(endpoint.url, "bm90IHRoZSBrZXk=")
    with pytest.raises(CosmosHttpResponseError) as refused:
        await stranger.__aenter__()
    await stranger.close()  # the SDK leaves its session open when entering fails
    assert refused.value.status_code == 401
