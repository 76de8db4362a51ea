"""Evidence that is old goes, and a signed checkpoint stands for it: whatever happens meanwhile, the chain holds."""

import asyncio

import pytest
from azure.cosmos.aio import ContainerProxy

from shared.azure import evidence_pruning
from shared.azure.evidence import Evidence
from shared.azure.evidence_pruning import Pruned, prune
from shared.domain.evidence import Kind, Problem, Record
from shared.domain.evidence_head import Purpose
from shared.errors import ServiceUnavailable
from shared.patience import patience
from shared.privacy.evidence_check import State, followed_from
from tests.contract.evidence import CHAIN, Services, check, stored


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_pruning, "AT_ONCE", 2)


async def left(chains: Evidence) -> list[int]:
    return [record.sequence for record in await stored(chains, CHAIN) if isinstance(record, Record)]


@pytest.fixture
async def nine(chains: Evidence) -> list[Record]:
    return [await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {"number": number}) for number in range(9)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 8])
async def test_what_is_old_goes_and_the_rest_holds_from_its_checkpoint(
    chains: Evidence, nine: list[Record], count: int
) -> None:
    assert await prune(chains, CHAIN, older_than=nine[count].at) == Pruned(deleted=count, complete=True)
    assert await left(chains) == [*range(count + 1, 10)]
    found = await check(chains, CHAIN)
    assert (found.state, found.records, found.verified) == (State.HOLDS, 9 - count, nine[8].head)
    assert (found.checkpoint.statement.head if found.checkpoint else None) == (nine[count - 1].head if count else None)
    assert await prune(chains, CHAIN, older_than=nine[count].at) == Pruned(deleted=0, complete=True)


async def test_the_last_record_stays_however_old_it_is(chains: Evidence, nine: list[Record]) -> None:
    assert await prune(chains, CHAIN, older_than=nine[8].at + 1000) == Pruned(deleted=8, complete=True)
    added = await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    assert (added.sequence, added.previous) == (10, nine[8].hash)
    assert (await check(chains, CHAIN)).state is State.HOLDS


async def test_an_empty_chain_has_nothing_to_prune(chains: Evidence) -> None:
    assert await prune(chains, CHAIN, older_than=1e10) == Pruned(deleted=0, complete=True)


@pytest.mark.parametrize(
    "fault", [{"drop_after_write": True}, {"drop_before": True}, {"status": 503}, {"status": 500}], ids=str
)
async def test_a_store_that_fails_meanwhile_is_waited_for(
    evidence_services: Services, chains: Evidence, nine: list[Record], fault: dict[str, object]
) -> None:
    evidence_services.endpoint.fault(container="evidence", operation="batch", count=6, **fault)
    assert await prune(chains, CHAIN, older_than=nine[6].at) == Pruned(deleted=6, complete=True)
    assert (await check(chains, CHAIN)).state is State.HOLDS


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_a_chain_holds_wherever_the_pruning_was_interrupted(
    evidence_services: Services, chains: Evidence, nine: list[Record], after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = 0
    write = Evidence.write

    async def interrupted(self: Evidence, *given: object) -> bool:
        nonlocal batches
        if batches == after:
            evidence_services.endpoint.fault(container="evidence", operation="batch", status=403, count=1000)
        batches += 1
        return await write(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Evidence, "write", interrupted)
    with pytest.raises(ServiceUnavailable), patience(0.2):
        await prune(chains, CHAIN, older_than=nine[8].at)
    evidence_services.endpoint.reset()
    found = await check(chains, CHAIN)
    assert (found.state, found.records) == (State.HOLDS, 9 - 2 * after)
    monkeypatch.undo()
    await prune(chains, CHAIN, older_than=nine[8].at)
    assert await left(chains) == [9]


async def test_two_that_prune_at_once_and_one_that_appends_leave_a_chain_that_holds(
    evidence_services: Services, chains: Evidence, nine: list[Record]
) -> None:
    async with evidence_services.evidence() as (other, _):
        await asyncio.gather(
            prune(chains, CHAIN, older_than=nine[8].at),
            prune(other, CHAIN, older_than=nine[8].at),
            *(other.append(CHAIN, Kind.CONFIGURATION_CHECKED, {"number": number}) for number in range(5)),
            *(check(chains, CHAIN) for _ in range(3)),
        )
    assert (await prune(chains, CHAIN, older_than=nine[8].at)).complete
    assert await left(chains) == [*range(9, 15)]
    assert (await check(chains, CHAIN)).state is State.HOLDS


async def test_a_chain_that_was_pruned_behind_what_was_verified_before_is_followed_on(
    chains: Evidence, nine: list[Record]
) -> None:
    await prune(chains, CHAIN, older_than=nine[6].at)
    for verified in (None, nine[1].head, nine[5].head, nine[7].head):
        found = await followed_from(chains, CHAIN, verified)
        assert (found.state, found.verified) == (State.HOLDS, nine[8].head)


async def test_a_check_during_a_pruning_finds_no_problem(chains: Evidence, nine: list[Record]) -> None:
    checking = [asyncio.create_task(check(chains, CHAIN)) for _ in range(5)]
    await prune(chains, CHAIN, older_than=nine[8].at)
    assert {found.state for found in await asyncio.gather(*checking)} == {State.HOLDS}


async def test_a_chain_that_does_not_hold_is_not_pruned(
    chains: Evidence, container: ContainerProxy, nine: list[Record]
) -> None:
    document = await container.read_item("4", CHAIN.value)
    await container.replace_item("4", {**document, "at": 1.0})
    assert await prune(chains, CHAIN, older_than=nine[8].at) == Pruned(deleted=2, complete=False)
    assert await left(chains) == [*range(3, 10)]
    assert (await check(chains, CHAIN)).problem is Problem.CHANGED


@pytest.mark.parametrize("name", ["head", "checkpoint"])
async def test_nothing_is_pruned_by_a_statement_that_does_not_hold(
    chains: Evidence, container: ContainerProxy, nine: list[Record], name: str
) -> None:
    await prune(chains, CHAIN, older_than=nine[2].at)
    document = await container.read_item(name, CHAIN.value)
    await container.replace_item(name, {**document, "signed_sequence": 5})
    assert await prune(chains, CHAIN, older_than=nine[8].at) == Pruned(deleted=0, complete=False)
    assert (await check(chains, CHAIN)).problem is Problem.SIGNATURE_INVALID


async def test_records_deleted_by_somebody_else_have_no_checkpoint(
    chains: Evidence, container: ContainerProxy, nine: list[Record]
) -> None:
    await prune(chains, CHAIN, older_than=nine[2].at)
    older = await container.read_item("checkpoint", CHAIN.value)
    await prune(chains, CHAIN, older_than=nine[4].at)
    await container.replace_item("checkpoint", dict(older))
    assert (await check(chains, CHAIN)).problem is Problem.MISSING, "an older checkpoint"
    await container.delete_item("checkpoint", CHAIN.value)
    assert (await check(chains, CHAIN)).problem is Problem.BEGINNING_MISSING, "no checkpoint"
    head = await container.read_item("head", CHAIN.value)
    await container.upsert_item({**head, "id": "checkpoint"})
    assert (await check(chains, CHAIN)).problem is Problem.SIGNATURE_INVALID, "a head in its place"


async def test_a_checkpoint_says_up_to_where_and_when(chains: Evidence, nine: list[Record]) -> None:
    before = chains.clock()
    await prune(chains, CHAIN, older_than=nine[3].at)
    found = await chains.signed(CHAIN, Purpose.CHECKPOINT)
    assert found is not None
    assert found.signed is not None
    assert found.head == nine[2].head
    assert before <= found.signed.statement.at <= chains.clock()
