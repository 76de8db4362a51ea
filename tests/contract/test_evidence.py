"""The evidence chains on the Cosmos endpoint: what an append leaves behind, whatever happens to it meanwhile."""

import asyncio
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure import evidence
from shared.azure.evidence import Evidence
from shared.domain.evidence import Chain, Kind, Record
from shared.domain.evidence_head import Purpose
from shared.errors import StoreUnavailable
from shared.patience import patience
from tests.contract.cosmos import Endpoint
from tests.contract.evidence import Services, ends_signed, stored


@pytest.fixture
def endpoint(evidence_services: Services) -> Endpoint:
    return evidence_services.endpoint


async def append(chains: Evidence, *, chain: Chain = Chain.POLICIES, **fields: Any) -> Record:  # noqa: ANN401
    return await chains.append(chain, Kind.POLICY_APPLIED, fields)


async def numbers(chains: Evidence) -> list[int]:
    """The field ``number`` of each record of a chain that holds, after asserting that it does."""
    records = [each for each in await stored(chains, Chain.POLICIES) if isinstance(each, Record)]
    assert await ends_signed(chains, Chain.POLICIES)
    assert [each.sequence for each in records] == [*range(1, len(records) + 1)]
    found = [each.fields["number"] for each in records]
    return [number for number in found if isinstance(number, int)]


async def test_an_empty_chain_has_no_head_and_no_records(chains: Evidence) -> None:
    assert await chains.signed(Chain.POLICIES, Purpose.HEAD) is None
    assert await stored(chains, Chain.POLICIES) == []


async def test_a_record_comes_back_as_it_was_appended(chains: Evidence) -> None:
    first = await append(
        chains, actor="a:b", names=("retention", "models[0]"), mac="ab" * 32, rows=2, age=1.0, ok=True, none=()
    )
    second = await append(chains)

    assert await stored(chains, Chain.POLICIES) == [first, second]
    assert await ends_signed(chains, Chain.POLICIES)
    assert abs(first.at - clock.now()) < 60


async def test_a_document_is_a_record_and_nothing_deletes_it_by_itself(chains: Evidence, container: ContainerProxy) -> None:
    record = await append(chains, names=("retention",))
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
    assert await stored(chains, Chain.POLICIES) == [record]


async def test_chains_are_numbered_by_themselves(chains: Evidence) -> None:
    await append(chains)
    other = await append(chains, chain=Chain.CONFIGURATION)
    assert other.sequence == 1
    assert await stored(chains, Chain.CONFIGURATION) == [other]


@pytest.mark.parametrize("count", [6, 7, 11])
async def test_a_chain_is_read_in_pages_to_its_end_and_in_the_order_of_numbers(
    chains: Evidence, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "PAGE", 3)
    for number in range(count):
        await append(chains, number=number)
    assert await numbers(chains) == [*range(count)]


async def test_free_text_is_refused_and_leaves_nothing(chains: Evidence) -> None:
    with pytest.raises(ValueError, match="record of evidence"):
        await append(chains, note="two words")
    assert await stored(chains, Chain.POLICIES) == []


FAULTS: list[dict[str, object]] = [
    {"operation": "batch", "drop_after_write": True, "count": 12},
    {"operation": "batch", "drop_before": True, "count": 12},
    {"operation": "batch", "status": 503, "count": 6},
    {"operation": "batch", "status": 500, "count": 6},
    {"operation": "batch", "status": 449, "count": 6},
    {"operation": "query", "status": 503, "count": 6},
    {"operation": "read", "status": 404, "count": 6},
    {"drop_after_write": True, "count": 30},
]


@pytest.mark.parametrize("fault", [None, *FAULTS], ids=str)
async def test_twenty_appends_at_once_from_two_stores_make_one_chain(
    evidence_services: Services, endpoint: Endpoint, chains: Evidence, fault: dict[str, object] | None
) -> None:
    if fault:
        endpoint.fault(container="evidence", **fault)
    async with evidence_services.evidence() as (other, _):
        stores = [chains, other]
        made = await asyncio.gather(*(append(stores[number % 2], number=number) for number in range(20)))
    assert sorted(await numbers(chains)) == [*range(20)]
    assert sorted(made, key=lambda record: record.sequence) == await stored(chains, Chain.POLICIES)


@pytest.mark.parametrize("lost", [1, 4, 6])
async def test_an_append_whose_answers_are_lost_is_there_once(endpoint: Endpoint, chains: Evidence, lost: int) -> None:
    """Up to four times the SDK sends the write again by itself; then patience does."""
    await append(chains, number=0)
    endpoint.fault(container="evidence", operation="batch", drop_after_write=True, count=lost)
    assert (await append(chains, number=1)).sequence == 2
    await append(chains, number=2)
    assert await numbers(chains) == [0, 1, 2]


async def test_a_store_that_dies_under_appends_keeps_each_once(endpoint: Endpoint, chains: Evidence) -> None:
    appends = [asyncio.create_task(append(chains, number=number)) for number in range(20)]
    _, pending = await asyncio.wait(appends, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.to_thread(endpoint.crash_and_restart)
    await asyncio.gather(*appends)
    assert pending
    assert sorted(await numbers(chains)) == [*range(20)]


@pytest.mark.parametrize("operation", ["query", "batch"])
async def test_a_store_that_does_not_answer_is_said(endpoint: Endpoint, chains: Evidence, operation: str) -> None:
    endpoint.fault(container="evidence", operation=operation, status=403, count=100)
    with pytest.raises(StoreUnavailable), patience(0.2):
        await append(chains)
    endpoint.reset()
    assert await stored(chains, Chain.POLICIES) == []
