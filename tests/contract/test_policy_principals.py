"""Which tenant a principal acts for, asked of the Cosmos endpoint by the app's own query."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure import remembered
from shared.azure.policies import CACHE_SECONDS, Policies
from shared.errors import Denial, Forbidden, StoreUnavailable
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.policies import DIRECTORY, stored

OTHER_DIRECTORY = "11e7be00-0000-4000-8000-000000000002"
CONTOSO, FABRIKAM, STRANGER = (f"11e7be00-0000-4000-8000-000000000c0{number}" for number in (1, 2, 9))


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path) as running:
        yield running


@pytest.fixture
async def container(endpoint: Endpoint) -> AsyncIterator[ContainerProxy]:
    async with endpoint.container("policies") as opened:
        await opened.create_item(policy("contoso", (DIRECTORY, CONTOSO), (DIRECTORY, "11e7be00-0000-4000-8000-000000000c0a")))
        await opened.create_item(policy("fabrikam", (DIRECTORY, FABRIKAM)))
        await opened.create_item(policy("queue-only"))
        yield opened


def policy(tenant: str, *principals: tuple[str, str]) -> dict[str, object]:
    roles = ["Lethe.Submit"]
    listed = [{"directory": directory, "client_id": client, "roles": roles} for directory, client in principals]
    return stored(tenant, principals=listed)


async def tenant(store: Policies, client: str, *, directory: str = DIRECTORY) -> str | None:
    found = await store.of_principal(directory=directory, client_id=client)
    return found.tenant_id if found else None


async def test_a_principal_acts_for_the_tenant_whose_policy_lists_it(container: ContainerProxy) -> None:
    store = Policies(container, clock=clock.now)

    assert await tenant(store, CONTOSO) == "contoso"
    assert await tenant(store, FABRIKAM) == "fabrikam"
    assert await tenant(store, "11e7be00-0000-4000-8000-000000000c0a") == "contoso"


async def test_a_stranger_acts_for_nobody(container: ContainerProxy) -> None:
    store = Policies(container, clock=clock.now)

    assert await tenant(store, STRANGER) is None
    assert await tenant(store, CONTOSO, directory=OTHER_DIRECTORY) is None
    assert await tenant(store, "") is None
    assert await tenant(store, "' OR true --") is None


async def test_answers_are_kept_for_a_minute_those_for_strangers_too(endpoint: Endpoint, container: ContainerProxy) -> None:
    store = Policies(container, clock=clock.now)
    assert [await tenant(store, name) for name in (CONTOSO, STRANGER)] == ["contoso", None]
    endpoint.reset()
    assert [await tenant(store, name) for name in (CONTOSO, STRANGER) * 5] == ["contoso", None] * 5
    assert sum(endpoint.counts("policies").values()) == 0

    await container.create_item(policy("adatum", (DIRECTORY, STRANGER)))
    assert await tenant(store, STRANGER) is None
    clock.advance(CACHE_SECONDS)
    assert await tenant(store, STRANGER) == "adatum"


async def test_a_principal_of_two_policies_is_refused_until_it_is_of_one(container: ContainerProxy) -> None:
    await container.create_item(policy("adatum", (DIRECTORY, CONTOSO)))
    store = Policies(container, clock=clock.now)

    for _ in range(2):
        with pytest.raises(Forbidden) as refused:
            await tenant(store, CONTOSO)
        assert refused.value.denial is Denial.TENANT_AMBIGUOUS
    assert await tenant(store, FABRIKAM) == "fabrikam"

    await container.delete_item("policy", "adatum")
    clock.advance(CACHE_SECONDS)
    assert await tenant(store, CONTOSO) == "contoso"


async def test_the_cache_is_bounded(endpoint: Endpoint, container: ContainerProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 3)
    store = Policies(container, clock=clock.now)
    assert await tenant(store, CONTOSO) == "contoso"
    for number in range(3):
        assert await tenant(store, f"stranger-{number}") is None
    endpoint.reset()

    assert await tenant(store, CONTOSO) == "contoso"
    assert sum(endpoint.counts("policies").values()) > 0


async def test_a_policy_that_cannot_be_read_decides_nothing(container: ContainerProxy) -> None:
    await container.create_item(policy("broken", (DIRECTORY, STRANGER)) | {"queue_submission": "perhaps"})
    store = Policies(container, clock=clock.now)

    with pytest.raises(StoreUnavailable):
        await tenant(store, STRANGER)


async def test_a_store_that_does_not_answer_is_said_at_once(endpoint: Endpoint, container: ContainerProxy) -> None:
    store = Policies(container, clock=clock.now)
    endpoint.fault(container="policies", status=403, count=100)

    with pytest.raises(StoreUnavailable):
        await tenant(store, CONTOSO)
    endpoint.reset()
    assert await tenant(store, CONTOSO) == "contoso", "a failure is not kept"
