"""Time to live: counted from the last write, invisible at once, soon gone from the file."""

from collections.abc import Iterator

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError

from local import clock
from local.cosmos.auth import EMULATOR_KEY
from tests.contract.cosmos import DATABASE, Endpoint, document, eventually, fresh_endpoint, key


@pytest.fixture
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("retention")) as running:
        yield running


async def gone(container: ContainerProxy, job: str) -> bool:
    try:
        await container.read_item("receipt", key(job))
    except CosmosResourceNotFoundError:
        return True
    return False


async def test_an_item_past_its_time_is_unreadable_at_once_and_soon_off_the_disk(endpoint: Endpoint) -> None:
    async with endpoint.container() as container:
        await container.create_item(document("dies", text="CANARY-DIES", ttl=60))
        await container.create_item(document("stays", text="CANARY-STAYS"))
        clock.advance(58)
        assert not await gone(container, "dies")
        assert endpoint.holds("CANARY-DIES")
        clock.advance(3)
        assert await gone(container, "dies")
        assert eventually(lambda: not endpoint.holds("CANARY-DIES"))
        assert not await gone(container, "stays")
        assert endpoint.holds("CANARY-STAYS")


async def test_a_write_starts_the_time_anew(endpoint: Endpoint) -> None:
    async with endpoint.container() as container:
        await container.create_item(document("renewed", ttl=60, n=0))
        clock.advance(50)
        await container.patch_item("receipt", key("renewed"), [{"op": "incr", "path": "/n", "value": 1}])
        clock.advance(50)
        assert not await gone(container, "renewed")
        clock.advance(11)
        assert await gone(container, "renewed")


async def test_a_patch_of_the_ttl_itself_counts(endpoint: Endpoint) -> None:
    async with endpoint.container() as container:
        await container.create_item(document("shortened", ttl=6000))
        await container.patch_item("receipt", key("shortened"), [{"op": "set", "path": "/ttl", "value": 10}])
        clock.advance(11)
        assert await gone(container, "shortened")


async def test_an_expired_item_cannot_be_written_and_its_id_is_free(endpoint: Endpoint) -> None:
    async with endpoint.container() as container:
        await container.create_item(document("again", ttl=60, old=True))
        clock.advance(61)
        with pytest.raises(CosmosResourceNotFoundError):
            await container.patch_item("receipt", key("again"), [{"op": "set", "path": "/n", "value": 1}])
        created = await container.create_item(document("again"))
        assert "old" not in created


@pytest.mark.parametrize(
    ("default", "own", "expires"),
    [(None, 60, False), (-1, None, False), (-1, 60, True), (60, None, True), (60, -1, False), (6000, 60, True)],
)
async def test_the_container_s_default_decides_with_the_item(
    endpoint: Endpoint, default: int | None, own: int | None, *, expires: bool
) -> None:
    async with CosmosClient(endpoint.url, EMULATOR_KEY) as client:
        container = await client.get_database_client(DATABASE).create_container(
            "ttl", PartitionKey(["/tenantId", "/jobId"]), default_ttl=default
        )
        await container.create_item(document("one") | ({} if own is None else {"ttl": own}))
        clock.advance(61)
        assert await gone(container, "one") is expires


async def test_switching_the_default_off_stops_expiry_and_on_again_resumes_it(endpoint: Endpoint) -> None:
    async with CosmosClient(endpoint.url, EMULATOR_KEY) as client:
        database = client.get_database_client(DATABASE)
        partition_key = PartitionKey(["/tenantId", "/jobId"])
        container = await database.create_container("switched", partition_key, default_ttl=-1)
        await container.create_item(document("one", ttl=60))
        await database.replace_container("switched", partition_key)
        assert "defaultTtl" not in await container.read()
        clock.advance(61)
        assert not await gone(container, "one")
        await database.replace_container("switched", partition_key, default_ttl=-1)
        assert (await container.read())["defaultTtl"] == -1
        assert await gone(container, "one")


@pytest.mark.parametrize("ttl", [0, -2, 1.5, "60", 2**31, True])
async def test_a_ttl_that_is_none_is_refused(endpoint: Endpoint, ttl: object) -> None:
    async with endpoint.container() as container:
        with pytest.raises(CosmosHttpResponseError) as refused:
            await container.create_item(document("odd", ttl=ttl))
        assert refused.value.status_code == 400


async def test_what_is_overwritten_or_deleted_leaves_the_file(endpoint: Endpoint) -> None:
    async with endpoint.container() as container:
        for number in range(40):
            # Sizes on both sides of a database page, so that rows move between pages.
            await container.create_item(document(f"job{number}", text=f"CANARY-{number:03} " * (1 + 40 * (number % 9))))
        for number in range(40):
            if number % 2:
                await container.delete_item("receipt", key(f"job{number}"))
            else:
                await container.upsert_item(document(f"job{number}", text="new " * (number * 7)))
        assert eventually(lambda: not any(endpoint.holds(f"CANARY-{number:03}") for number in range(40)))


async def test_a_deleted_container_takes_its_items_along(endpoint: Endpoint) -> None:
    async with CosmosClient(endpoint.url, EMULATOR_KEY) as client:
        database = client.get_database_client(DATABASE)
        container = await database.create_container("dropped", PartitionKey(["/tenantId", "/jobId"]))
        await container.create_item(document("one", text="CANARY-DROPPED"))
        assert endpoint.holds("CANARY-DROPPED")
        await database.delete_container("dropped")
        assert eventually(lambda: not endpoint.holds("CANARY-DROPPED"))
