"""The evidence chains on the Cosmos endpoint: what an append leaves behind, whatever happens to it meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure import evidence
from shared.azure.evidence import Evidence
from shared.domain.evidence import Chain, Kind, Record, Unreadable, Verification, verify
from shared.errors import StoreUnavailable
from shared.patience import patience
from tests.contract.cosmos import Endpoint, fresh_endpoint


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("evidence")) as endpoint:
        yield endpoint


@pytest.fixture
async def endpoint(running: Endpoint) -> AsyncIterator[Endpoint]:
    """The endpoint with empty chains."""
    yield running
    running.reset()
    async with running.container("evidence") as container:
        for found in [each async for each in container.query_items("SELECT c.id, c.chain FROM c")]:
            await container.delete_item(found["id"], found["chain"])


@pytest.fixture
async def container(endpoint: Endpoint) -> AsyncIterator[ContainerProxy]:
    async with endpoint.container("evidence") as opened:
        yield opened


@pytest.fixture
def store(container: ContainerProxy) -> Evidence:
    return Evidence(container, clock=clock.now)


async def append(store: Evidence, *, chain: Chain = Chain.POLICIES, **fields: Any) -> Record:  # noqa: ANN401
    return await store.append(chain, Kind.POLICY_APPLIED, fields)


async def stored(store: Evidence, chain: Chain = Chain.POLICIES) -> list[Record | Unreadable]:
    return [each async for each in store.read(chain)]


async def numbers(store: Evidence) -> list[int]:
    """The field ``number`` of each record of a chain that holds, after asserting that it does."""
    records = [each for each in await stored(store) if isinstance(each, Record)]
    assert verify(records).problem is None
    assert await store.head(Chain.POLICIES) == verify(records).verified
    assert [each.sequence for each in records] == [*range(1, len(records) + 1)]
    found = [each.fields["number"] for each in records]
    return [number for number in found if isinstance(number, int)]


async def test_an_empty_chain_has_no_head_and_no_records(store: Evidence) -> None:
    assert await store.head(Chain.POLICIES) is None
    assert await stored(store) == []


async def test_a_record_comes_back_as_it_was_appended(store: Evidence) -> None:
    first = await append(store, actor="a:b", names=("retention", "models[0]"), mac="ab" * 32, rows=2, age=1.0, ok=True, none=())
    second = await append(store)

    assert await stored(store) == [first, second]
    assert await store.head(Chain.POLICIES) == second.head
    assert abs(first.at - clock.now()) < 60
    assert verify(await stored(store)) == Verification(verified=second.head, problem=None)


async def test_a_document_is_a_record_and_nothing_deletes_it_by_itself(store: Evidence, container: ContainerProxy) -> None:
    record = await append(store, names=("retention",))
    document = await container.read_item("1", "policies")
    assert {name: value for name, value in document.items() if not name.startswith("_")} == {
        "id": "1",
        "chain": "policies",
        "sequence": 1,
        "at": record.at,
        "kind": "policy_applied",
        "token": record.token,
        "fields": {"names": ["retention"]},
        "previous": "0" * 64,
        "hash": record.hash,
    }
    clock.advance(400 * 86_400)
    assert await stored(store) == [record]


async def test_chains_are_numbered_by_themselves(store: Evidence) -> None:
    await append(store)
    other = await append(store, chain=Chain.CONFIGURATION)
    assert other.sequence == 1
    assert await stored(store, Chain.CONFIGURATION) == [other]


@pytest.mark.parametrize("count", [6, 7, 11])
async def test_a_chain_is_read_in_pages_to_its_end_and_in_the_order_of_numbers(
    store: Evidence, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "PAGE", 3)
    for number in range(count):
        await append(store, number=number)
    assert await numbers(store) == [*range(count)]


async def test_free_text_is_refused_and_leaves_nothing(store: Evidence) -> None:
    with pytest.raises(ValueError, match="record of evidence"):
        await append(store, note="two words")
    assert await stored(store) == []


FAULTS: list[dict[str, object]] = [
    {"operation": "create", "drop_after_write": True, "count": 12},
    {"operation": "create", "drop_before": True, "count": 12},
    {"operation": "create", "status": 503, "count": 6},
    {"operation": "create", "status": 500, "count": 6},
    {"operation": "create", "status": 449, "count": 6},
    {"operation": "query", "status": 503, "count": 6},
    {"operation": "read", "status": 404, "count": 6},
    {"drop_after_write": True, "count": 30},
]


@pytest.mark.parametrize("fault", [None, *FAULTS], ids=str)
async def test_twenty_appends_at_once_from_two_stores_make_one_chain(
    endpoint: Endpoint, store: Evidence, fault: dict[str, object] | None
) -> None:
    if fault:
        endpoint.fault(container="evidence", **fault)
    async with endpoint.container("evidence") as other_container:
        stores = [store, Evidence(other_container, clock=clock.now)]
        made = await asyncio.gather(*(append(stores[number % 2], number=number) for number in range(20)))
    assert sorted(await numbers(store)) == [*range(20)]
    assert sorted(made, key=lambda record: record.sequence) == await stored(store)


@pytest.mark.parametrize("lost", [1, 4, 6])
async def test_an_append_whose_answers_are_lost_is_there_once(endpoint: Endpoint, store: Evidence, lost: int) -> None:
    """Up to four times the SDK sends the write again by itself; then patience does."""
    await append(store, number=0)
    endpoint.fault(container="evidence", operation="create", drop_after_write=True, count=lost)
    assert (await append(store, number=1)).sequence == 2
    await append(store, number=2)
    assert await numbers(store) == [0, 1, 2]


async def test_a_store_that_dies_under_appends_keeps_each_once(endpoint: Endpoint, store: Evidence) -> None:
    appends = [asyncio.create_task(append(store, number=number)) for number in range(20)]
    _, pending = await asyncio.wait(appends, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.to_thread(endpoint.crash_and_restart)
    await asyncio.gather(*appends)
    assert pending
    assert sorted(await numbers(store)) == [*range(20)]


@pytest.mark.parametrize("operation", ["query", "create"])
async def test_a_store_that_does_not_answer_is_said(endpoint: Endpoint, store: Evidence, operation: str) -> None:
    endpoint.fault(container="evidence", operation=operation, status=403, count=100)
    with pytest.raises(StoreUnavailable), patience(0.2):
        await append(store)
    endpoint.reset()
    assert await stored(store) == []
