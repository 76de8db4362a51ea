"""Operators check the evidence by a command, on a whole stack: what holds, what somebody did to it, what cannot be read."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from azure.cosmos import ContainerProxy

from shared import settings
from shared.composition import Composition
from shared.domain.evidence import BEGINNING, Chain, Kind, next_record
from tests.system.policy_command import Done, apply, run, shown, token_of
from tests.system.stack import Stack, running_stack

POLICIES = "policies"
CHANGES = 3


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started, started.keeping_connections() as running:
        policy = shown(running, "contoso")
        for count in range(CHANGES):
            limits = policy["limits"] | {"requests_in_flight": 10 - count}
            assert apply(running, policy | {"limits": limits}).code == 0
        yield running


@pytest.fixture
def container(stack: Stack) -> Iterator[ContainerProxy]:
    """The container of the evidence, for whoever tampers with it; everything is put back."""
    opened = stack.store.container("evidence")
    before = list(opened.query_items("SELECT * FROM c", enable_cross_partition_query=True))
    yield opened
    for document in opened.query_items("SELECT * FROM c", enable_cross_partition_query=True):
        if document["chain"] == POLICIES:
            opened.delete_item(document["id"], document["chain"])
    for document in before:
        if document["chain"] == POLICIES:
            opened.create_item({name: value for name, value in document.items() if not name.startswith("_")})


def verify(stack: Stack, chain: str | None = POLICIES) -> Done:
    return run(stack, "verify", *(["--chain", chain] if chain else []), command="evidence")


def said(stack: Stack) -> list[str]:
    """What the command says of a chain that does not hold."""
    done = verify(stack)
    assert (done.code, done.err) == (1, "")
    return done.out.splitlines()


def record_run(stack: Stack) -> None:
    """Leave the timer's record, as the timer does."""
    values = json.loads((stack.state / "local.settings.json").read_text())["Values"]

    async def append() -> None:
        with pytest.MonkeyPatch.context() as environment:
            for name, value in values.items():
                environment.setenv(name, value)
            composition = Composition(settings.load(values))
            await composition.evidence.append(Chain.RETENTION, Kind.RETENTION_RUN, {"checked": 1})
            await composition.close()

    asyncio.run(append())


def replaced(container: ContainerProxy, sequence: int, **values: Any) -> None:  # noqa: ANN401
    document = container.read_item(str(sequence), POLICIES)
    container.replace_item(str(sequence), {**document, **values})


def test_the_chain_that_policy_commands_left_holds(stack: Stack) -> None:
    done = verify(stack)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "policies: HOLDS"
    assert lines[1].startswith(f"  {CHANGES} records from 20")
    assert lines[2].startswith(f"  verified up to record {CHANGES}, hash ")
    assert lines[3].startswith(f"  head signed at record {CHANGES}, 20")
    assert " UTC, key " in lines[3]


def test_all_chains_are_said_to_hold_while_the_timer_goes_on(stack: Stack) -> None:
    record_run(stack)
    done = verify(stack, None)
    assert done.code == 0, done.out
    states = [line for line in done.out.splitlines() if not line.startswith(" ")]
    assert states == [f"{chain}: HOLDS" for chain in Chain]


def test_records_are_shown_as_json_lines(stack: Stack) -> None:
    done = run(stack, "show", "--chain", POLICIES, "--last", "2", command="evidence")
    records = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, [record["sequence"] for record in records]) == (0, [CHANGES - 1, CHANGES])
    assert records[0]["kind"] == "policy_applied"
    assert records[1]["previous"] == records[0]["hash"]


def test_a_changed_record_is_said(stack: Stack, container: ContainerProxy) -> None:
    fields = container.read_item("2", POLICIES)["fields"]
    replaced(container, 2, fields={**fields, "tenant": "fabrikam"})
    lines = said(stack)
    assert lines[:2] == [
        "policies: BROKEN",
        "  problem: changed: record 2 was changed, or leads to another head than the one that was signed",
    ]
    assert "  verified up to record 1, hash " in "\n".join(lines)


def test_a_time_that_is_none_is_said_and_shown(stack: Stack, container: ContainerProxy) -> None:
    replaced(container, 1, at=2**52)
    assert said(stack)[0] == "policies: BROKEN"
    replaced(container, 1, note="two words")
    shown_lines = run(stack, "show", "--chain", POLICIES, command="evidence").out.splitlines()
    assert json.loads(shown_lines[0]) == {"chain": POLICIES, "unreadable": True}


def test_a_deleted_record_is_said(stack: Stack, container: ContainerProxy) -> None:
    container.delete_item("2", POLICIES)
    assert said(stack)[1] == "  problem: missing: record 2 is missing"


@pytest.mark.parametrize("left", [2, 0])
def test_a_cut_off_end_is_said(stack: Stack, container: ContainerProxy, left: int) -> None:
    for sequence in range(left + 1, CHANGES + 1):
        container.delete_item(str(sequence), POLICIES)
    where = f"record {left + 1} is missing, with all behind it: the chain was longer"
    assert said(stack)[1] == f"  problem: end_missing: {where}"


def test_a_chain_that_was_written_anew_is_said(stack: Stack, container: ContainerProxy) -> None:
    """All hashes are right; only the signature shows it."""
    head = None
    for sequence in range(1, CHANGES + 1):
        old = container.read_item(str(sequence), POLICIES)
        made = next_record(
            head,
            chain=Chain.POLICIES,
            kind=Kind.POLICY_APPLIED,
            at=old["at"],
            token=old["token"],
            fields={"tenant": "fabrikam"},
        )
        container.replace_item(str(sequence), {**old, "fields": {**made.fields}, "previous": made.previous, "hash": made.hash})
        head = made.head
    assert said(stack)[1].startswith(f"  problem: changed: record {CHANGES} ")


def test_a_missing_and_a_changed_signature_are_said(stack: Stack, container: ContainerProxy) -> None:
    head = container.read_item("head", POLICIES)
    container.replace_item("head", {**head, "signed_hash": BEGINNING})
    assert said(stack)[1].startswith("  problem: signature_invalid: the chain has a signed head or checkpoint that the key did")
    container.delete_item("head", POLICIES)
    assert said(stack)[1] == "  problem: signature_missing: the chain has no signed head"


def test_a_chain_that_was_set_back_with_its_head_is_said_by_what_the_timer_saw(stack: Stack, container: ContainerProxy) -> None:
    older = {name: value for name, value in container.read_item("head", POLICIES).items() if not name.startswith("_")}
    assert run(stack, "rotate", "contoso").code == 0
    record_run(stack)
    container.delete_item(str(CHANGES + 1), POLICIES)
    container.replace_item("head", older)
    assert said(stack)[1].startswith(f"  problem: end_missing: record {CHANGES + 1} is missing")
    for document in list(container.query_items("SELECT * FROM c", partition_key="retention")):
        container.delete_item(document["id"], "retention")  # so that later tests are not held to it


def test_a_timer_that_is_silent_is_said(stack: Stack) -> None:
    record_run(stack)
    with stack.down("host"):
        stack.advance(60)
        done = verify(stack, "retention")
    assert (done.code, done.out.splitlines()[0]) == (1, "retention: STALE")


@pytest.mark.parametrize("part", ["vault", "cosmos"])
def test_a_chain_that_cannot_be_read_is_not_said_to_hold(stack: Stack, part: str) -> None:
    with stack.down(part):
        done = verify(stack)
    assert (done.code, "HOLDS" in done.out) == (1, False)
    assert done.out == "policies: COULD NOT BE READ\n"


def test_only_an_operator_may(stack: Stack) -> None:
    refused = run(stack, "verify", token=token_of(stack, roles=["Lethe.Reviewer"]), command="evidence")
    assert (refused.code, refused.out) == (1, "")
    assert "role_missing" in refused.err
