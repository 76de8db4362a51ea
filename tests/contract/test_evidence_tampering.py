"""Evidence that somebody changed in the container: it is found there, and others are added while its last link can be read."""

from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy

from shared.azure.evidence import Evidence
from shared.domain.evidence import Kind, Problem, Record, Verification
from shared.errors import StoreUnavailable
from shared.patience import patience
from shared.privacy.evidence_check import State
from tests.contract.evidence import CHAIN, check, verified


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
    chains: Evidence, container: ContainerProxy, chain: list[Record], values: dict[str, Any], problem: Problem
) -> None:
    await change(container, chain[1], **values)
    assert await verified(chains, CHAIN) == Verification(verified=chain[0].head, problem=problem)


async def test_a_deleted_document_is_found(chains: Evidence, container: ContainerProxy, chain: list[Record]) -> None:
    await container.delete_item("3", CHAIN.value)
    assert await verified(chains, CHAIN) == Verification(verified=chain[1].head, problem=Problem.MISSING)


async def test_documents_that_exchanged_their_contents_are_found(
    chains: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    second, third = [await container.read_item(name, CHAIN.value) for name in ("2", "3")]
    await container.replace_item("2", {**third, "id": "2"})
    await container.replace_item("3", {**second, "id": "3"})
    assert await verified(chains, CHAIN) == Verification(verified=chain[0].head, problem=Problem.UNREADABLE)


async def test_a_changed_last_record_does_not_keep_others_from_being_added(
    chains: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    await change(container, chain[3], kind="of_a_newer_version")
    added = await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    assert (added.sequence, added.previous) == (5, chain[3].hash)


@pytest.mark.parametrize(
    ("values", "sequence"),
    [({"hash": None}, 5), ({"hash": "two words"}, 5), ({"sequence": 7.5}, 8), ({"sequence": 40}, 41), ({"sequence": -1}, 5)],
)
async def test_a_chain_goes_on_behind_what_is_no_link_of_it_and_stays_broken(
    chains: Evidence, container: ContainerProxy, chain: list[Record], values: dict[str, Any], sequence: int
) -> None:
    await change(container, chain[3], **values)
    broken = await check(chains, CHAIN)
    added = await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    assert (added.sequence, added.previous) == (sequence, chain[3].hash)
    for found in (broken, await check(chains, CHAIN)):
        assert (found.state, found.verified) == (State.BROKEN, chain[2].head)


async def test_a_place_behind_which_no_number_fits_is_not_built_on(
    chains: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    await change(container, chain[3], sequence=2**53 - 1)
    with pytest.raises(StoreUnavailable), patience(0.2):
        await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
