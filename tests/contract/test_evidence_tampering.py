"""Evidence that somebody changed in the container: it is found there, and others are added while its last link can be read."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure.evidence import Evidence
from shared.domain.evidence import Chain, Kind, Problem, Record, Verification, verify
from shared.errors import StoreUnavailable
from shared.patience import patience
from tests.contract.cosmos import Endpoint, fresh_endpoint

CHAIN = Chain.CONFIGURATION


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("tampering")) as endpoint:
        yield endpoint


@pytest.fixture
async def container(running: Endpoint) -> AsyncIterator[ContainerProxy]:
    async with running.container("evidence") as opened:
        yield opened
        for name in [each async for each in opened.query_items("SELECT VALUE c.id FROM c", partition_key=CHAIN.value)]:
            await opened.delete_item(name, CHAIN.value)


@pytest.fixture
def store(container: ContainerProxy) -> Evidence:
    return Evidence(container, clock=clock.now)


@pytest.fixture
async def chain(store: Evidence) -> list[Record]:
    return [await store.append(CHAIN, Kind.CONFIGURATION_CHECKED, {"number": number}) for number in range(4)]


async def verified(store: Evidence) -> Verification:
    return verify([each async for each in store.read(CHAIN)])


async def change(container: ContainerProxy, record: Record, **values: object) -> None:
    document = await container.read_item(str(record.sequence), CHAIN.value)
    await container.replace_item(str(record.sequence), {**document, **values})


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"fields": {"number": 7}}, Problem.CHANGED),
        ({"fields": {}}, Problem.CHANGED),
        ({"at": 1.0}, Problem.CHANGED),
        ({"token": "0" * 32}, Problem.CHANGED),
        ({"kind": "policy_applied"}, Problem.CHANGED),
        ({"hash": "0" * 64}, Problem.CHANGED),
        ({"previous": "0" * 64}, Problem.CHANGED),
        ({"sequence": 9}, Problem.MISSING),
        ({"sequence": 2.5}, Problem.UNREADABLE),
        ({"sequence": None}, Problem.MISSING),
        ({"kind": "of_a_newer_version"}, Problem.UNREADABLE),
        ({"fields": {"note": "two words"}}, Problem.UNREADABLE),
        ({"fields": None}, Problem.UNREADABLE),
        ({"note": 1}, Problem.UNREADABLE),
        ({"ttl": 10_000}, Problem.UNREADABLE),
    ],
)
async def test_a_changed_document_is_found_where_it_stands(
    store: Evidence, container: ContainerProxy, chain: list[Record], values: dict[str, Any], problem: Problem
) -> None:
    await change(container, chain[1], **values)
    assert await verified(store) == Verification(verified=chain[0].head, problem=problem)


async def test_a_deleted_document_is_found(store: Evidence, container: ContainerProxy, chain: list[Record]) -> None:
    await container.delete_item("3", CHAIN.value)
    assert await verified(store) == Verification(verified=chain[1].head, problem=Problem.MISSING)


async def test_documents_that_exchanged_their_contents_are_found(
    store: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    second, third = [await container.read_item(name, CHAIN.value) for name in ("2", "3")]
    await container.replace_item("2", {**third, "id": "2"})
    await container.replace_item("3", {**second, "id": "3"})
    assert await verified(store) == Verification(verified=chain[0].head, problem=Problem.UNREADABLE)


async def test_a_changed_last_record_does_not_keep_others_from_being_added(
    store: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    await change(container, chain[3], kind="of_a_newer_version")
    added = await store.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    assert (added.sequence, added.previous) == (5, chain[3].hash)


async def test_a_cut_off_end_is_found_by_a_head_that_was_kept(
    store: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    await container.delete_item("4", CHAIN.value)
    records = [each async for each in store.read(CHAIN)]
    assert verify(records).problem is None
    assert verify(records, expected=chain[3].head).problem is Problem.END_MISSING


@pytest.mark.parametrize("values", [{"hash": None}, {"hash": "two words"}, {"sequence": 7.5}])
async def test_nothing_is_added_behind_what_is_no_link_of_a_chain(
    store: Evidence, container: ContainerProxy, chain: list[Record], values: dict[str, Any]
) -> None:
    await change(container, chain[3], **values)
    with pytest.raises(StoreUnavailable), patience(0.2):
        await store.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
