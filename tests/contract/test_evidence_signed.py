"""Evidence that somebody changed who can write everything in the container, but not sign: what the signed head shows of it."""

from dataclasses import replace
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure.evidence import Evidence
from shared.azure.evidence_documents import of_record
from shared.domain.evidence import BEGINNING, Chain, Kind, Problem, Record, next_record
from shared.patience import patience
from shared.privacy.evidence_check import State
from tests.contract.evidence import CHAIN, Services, check, stored, verified


async def signed_head(container: ContainerProxy) -> dict[str, Any]:
    return dict(await container.read_item("head", CHAIN.value))


def rewritten(records: list[Record], **fields: int) -> list[dict[str, Any]]:
    """The same chain with other fields, every hash made anew: what can be done without the key."""
    made: list[Record] = []
    for record in records:
        head = made[-1].head if made else None
        changed = {**record.fields, **fields}
        made.append(next_record(head, chain=CHAIN, kind=record.kind, at=record.at, token=record.token, fields=changed))
    return [of_record(record) for record in made]


async def test_an_untouched_chain_holds_and_says_what_it_is(chains: Evidence, chain: list[Record]) -> None:
    found = await check(chains, CHAIN)
    assert (found.state, found.problem, found.sequence) == (State.HOLDS, None, None)
    assert (found.records, found.first_at, found.last_at) == (4, chain[0].at, chain[3].at)
    assert found.head is not None
    assert found.verified == found.head.statement.head == chain[3].head


@pytest.mark.parametrize("left", [3, 1, 0])
async def test_a_cut_off_end_is_found_by_the_signed_head(
    chains: Evidence, container: ContainerProxy, chain: list[Record], left: int
) -> None:
    for record in chain[left:]:
        await container.delete_item(str(record.sequence), CHAIN.value)
    found = await check(chains, CHAIN)
    assert (found.state, found.problem, found.sequence) == (State.BROKEN, Problem.END_MISSING, left + 1)
    await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    missing = Problem.MISSING if left else Problem.BEGINNING_MISSING
    assert (await check(chains, CHAIN)).problem is missing, "it cannot be filled up"


async def test_a_chain_written_anew_without_the_key_is_found_by_the_signed_head(
    chains: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    for document in rewritten(chain, number=7):
        await container.upsert_item(document)
    assert (await verified(chains, CHAIN)).problem is None, "the hashes alone do not show it"
    for sequence in (4, 5):
        found = await check(chains, CHAIN)
        assert (found.state, found.problem, found.sequence) == (State.BROKEN, Problem.CHANGED, sequence)
        await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})  # builds on what was signed, not on what was put there


async def test_a_changed_last_record_with_its_new_hash_is_found_by_the_signed_head(
    chains: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    await container.upsert_item(rewritten([*chain[:3], replace(chain[3], at=1.0)])[3])
    found = await check(chains, CHAIN)
    assert (found.problem, found.sequence) == (Problem.CHANGED, 4)


async def test_records_that_somebody_else_added_are_found_for_they_are_not_signed(
    chains: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    forged = next_record(chain[3].head, chain=CHAIN, kind=Kind.CONFIGURATION_CHECKED, at=5.0, token="f" * 32, fields={})
    await container.create_item(of_record(forged))
    found = await check(chains, CHAIN)
    assert (found.state, found.problem, found.sequence) == (State.BROKEN, Problem.UNSIGNED, 5)
    added = await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    assert (added.sequence, added.previous) == (6, chain[3].hash)
    assert (await check(chains, CHAIN)).problem is Problem.CHANGED, "what was forged was signed"


async def test_a_deleted_head_is_found_and_not_made_anew_over_what_stands_there(
    chains: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    await container.delete_item("head", CHAIN.value)
    assert (await check(chains, CHAIN)).problem is Problem.SIGNATURE_MISSING
    await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    found = await check(chains, CHAIN)
    assert (found.problem, found.sequence, found.verified) == (Problem.CHANGED, 5, chain[3].head)


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    "values",
    [
        {"signed_sequence": 3},
        {"signed_hash": "0" * 64},
        {"signed_at": 1.0},
        {"signed_at": None},
        {"kid": "0" * 32},
        {"kid": "../lethe-other"},
        {"signature": "0" * 128},
        {"signature": "two words"},
        {"purpose": "lethe-evidence-checkpoint/1"},
        {"ttl": 10_000},
    ],
    ids=str,
)
async def test_a_changed_head_is_found_and_nothing_is_built_on_it(
    chains: Evidence, container: ContainerProxy, values: dict[str, Any]
) -> None:
    await container.replace_item("head", {**await signed_head(container), **values})
    found = await check(chains, CHAIN)
    assert (found.state, found.problem, found.head) == (State.BROKEN, Problem.SIGNATURE_INVALID, None)
    added = await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    assert added.previous == BEGINNING
    assert (await check(chains, CHAIN)).problem is Problem.CHANGED


@pytest.mark.usefixtures("chain")
async def test_a_head_of_another_chain_is_none_of_this(chains: Evidence, container: ContainerProxy) -> None:
    await chains.append(Chain.POLICIES, Kind.POLICY_APPLIED, {})
    other = dict(await container.read_item("head", Chain.POLICIES.value))
    await container.replace_item("head", {**other, "chain": CHAIN.value})
    assert (await check(chains, CHAIN)).problem is Problem.SIGNATURE_INVALID


@pytest.mark.usefixtures("chain")
async def test_an_older_head_over_a_whole_chain_is_found_by_the_records_behind_it(
    chains: Evidence, container: ContainerProxy
) -> None:
    older = await signed_head(container)
    await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    await container.replace_item("head", older)
    found = await check(chains, CHAIN)
    assert (found.problem, found.sequence) == (Problem.UNSIGNED, 5)


async def set_back(container: ContainerProxy, older: dict[str, Any], gone: list[Record]) -> None:
    """Put an older signed head in its place again and cut the chain off behind it: needs no key."""
    for record in gone:
        await container.delete_item(str(record.sequence), record.chain.value)
    await container.replace_item("head", {name: value for name, value in older.items() if not name.startswith("_")})


@pytest.mark.usefixtures("chain")
async def test_a_chain_that_was_set_back_is_found_by_what_the_timer_saw_of_it(
    chains: Evidence, container: ContainerProxy
) -> None:
    older = await signed_head(container)
    cut = await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    await set_back(container, older, [cut])
    assert (await check(chains, CHAIN)).state is State.HOLDS, "before the timer saw it, nothing can show it"

    again = await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {})
    run = await chains.append(Chain.RETENTION, Kind.RETENTION_RUN, {"checked": 3})
    assert run.fields["configuration_sequence"] == 5
    await set_back(container, older, [again])
    found = await check(chains, CHAIN)
    assert (found.state, found.problem, found.sequence) == (State.BROKEN, Problem.END_MISSING, 5)
    await chains.append(Chain.RETENTION, Kind.RETENTION_RUN, {})  # sees the chain as it is now
    assert (await check(chains, CHAIN)).problem is Problem.END_MISSING

    await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {"number": 1})
    await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {"number": 2})
    found = await check(chains, CHAIN)
    assert (found.state, found.problem, found.sequence) == (State.BROKEN, Problem.CHANGED, 5)


async def test_a_chain_that_is_gone_with_its_head_is_found_by_what_the_timer_saw_of_it(
    chains: Evidence, container: ContainerProxy, chain: list[Record]
) -> None:
    await chains.append(Chain.RETENTION, Kind.RETENTION_RUN, {})
    for name in [*(str(record.sequence) for record in chain), "head"]:
        await container.delete_item(name, CHAIN.value)
    await chains.append(Chain.RETENTION, Kind.RETENTION_RUN, {})  # sees nothing of it any more, and says nothing
    found = await check(chains, CHAIN)
    assert (found.state, found.problem, found.records) == (State.BROKEN, Problem.END_MISSING, 0)


async def test_a_forged_record_of_the_timer_with_nonsense_about_other_chains_is_found(
    chains: Evidence, container: ContainerProxy
) -> None:
    run = await chains.append(Chain.RETENTION, Kind.RETENTION_RUN, {})
    fields: dict[str, int | str] = {"policies_sequence": -1, "policies_hash": "none"}
    kind = Kind.RETENTION_RUN
    forged = next_record(run.head, chain=Chain.RETENTION, kind=kind, at=run.at, token="f" * 32, fields=fields)
    await container.create_item(of_record(forged))
    assert (await check(chains, Chain.RETENTION)).problem is Problem.UNSIGNED


async def test_the_timers_own_chain_is_stale_when_it_was_set_back_or_is_gone(
    chains: Evidence, container: ContainerProxy
) -> None:
    assert (await check(chains, Chain.RETENTION)).state is State.STALE
    await chains.append(Chain.RETENTION, Kind.RETENTION_RUN, {})
    older = dict(await container.read_item("head", Chain.RETENTION.value))
    for _ in range(3):
        clock.advance(300)
        last = await chains.append(Chain.RETENTION, Kind.RETENTION_RUN, {})
    found = await check(chains, Chain.RETENTION)
    assert (found.state, found.records) == (State.HOLDS, 4)
    assert found.longest_pause == pytest.approx(300, abs=20)

    records = [each for each in await stored(chains, Chain.RETENTION) if isinstance(each, Record)]
    await set_back(container, older, records[1:])
    found = await check(chains, Chain.RETENTION)
    assert (found.state, found.problem, found.last_at) == (State.STALE, None, records[0].at)
    assert last.sequence == 4


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("away", ["vault", "store"])
async def test_a_chain_that_cannot_be_read_is_said_to_be_unread(
    evidence_services: Services, container: ContainerProxy, away: str
) -> None:
    async with evidence_services.vault.signer("contoso" if away == "vault" else "") as signer:
        if away == "store":
            evidence_services.endpoint.fault(container="evidence", operation="read", status=403, count=1000)
        with patience(0.2):
            found = await check(Evidence(container, signer=signer, clock=clock.now), CHAIN)
    assert (found.state, found.verified, found.problem) == (State.UNCHECKED, None, None)
