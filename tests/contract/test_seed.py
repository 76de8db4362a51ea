"""What the stack puts into Cosmos before the app starts, asked of the local endpoint by the official SDK."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient

from local import clock, deployments
from local.cosmos.auth import EMULATOR_KEY
from local.parts import PORTS
from local.stack import seed
from local.stack.settings import Addresses, app_settings
from shared import settings
from shared.azure.policies import Policies
from tests.contract.cosmos import DATABASE, Endpoint, fresh_endpoint

TENANTS = ("adatum", "contoso", "fabrikam")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path) as running:
        yield running


@pytest.fixture
async def container(endpoint: Endpoint) -> AsyncIterator[ContainerProxy]:
    async with endpoint.container("policies") as opened:
        yield opened


async def sow(endpoint: Endpoint, database: str = DATABASE) -> None:
    await seed.cosmos(endpoint=endpoint.url, key=EMULATOR_KEY, database=database)


async def test_the_sample_policies_are_policies_whose_models_the_sample_stamp_can_serve(
    endpoint: Endpoint, container: ContainerProxy, tmp_path: Path
) -> None:
    await sow(endpoint)
    addresses = Addresses(ports=dict.fromkeys(PORTS, 1))
    stamp = settings.load(app_settings(tmp_path, addresses)["Values"]).stamp
    store = Policies(container, clock=clock.now)
    for tenant in TENANTS:
        policy = await store.get(tenant)
        assert policy is not None
        assert {"gpt-small", "embed-small"} == {*policy.models}
        for alias, named in policy.models.items():
            terms = stamp.terms(policy, alias, confirmed=deployments.content_logging())
            assert [one.name for one in terms.deployments] == [*named]


async def test_seeding_again_keeps_a_policy_that_was_changed(endpoint: Endpoint, container: ContainerProxy) -> None:
    await sow(endpoint)
    before = {tenant: await container.read_item("policy", tenant) for tenant in TENANTS}
    changed = await container.upsert_item(before["contoso"] | {"content_filter": "required"})

    await sow(endpoint)

    after = {tenant: await container.read_item("policy", tenant) for tenant in TENANTS}
    assert after == before | {"contoso": dict(changed)}


async def test_seeding_again_adds_what_is_missing(endpoint: Endpoint, container: ContainerProxy) -> None:
    await sow(endpoint)
    await container.delete_item("policy", "fabrikam")

    await sow(endpoint)

    assert (await container.read_item("policy", "fabrikam"))["abuse_monitoring"]["mode"] == "opted_out"


async def test_seeding_makes_a_database_and_its_containers(endpoint: Endpoint) -> None:
    wanted = json.loads((Path(seed.__file__).parent.parent / "seed" / "containers.json").read_text())
    await sow(endpoint, database="fresh")
    async with CosmosClient(endpoint.url, EMULATOR_KEY) as client:
        database = client.get_database_client("fresh")
        made = {found["id"]: found async for found in database.list_containers()}
        policies = [found["tenantId"] async for found in database.get_container_client("policies").read_all_items()]
    assert {name: found["partitionKey"]["paths"] for name, found in made.items()} == {
        name: definition["partition_key"] for name, definition in wanted.items()
    }
    assert sorted(policies) == [*TENANTS]
