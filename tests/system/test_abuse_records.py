"""Sealed records in a running stack: which jobs leave one, that nobody reads it on disk, and how it and its key end."""

import json
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import pytest

from tests.privacy.scan import scan
from tests.system import faults, holds
from tests.system.http import Http, calling
from tests.system.jobs import job, wait_until_drained
from tests.system.policies import change_policy
from tests.system.review import reviewed
from tests.system.stack import Stack, running_stack, wait_for
from tests.system.timer_log import whole_run

DAY = 86_400
KEPT_DAYS, RECOVERY_DAYS = 21, 7
REMEMBERED = 61
"""Seconds after which the app reads a policy anew."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("records")) as running:
        yield running


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[Http]:
    with calling(stack) as opened:
        yield opened


def run(stack: Stack, batch: str, tenant: str, **prompts: str) -> dict[str, dict[str, Any]]:
    """Run a job for each prompt; return their outputs by its name."""
    stack.submit([job(batch, name, prompt, tenant=tenant) for name, prompt in prompts.items()])
    outputs = stack.wait_for_outputs(tenant, batch, len(prompts))
    return {output["custom_id"]: output for output in outputs}


def records(stack: Stack, tenant: str) -> dict[str, dict[str, Any]]:
    """Records of a tenant, by the ids of their jobs."""
    return {found["jobId"]: found for found in reviewed(stack, tenant) if found["dataClass"] == "abuse_record"}


def keys(stack: Stack) -> dict[str, bool]:
    """The keys of days that the vault has in its file, and whether they are deleted."""
    listed = json.loads((stack.state / "vault.json").read_text())
    return {key["name"]: key["deleted_at"] is not None for key in listed if key["name"].startswith("lethe-abuse-")}


def ends(stack: Stack) -> list[tuple[str, str]]:
    """Evidence of keys: what happened to which, in its order."""
    query = "SELECT c.kind, c.fields FROM c WHERE c.sequence > 0 ORDER BY c.sequence ASC"
    found = stack.store.container("evidence").query_items(query, partition_key="abuse")
    return [(each["kind"], each["fields"]["key"]) for each in found if "key" in each["fields"]]


FLAGGED = {
    "blocked": "[[block:violence]] One.",
    "cut": "[[block-completion:hate]] Two.",
    "unfiltered": "[[unfiltered]] Three.",
    "annotated": "[[annotate:jailbreak]] Four.",
}


def test_of_a_tenant_that_keeps_what_is_flagged_just_that_leaves_a_record(stack: Stack) -> None:
    outputs = run(stack, "flagged", "contoso", **FLAGGED, passed="Five.")
    kept = records(stack, "contoso")
    assert {name for name, output in outputs.items() if output["jobId"] in kept} == FLAGGED.keys()
    verdicts = {name: kept[outputs[name]["jobId"]]["verdict"] for name in FLAGGED}
    assert verdicts == {
        "blocked": "prompt_blocked",
        "cut": "completion_blocked",
        "unfiltered": "unfiltered",
        "annotated": "annotated",
    }
    assert kept[outputs["annotated"]["jobId"]]["filter_codes"] == ["jailbreak:detected"]


@pytest.mark.parametrize("tenant", ["fabrikam", "adatum"])
def test_a_tenant_that_opted_out_or_wants_none_leaves_none(stack: Stack, tenant: str) -> None:
    stack.submit([job("none", name, prompt, tenant=tenant) for name, prompt in FLAGGED.items()])
    wait_until_drained(stack)
    assert len([receipt for receipt in stack.receipts(tenant) if receipt["status"] != "queued"]) == len(FLAGGED)
    assert records(stack, tenant) == {}
    assert {receipt["abuse_record_expires_at"] for receipt in stack.receipts(tenant)} == {None}


def test_the_generation_shows_when_its_record_ends(http: Http) -> None:
    flagged, passed = http.ended(http.submit("[[block:hate]] Six.")), http.ended(http.submit("Seven."))
    assert flagged["abuse_record_expires_at"] - flagged["created_at"] == KEPT_DAYS * DAY
    assert passed["abuse_record_expires_at"] is None


def test_nothing_of_a_sealed_record_can_be_read_on_disk(stack: Stack) -> None:
    canary, subject = f"canary-{token_hex(8)}", f"user-{token_hex(8)}"
    body = {"model": "gpt-small", "input": f"[[block:violence]] Say {canary}", "safety_identifier": subject}
    grounding = [{"id": "doc-1", "content": f"What {canary} said."}]
    with faults.down(stack, "model"):
        stack.submit([job("sealed", "one", "", body=body, grounding=grounding)])
        wait_for("the message to lie on disk", lambda: scan(canary, stack.state))
    [output] = stack.wait_for_outputs("contoso", "sealed", 1, seconds=60)
    wait_until_drained(stack)
    record = records(stack, "contoso")[output["jobId"]]
    assert record["subject"]["mac"] not in subject
    for secret in (canary, subject):
        assert scan(secret, stack.state) == []


def test_a_tenant_that_keeps_everything_leaves_a_record_of_every_answer(stack: Stack) -> None:
    change_policy(stack, "contoso", abuse_monitoring={"mode": "all"})
    stack.advance(REMEMBERED)
    [output] = run(stack, "all", "contoso", passed="Eight.").values()
    found = records(stack, "contoso")[output["jobId"]]
    assert (found["reason"], found["verdict"]) == ("all", "passed")
    change_policy(stack, "contoso", abuse_monitoring={"mode": "flagged"})
    stack.advance(REMEMBERED)


def test_with_the_vault_away_a_flagged_job_waits_without_a_model_call_and_others_run(stack: Stack) -> None:
    stack.kill("host")  # which forgets the day's key
    with stack.down("vault"):
        stack.submit([job("vault", "waits", "[[block:hate]] Nine."), job("vault", "runs", "Ten.", tenant="adatum")])
        stack.wait_for_outputs("adatum", "vault", 1)
        assert stack.model_calls("[[block:hate]] Nine.") == 0
        assert stack.outputs("contoso", "vault") == []
    [output] = stack.wait_for_outputs("contoso", "vault", 1, seconds=100)
    assert stack.model_calls("[[block:hate]] Nine.") == 1
    assert output["jobId"] in records(stack, "contoso")


def test_a_crash_behind_the_record_leaves_one_record_and_one_output(stack: Stack) -> None:
    faults.arm(stack, operation="batch", delay_ms=3_000)
    stack.submit([job("crash", "one", "[[block:hate]] Eleven.")])
    before = wait_for("the record", lambda: [found for found in records(stack, "contoso").values() if is_fresh(stack, found)])
    stack.kill("host")
    faults.disarm(stack)
    [output] = stack.wait_for_outputs("contoso", "crash", 1, seconds=60)
    [after] = [found for found in records(stack, "contoso").values() if found["jobId"] == before[0]["jobId"]]
    assert output["jobId"] == after["jobId"]
    assert after["nonce"] != before[0]["nonce"], "the job ran again, and its record took the place of the first"
    assert stack.model_calls("[[block:hate]] Eleven.") == 2


def is_fresh(stack: Stack, found: dict[str, Any]) -> bool:
    """Whether a record is of a job that has not ended."""
    statuses = {receipt["jobId"]: receipt["status"] for receipt in stack.receipts("contoso")}
    return statuses.get(found["jobId"]) == "in_progress"


def test_at_its_deadline_a_record_goes_then_its_key_then_the_way_back_and_evidence_says_when(stack: Stack, http: Http) -> None:
    held = http.submit("[[block:hate]] Twelve.", custom_id="held")
    http.ended(held)
    hold = holds.place(http, "contoso", generation=held)
    first = {found["key"] for found in records(stack, "contoso").values()}
    stack.advance((KEPT_DAYS + 1) * DAY)
    assert whole_run(stack).steps["expired_abuse_records"].complete
    assert set(records(stack, "contoso")) == {held.removeprefix("gen_")}, "what is held stays"
    assert not any(keys(stack)[name] for name in first & {record["key"] for record in records(stack, "contoso").values()})
    holds.release(http, hold)
    wait_for("the held record to go", lambda: not records(stack, "contoso"))
    wait_for("its key to go", lambda: all(keys(stack)[name] for name in first))
    assert {("abuse_key_deleted", name) for name in first} <= set(ends(stack))
    stack.advance((RECOVERY_DAYS + 0.1) * DAY)
    wait_for("the keys to be beyond recovery", lambda: {("abuse_key_destroyed", name) for name in first} <= set(ends(stack)))
    assert not first & keys(stack).keys()
