"""Operators bring tenants in and change their policies, by the command as they run it, on a whole stack."""

from collections.abc import Iterator
from secrets import token_hex

import pytest

from local.demo.client import Client
from tests.policies import POLICY, RETENTION
from tests.privacy.scan import scan
from tests.system.jobs import job
from tests.system.policy_command import SECOND, apply, evidence, run, shown, token_of
from tests.system.review import put_alert, put_record, reviewed
from tests.system.stack import Stack, running_stack, wait_for
from tests.system.timer_log import whole_run

HOUR = 3600
NEWCOMER = POLICY | {
    "tenant_id": "northwind",
    "principals": [],
    "reply_queues": [],
    "queue_submission": "signed",
    "models": {"gpt-small": ["gpt-small-eu"]},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started, started.keeping_connections() as running:
        yield running


@pytest.fixture(scope="module")
def second(stack: Stack) -> str:
    """A token of another operator."""
    return token_of(stack, azp=SECOND)


def test_policies_are_listed_and_shown_as_they_are_applied(stack: Stack) -> None:
    listed = run(stack, "list")
    assert (listed.code, listed.err) == (0, "")
    assert [line.split()[0] for line in listed.out.splitlines()[:3]] == ["adatum", "contoso", "fabrikam"]
    again = apply(stack, shown(stack, "adatum"))
    assert (again.code, again.out.splitlines()[1:]) == (0, ["  nothing changes", "Nothing to apply."])
    assert evidence(stack, "adatum") == []


def test_a_policy_that_cannot_be_honoured_is_refused_whole_by_its_fields(stack: Stack) -> None:
    refused = apply(stack, NEWCOMER | {"models": {"gpt-small": ["gpt-small-world", "unlisted"]}})
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.splitlines()[1:] == [
        "  models.gpt-small[0]: sku_may_process_anywhere",
        "  models.gpt-small[1]: this stamp lists no such deployment",
    ]
    assert apply(stack, b"{").err.endswith("  document: The request is not valid JSON.\n")
    assert run(stack, "show", "northwind").err == "There is no such tenant.\n"


@pytest.mark.parametrize(
    ("claims", "denial"),
    [
        ({"roles": ["Lethe.Submit", "Lethe.Privacy"]}, "role_missing"),
        ({"scp": "user_impersonation"}, "token_delegated"),
    ],
)
def test_only_an_operator_may(stack: Stack, claims: dict[str, object], denial: str) -> None:
    refused = run(stack, "list", token=token_of(stack, **claims))
    assert (refused.code, refused.out) == (1, "")
    assert denial in refused.err


def test_nobody_may_without_a_token(stack: Stack) -> None:
    assert "credentials_missing" in run(stack, "list", token="").err


def test_a_shorter_retention_brings_existing_deadlines_forward_and_a_longer_one_moves_none(stack: Stack, second: str) -> None:
    stack.submit([job("kept", "one", "Remember."), {**job("kept", "two", "Remember less."), "expires_after": 100}])
    stack.wait_for_outputs("contoso", "kept", 2)
    put_record(stack, "contoso", "ab" * 20)
    put_alert(stack, "contoso")
    policy = shown(stack, "contoso")
    seconds = {"output_seconds": HOUR, "receipt_seconds": 2 * HOUR, "abuse_record_seconds": 3 * HOUR}
    shorter = policy | {"retention": RETENTION | seconds}

    said = run(stack, "diff", "-", document=shorter)
    assert (
        "existing deadlines that become earlier: 2 receipts, 1 outputs, 2 events, 1 abuse records, 1 abuse alerts" in said.out
    )
    assert {output["kept_seconds"] for output in stack.outputs("contoso", "kept")} == {86_400, 100}, "diff wrote something"

    done = apply(stack, shorter)
    assert (done.code, "7 documents got an earlier deadline." in done.out) == (0, True)
    assert clocks(stack) == {("output", HOUR), ("output", 100), ("receipt", 2 * HOUR), ("event", 2 * HOUR)}
    assert {receipt["content_kept_seconds"] for receipt in stack.receipts("contoso")} == {HOUR, 100}

    assert {each["kept_seconds"] for each in reviewed(stack, "contoso")} == {3 * HOUR}

    assert apply(stack, policy).code == 3
    assert apply(stack, policy, token=second).code == 0
    assert {each["kept_seconds"] for each in reviewed(stack, "contoso")} == {3 * HOUR}
    assert clocks(stack) == {("output", HOUR), ("output", 100), ("receipt", 2 * HOUR), ("event", 2 * HOUR)}


def clocks(stack: Stack) -> set[tuple[str, int]]:
    """Class of data and seconds from admission to its deadline, of all that contoso has; the two clocks agree."""
    receipts = {receipt["jobId"]: receipt for receipt in stack.receipts("contoso")}
    found = set()
    for document in [*receipts.values(), *stack.outputs("contoso"), *stack.events("contoso")]:
        kept = document["expires_at"] - receipts[document["jobId"]]["created_at"]
        assert kept == pytest.approx(document["kept_seconds"], abs=0.01)
        assert document["ttl"] <= document["kept_seconds"] + 16
        found.add((document["dataClass"], document["kept_seconds"]))
    return found


def test_what_a_worker_admits_under_the_policy_that_it_remembers_is_shortened_by_the_timer(stack: Stack) -> None:
    stack.submit([job("warm", "one", "The policy is remembered now.", tenant="fabrikam")])
    stack.wait_for_outputs("fabrikam", "warm", 1)
    policy = shown(stack, "fabrikam")
    assert apply(stack, policy | {"retention": RETENTION | {"output_seconds": HOUR}}).code == 0
    stack.submit([job("late", "one", "Admitted for a day.", tenant="fabrikam")])
    stack.wait_for_outputs("fabrikam", "late", 1)

    def shortened() -> bool:
        return bool(stack.outputs("fabrikam", "late")[0]["kept_seconds"] == HOUR)

    wait_for("the timer to shorten it", shortened)


def test_loosening_needs_a_second_principal_and_the_same_document(stack: Stack, second: str) -> None:
    policy = shown(stack, "adatum")
    looser = policy | {"residency": "global"}
    proposed = apply(stack, looser)
    assert (proposed.code, "(loosens)" in proposed.out) == (3, True)
    assert apply(stack, looser).code == 3, "the same principal twice"
    assert apply(stack, looser | {"grounding": "forbidden"}, token=second).code == 3, "another document"
    assert shown(stack, "adatum") == policy

    assert apply(stack, looser | {"grounding": "forbidden"}).code == 0
    assert shown(stack, "adatum") == looser | {"grounding": "forbidden"}
    records = evidence(stack, "adatum")
    assert [record["kind"] for record in records] == ["policy_proposed"] * 3 + ["policy_applied"]
    applied = records[-1]["fields"]
    assert applied["fields"] == ["grounding", "residency"]
    assert applied["loosened"] == ["residency"]
    assert applied["proposed_by"].endswith(SECOND)
    assert not applied["actor"].endswith(SECOND)


def test_a_proposal_waits_for_a_day(stack: Stack) -> None:
    looser = shown(stack, "adatum") | {
        "abuse_monitoring": {"mode": "opted_out", "approval": "A-1", "approved_on": "2026-01-01"}
    }
    assert apply(stack, looser).code == 3
    stack.advance(86_401)
    assert apply(stack, looser, token=token_of(stack, azp=SECOND)).code == 3


def test_what_was_kept_for_review_ends_when_its_tenant_opts_out_and_not_when_monitoring_is_switched_off(
    stack: Stack,
) -> None:
    content = f"canary-{token_hex(8)}"
    policy = shown(stack, "adatum") | {"abuse_monitoring": {"mode": "off"}}
    put_record(stack, "adatum", "cd" * 20, content=content)
    put_alert(stack, "adatum")
    assert "become earlier" not in apply(stack, policy).out
    whole_run(stack)
    assert len(reviewed(stack, "adatum")) == 2
    assert scan(content, stack.state)

    opted_out = policy | {"abuse_monitoring": {"mode": "opted_out", "approval": "A-2", "approved_on": "2026-01-01"}}
    proposed = apply(stack, opted_out)
    assert (proposed.code, "become earlier: 1 abuse records, 1 abuse alerts" in proposed.out) == (3, True)
    assert len(reviewed(stack, "adatum")) == 2
    assert apply(stack, opted_out, token=token_of(stack, azp=SECOND)).code == 0
    wait_for("the timer to delete them", lambda: not reviewed(stack, "adatum"))
    wait_for("the files to be rewritten", lambda: not scan(content, stack.state))


def test_a_new_tenant_gets_keys_and_its_secret_once(stack: Stack) -> None:
    done = apply(stack, NEWCOMER)
    assert done.code == 0, done.err
    assert "northwind: a new tenant" in done.out
    assert done.out.count("whsec_") == 1
    assert "whsec_" not in apply(stack, NEWCOMER).out
    assert "whsec_" in run(stack, "rotate", "northwind").out
    assert [record["kind"] for record in evidence(stack, "northwind")] == ["policy_applied", "submission_rotated"]
    with Client(stack.endpoints) as client:
        documents = list(client.container("policies").query_items("SELECT * FROM c", enable_cross_partition_query=True))
    assert not any("whsec_" in str(document) for document in documents)


def test_an_unknown_tenant_is_neither_shown_nor_rotated_nor_offboarded(stack: Stack) -> None:
    for arguments in (("rotate", "nobody"), ("offboard", "nobody", "--confirm", "nobody")):
        refused = run(stack, *arguments)
        assert (refused.code, refused.err) == (1, "There is no such tenant.\n")


def test_offboarding_asks_for_the_name_twice(stack: Stack) -> None:
    assert run(stack, "offboard", "fabrikam").code == 2
    assert shown(stack, "fabrikam")["tenant_id"] == "fabrikam"


def test_the_command_is_authenticated_with_a_stack_that_is_away(stack: Stack) -> None:
    with stack.down("issuer"):
        refused = run(stack, "list")
    assert (refused.code, refused.out) == (1, "")
    assert "IdentityUnavailable" in refused.err
