"""The Cosmos DB account as the management endpoint describes it: its containers are those of the running endpoint."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient

from local.cosmos.auth import EMULATOR_KEY
from local.management import ids
from tests.contract.cosmos import DATABASE, Endpoint, fresh_endpoint
from tests.contract.management import Arm, Management, managing

CONTAINERS = ids.containers(DATABASE)


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def management(cosmos: Endpoint) -> Iterator[Management]:
    with managing(cosmos.state, LETHE_COSMOS_PORT=str(cosmos.part.port)) as running:
        yield running


@pytest.fixture
async def arm(management: Management) -> AsyncIterator[Arm]:
    management.reset()
    async with management.arm() as arm:
        yield arm


async def resource(arm: Arm, container: str) -> Any:  # noqa: ANN401
    return (await arm.get(f"{CONTAINERS}/{container}"))["properties"]["resource"]


async def test_the_account_says_where_it_is_and_how_it_is_backed_up(cosmos: Endpoint, arm: Arm) -> None:
    assert (await arm.get(ids.COSMOS))["properties"] == {
        "provisioningState": "Succeeded",
        "documentEndpoint": cosmos.url,
        "locations": [{"locationName": "Sweden Central", "failoverPriority": 0}],
        "backupPolicy": {
            "type": "Periodic",
            "periodicModeProperties": {
                "backupIntervalInMinutes": 240,
                "backupRetentionIntervalInHours": 8,
                "backupStorageRedundancy": "Local",
            },
        },
        "consistencyPolicy": {"defaultConsistencyLevel": "Session"},
        "disableLocalAuth": False,
        "enableAnalyticalStorage": False,
        "publicNetworkAccess": "Enabled",
    }


async def test_containers_are_those_that_exist(arm: Arm) -> None:
    listed = {each["name"]: each["properties"]["resource"] for each in (await arm.get(CONTAINERS))["value"]}
    assert {"generations", "policies", "webhook-endpoints", "privacy", "evidence"} <= set(listed)
    key = {"paths": ["/tenantId", "/jobId"], "kind": "MultiHash", "version": 2}
    assert listed["generations"] == {"id": "generations", "partitionKey": key, "defaultTtl": -1}
    assert await resource(arm, "GENERATIONS") == listed["generations"]


async def test_what_is_changed_in_the_store_is_read_at_once(cosmos: Endpoint, arm: Arm) -> None:
    async with CosmosClient(cosmos.url, EMULATOR_KEY) as client:
        database = client.get_database_client(DATABASE)
        await database.replace_container("privacy", PartitionKey("/tenantId"))
        assert "defaultTtl" not in await resource(arm, "privacy")
        await database.replace_container("privacy", PartitionKey("/tenantId"), default_ttl=60)
        assert (await resource(arm, "privacy"))["defaultTtl"] == 60
        await database.delete_container("evidence")
        assert (await arm.ask(f"{CONTAINERS}/evidence"))[0] == 404
        await database.create_container("evidence", PartitionKey("/other"), default_ttl=-1)
        assert (await resource(arm, "evidence"))["partitionKey"]["paths"] == ["/other"]


async def test_an_analytical_store_is_named_only_where_there_is_one(arm: Arm, management: Management) -> None:
    assert "analyticalStorageTtl" not in await resource(arm, "generations")
    management.override(f"{CONTAINERS}/generations", properties={"resource": {"analyticalStorageTtl": -1}})
    assert (await resource(arm, "generations"))["analyticalStorageTtl"] == -1


async def test_while_the_store_is_down_its_containers_are_not_made_up(cosmos: Endpoint, arm: Arm) -> None:
    cosmos.part.kill()
    status, body = await arm.ask(CONTAINERS)
    assert status in {503, 504}
    assert body["error"]["code"] in {"ServiceUnavailable", "GatewayTimeout"}
    cosmos.crash_and_restart()
    assert (await arm.ask(CONTAINERS))[0] == 200
