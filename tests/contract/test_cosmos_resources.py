"""The account, databases and containers, and what a request must look like at all."""

import json
import os
import subprocess
import sys
import urllib.error
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceExistsError, CosmosResourceNotFoundError

from local.cosmos import query
from local.cosmos.auth import EMULATOR_KEY
from local.cosmos.resources import seed
from local.cosmos.sql.parser import parse
from local.cosmos.store import Store
from tests.contract.cosmos import DATABASE, Endpoint, document, fresh_endpoint, key
from tests.parts import ROOT


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("resources")) as running:
        yield running


@pytest.fixture
async def client(endpoint: Endpoint) -> AsyncIterator[CosmosClient]:
    async with CosmosClient(endpoint.url, EMULATOR_KEY) as opened:
        yield opened


async def test_the_seeded_containers_are_there_with_their_keys_and_default_ttl(client: CosmosClient) -> None:
    seeded = json.loads((ROOT / "local" / "seed" / "containers.json").read_text(encoding="utf-8"))
    containers = [each async for each in client.get_database_client(DATABASE).list_containers()]
    found = {
        each["id"]: {"partition_key": each["partitionKey"]["paths"], "default_ttl": each["defaultTtl"]} for each in containers
    }
    assert found == seeded


async def test_a_database_is_created_listed_read_and_deleted(client: CosmosClient) -> None:
    database = await client.create_database("other")
    assert (await database.read())["id"] == "other"
    with pytest.raises(CosmosResourceExistsError):
        await client.create_database("other")
    assert {each["id"] async for each in client.list_databases()} == {DATABASE, "other"}
    await client.delete_database("other")
    with pytest.raises(CosmosResourceNotFoundError):
        await database.read()


async def test_a_container_is_created_changed_and_deleted(client: CosmosClient) -> None:
    database = client.get_database_client(DATABASE)
    container = await database.create_container("changing", PartitionKey("/tenantId"))
    with pytest.raises(CosmosResourceExistsError):
        await database.create_container("changing", PartitionKey("/tenantId"))
    assert "defaultTtl" not in await container.read()
    await database.replace_container("changing", PartitionKey("/tenantId"), default_ttl=7)
    assert (await container.read())["defaultTtl"] == 7
    with pytest.raises(CosmosHttpResponseError) as refused:
        await database.replace_container("changing", PartitionKey("/other"))
    assert refused.value.status_code == 400
    await database.delete_container("changing")
    with pytest.raises(CosmosResourceNotFoundError):
        await container.create_item({"id": "a", "tenantId": "t"})


async def test_a_client_that_knew_a_container_works_with_the_one_made_anew(endpoint: Endpoint, client: CosmosClient) -> None:
    database = client.get_database_client(DATABASE)
    container = await database.create_container("anew", PartitionKey("/tenantId"))
    await container.create_item({"id": "a", "tenantId": "t"})
    async with CosmosClient(endpoint.url, EMULATOR_KEY) as other:
        remade = other.get_database_client(DATABASE)
        await remade.delete_container("anew")
        await remade.create_container("anew", PartitionKey("/tenantId"))
    await container.create_item({"id": "a", "tenantId": "t"})


@pytest.mark.parametrize("value", ["text", "ü", 7, 7.5, True, None])
async def test_any_scalar_may_be_a_partition_key(client: CosmosClient, value: str | float | None) -> None:
    database = client.get_database_client(DATABASE)
    container = await database.create_container_if_not_exists("scalar", PartitionKey("/key"))
    await container.upsert_item({"id": "a", "key": value})
    # The SDK takes None for "no partition key was given", so that null is written as a list here.
    where: Any = [None] if value is None else value
    assert (await container.read_item("a", where))["key"] == value
    found: list[Any] = [each async for each in container.query_items("SELECT VALUE c.key FROM c", partition_key=where)]
    assert found == [value]


async def test_three_levels_of_a_key_can_be_asked_for_by_any_prefix(client: CosmosClient) -> None:
    database = client.get_database_client(DATABASE)
    container = await database.create_container("levels", PartitionKey(["/a", "/b", "/c"]))
    for number in range(8):
        await container.create_item({"id": str(number), "a": number // 4, "b": number // 2 % 2, "c": number % 2})
    prefixes: list[list[Any]] = [[1], [1, 0], [1, 0, 1]]
    found = []
    for prefix in prefixes:
        items = container.query_items("SELECT VALUE c.id FROM c", partition_key=prefix)
        found.append(sorted([str(each) async for each in items]))
    assert found == [["4", "5", "6", "7"], ["4", "5"], ["5"]]


async def test_a_feed_range_of_a_partition_shows_that_partition(endpoint: Endpoint) -> None:
    async with endpoint.container() as container:
        await container.create_item(document("ranged"))
        await container.create_item(document("not-ranged"))
        feed_range = await container.feed_range_from_partition_key(["contoso"])
        items = container.query_items("SELECT VALUE c.jobId FROM c", feed_range=feed_range)
        assert sorted([str(each) async for each in items]) == ["not-ranged", "ranged"]


@pytest.mark.parametrize("fault", [{"operation": "fly"}, {"unknown": 1}, {"status": "500"}, {"drop_before": 1}, {"count": -1}])
def test_a_fault_that_makes_no_sense_is_refused(endpoint: Endpoint, fault: dict[str, object]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        endpoint.fault(**fault)
    assert refused.value.code == 400
    refused.value.close()


async def test_what_exists_survives_a_restart_unchanged(tmp_path_factory: pytest.TempPathFactory) -> None:
    with fresh_endpoint(tmp_path_factory.mktemp("restart")) as endpoint:
        async with CosmosClient(endpoint.url, EMULATOR_KEY) as client:
            database = client.get_database_client(DATABASE)
            await database.replace_container("policies", PartitionKey("/tenantId"), default_ttl=99)
            await database.create_container("kept", PartitionKey("/key"))
        endpoint.crash_and_restart()
        async with CosmosClient(endpoint.url, EMULATOR_KEY) as client:
            database = client.get_database_client(DATABASE)
            assert (await database.get_container_client("policies").read())["defaultTtl"] == 99
            assert await database.get_container_client("kept").read()


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("SELECT * FROM c WHERE c.expires_at <= 9 ORDER BY c.expires_at", "items_by_deadline"),
        ("SELECT * FROM c WHERE c.expires_at <= 9 AND c.kind = 'output'", "items_by_deadline"),
        ("SELECT * FROM c", "items_by_number"),
    ],
)
def test_a_large_scan_walks_an_index_and_sorts_nothing(tmp_path: Path, text: str, index: str) -> None:
    store = Store(tmp_path / "cosmos.sqlite")
    seed(store, DATABASE, {"generations": {"partition_key": ["/tenantId", "/jobId"], "default_ttl": -1}})
    container = store.container(store.database(DATABASE), "generations")
    statements: list[str] = []
    store.sql.set_trace_callback(statements.append)
    query.run(store, container, parse(text, {}), query.Scope(), wanted=1, continuation=None)
    store.sql.set_trace_callback(None)
    plan = [row["detail"] for row in store.sql.execute(f"EXPLAIN QUERY PLAN {statements[-1]}")]
    store.close()
    assert len(plan) == 1
    assert f"USING INDEX {index}" in plan[0]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    settings = {**os.environ, "LETHE_LOCAL_STATE": str(tmp_path), "LETHE_COSMOS_PORT": "0"}
    command = [sys.executable, "-m", "local.cosmos"]
    with subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield process
        process.terminate()


async def test_nothing_of_a_document_or_a_query_is_printed(watched: subprocess.Popen[str]) -> None:
    assert watched.stdout is not None
    port = json.loads(watched.stdout.readline())["port"]
    await _use_badly(f"http://127.0.0.1:{port}/")
    watched.terminate()
    assert watched.stdout.read() == ""


async def _use_badly(url: str) -> None:
    async with CosmosClient(url, EMULATOR_KEY) as client:
        container = client.get_database_client(DATABASE).get_container_client("generations")
        await container.create_item(document("printed", text="CANARY"))
        with pytest.raises(CosmosResourceExistsError):
            await container.create_item(document("printed", text="CANARY"))
        with pytest.raises(CosmosHttpResponseError):
            await container.patch_item("receipt", key("printed"), [{"op": "incr", "path": "/text", "value": 1}])
        found = container.query_items("SELECT * FROM c WHERE c.text LIKE 'CANARY'", partition_key=key("printed"))
        with pytest.raises(CosmosHttpResponseError):
            await anext(found)
