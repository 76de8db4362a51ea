"""The timer on a whole stack: thousands of things that are due at once, services that are away, orphans, a probe, a month."""

from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import pytest

from shared.domain.hold import new_hold_id
from tests.privacy.scan import scan
from tests.system import faults, seeding
from tests.system.jobs import job
from tests.system.review import put_alert, put_record, reviewed
from tests.system.stack import Stack, running_stack, wait_for
from tests.system.timer_log import QUEUE_STEPS, STORE_STEPS, TimerLog, incomplete, last, runs, total, whole_run

DOCUMENTS, MESSAGES, JOBS = 5_000, 500, 20
MOST_RUNS = 6
DAY = 86_400
REJECTED = "generation-rejected"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


COST = {"cosmos": 105, "management": 8, "vault": 8}
"""Requests that a run makes at most when nothing is due and three tenants submit nothing, as docs/reference.md says."""


def test_a_run_that_finds_nothing_due_makes_no_more_requests_than_is_said(stack: Stack) -> None:
    at_start = "Executed 'Functions.check_configuration_at_start'"
    wait_for("the check at start to be over", lambda: at_start in stack.logs())
    cost = wait_for("one run by itself", lambda: cost_of_a_run(stack), seconds=90)
    assert {part: count for part, count in cost.items() if not 0 < count <= COST[part]} == {}


def cost_of_a_run(stack: Stack) -> dict[str, int] | None:
    """Requests by part while just one run began and ended; None where it was not one."""
    ended = TimerLog.from_now(stack)
    wait_for("the end of a run", lambda: "Executed" in ended.beginnings_and_ends())
    log = TimerLog.from_now(stack)
    faults.count_everything_from_now(stack)
    wait_for("another run", lambda: "Executed" in log.beginnings_and_ends())
    found = faults.requests(stack)
    return found if log.beginnings_and_ends() == ["Executing", "Executed"] else None


def test_thousands_of_due_documents_and_dead_letters_go_in_a_few_runs_while_jobs_run(stack: Stack) -> None:
    seeding.dead_letters(stack.endpoints["servicebus"], REJECTED, MESSAGES)
    seeding.insert(stack.state, seeding.receipts(DOCUMENTS, expires_at=seeding.now(stack.state) + 3_600))
    before = last(stack)
    stack.advance(3_700)
    stack.submit([job("meanwhile", f"job-{n}", f"number {n}") for n in range(JOBS)])

    def cleared() -> bool:
        found = runs(stack, after=before)
        messages = total(found, "dead_letters_generation_rejected")
        return total(found, "expired_documents") >= DOCUMENTS and messages >= MESSAGES

    wait_for("everything that is due to be deleted", cleared, seconds=100)
    stack.wait_for_outputs("contoso", "meanwhile", JOBS)
    needed = [run for _, run in runs(stack, after=before) if run.steps["expired_documents"].found]
    assert len(needed) <= MOST_RUNS
    assert [run.steps["expired_documents"].overdue for run in needed] == [0] * len(needed)
    run = whole_run(stack)
    assert incomplete(run) == set()
    assert run.inventory.items["receipt"].count == len(stack.receipts("contoso")) == JOBS
    assert run.inventory.queues[REJECTED].dead_lettered == 0


def test_a_store_that_is_away_is_unknown_in_its_steps_and_in_no_other(stack: Stack) -> None:
    with stack.down("cosmos"):
        events = wait_for("a whole run without a store", TimerLog.from_now(stack).whole_run, seconds=60)
    failed = {event["step"] for event in events if event["event"] == "retention_step_failed"}
    assert failed == {*STORE_STEPS, "configuration"}
    assert "retention_run_unrecorded" in {event["event"] for event in events}
    assert incomplete(whole_run(stack)) == set()


@pytest.mark.parametrize(
    ("part", "steps"), [("broker", QUEUE_STEPS), ("management", {"configuration", "inventory"})], ids=["broker", "management"]
)
def test_a_service_that_is_away_is_unknown_in_the_evidence(stack: Stack, part: str, steps: set[str]) -> None:
    with stack.down(part):
        run = whole_run(stack)
    assert incomplete(run) - {"probe"} == steps  # a run that waited for a service may look at its probe too late to tell
    assert run.inventory.complete is ("inventory" not in steps)
    assert incomplete(whole_run(stack)) == set()


def test_content_without_a_receipt_is_deleted_and_a_receipt_without_content_is_told(stack: Stack) -> None:
    stack.submit([job("orphans", name, name) for name in ("orphaned", "bereft")])
    found = {output["custom_id"]: output["jobId"] for output in stack.wait_for_outputs("contoso", "orphans", 2)}
    store = stack.store.container("generations")
    other = {"id": "event", "dataClass": "event", "tenantId": "contoso", "jobId": "we_1.2", "ttl": DAY}
    seeding.insert(stack.state, [other | {"expires_at": seeding.now(stack.state) + DAY, "attention_at": None}])
    before = last(stack)
    store.delete_item("receipt", ["contoso", found["orphaned"]])
    store.delete_item("output", ["contoso", found["bereft"]])
    wait_for("two orphans to go", lambda: total(runs(stack, after=before), "orphans") == 2)
    assert [event["jobId"] for event in stack.events("contoso") if event["jobId"] in {found["orphaned"], "we_1.2"}] == [
        "we_1.2"
    ]
    report = whole_run(stack).steps["orphans"]
    assert (report.found, report.deleted, report.overdue, report.complete) == (1, 0, 1, True)
    assert found["bereft"] in {receipt["jobId"] for receipt in stack.receipts("contoso")}
    store.delete_item("receipt", ["contoso", found["bereft"]])
    wait_for("its event to go", lambda: total(runs(stack, after=before), "orphans") == 3)


def test_a_claim_that_nobody_works_on_is_counted_and_not_changed(stack: Stack) -> None:
    moment = seeding.now(stack.state)
    claim = {"id": "receipt", "dataClass": "receipt", "tenantId": "fabrikam", "jobId": "ab" * 20, "status": "in_progress"}
    clocks = {"lease_until": moment - 1000, "created_at": moment - 1000, "expires_at": moment + DAY, "ttl": DAY}
    seeding.insert(stack.state, [claim | clocks])
    report = whole_run(stack).steps["abandoned_claims"]
    assert (report.found, report.deleted, report.overdue, report.complete) == (1, 0, 0, True)
    assert [receipt["status"] for receipt in stack.receipts("fabrikam")] == ["in_progress"]
    stack.store.container("generations").delete_item("receipt", ["fabrikam", "ab" * 20])


def test_a_probe_measures_how_late_a_document_is_gone(stack: Stack) -> None:
    def planted() -> dict[str, Any] | None:
        state = dict(stack.store.container("privacy").read_item("probe", "$stamp"))
        return state if state["deadline"] > seeding.now(stack.state) + 5 else None

    probe = wait_for("a probe", planted)
    stored = stack.store.container("generations").read_item("probe", ["$probe", probe["name"]])
    assert (stored["dataClass"], stored["expires_at"]) == ("probe", probe["deadline"])
    before = last(stack)
    stack.advance(probe["deadline"] - seeding.now(stack.state))
    measured = wait_for(
        "its measure", lambda: [run.steps["probe"] for _, run in runs(stack, after=before) if run.steps["probe"].deleted]
    )
    assert (measured[0].found, measured[0].overdue, measured[0].complete) == (0, 0, True)
    assert 0 < measured[0].oldest_overdue_seconds <= 15


def test_what_is_kept_for_review_is_deleted_at_its_deadline_and_what_is_held_stays_sealed(stack: Stack) -> None:
    contents = {"due": f"canary{token_hex(8)}", "held": f"canary{token_hex(8)}"}
    mark: dict[str, Any] = {"held_until": int(seeding.now(stack.state)) + 2 * 3600, "held_by": new_hold_id()}
    put_record(stack, "contoso", "aa" * 20, content=contents["due"], kept=60)
    put_alert(stack, "contoso", kept=60)
    put_record(stack, "contoso", "bb" * 20, content=contents["held"], kept=60, ttl=3 * 3600, **mark)
    before = last(stack)
    run = whole_run(stack)
    assert {name: run.inventory.items[name].count for name in ("abuse_record", "abuse_alert")} == {
        "abuse_record": 2,
        "abuse_alert": 1,
    }
    assert all(scan(content, stack.state) for content in contents.values())

    stack.advance(90)  # within the grace: not the store's own clock deletes it
    wait_for("the timer", lambda: total(runs(stack, after=before), "expired_abuse_records") == 2)
    [measured] = [
        run.steps["expired_abuse_records"] for _, run in runs(stack, after=before) if run.steps["expired_abuse_records"].found
    ]
    assert (measured.overdue, measured.complete) == (0, True)
    assert 0 < measured.oldest_overdue_seconds < 60
    wait_for("the record to be in no file", lambda: not scan(contents["due"], stack.state))
    assert [each["jobId"] for each in reviewed(stack, "contoso")] == ["bb" * 20]
    assert scan(contents["held"], stack.state)
    assert whole_run(stack).steps["held_documents"].found == 1

    stack.advance(2 * 3600)
    wait_for("the held one to go behind its hold", lambda: not reviewed(stack, "contoso"))
    wait_for("it to be in no file", lambda: not scan(contents["held"], stack.state))


def test_after_a_month_everything_is_gone_from_the_disk_and_the_evidence_says_so(stack: Stack) -> None:
    canary = f"canary{token_hex(8)}"
    seeding.dead_letters(stack.endpoints["servicebus"], REJECTED, 1, body=canary.encode())
    stack.submit([job("month", canary, f"{canary} once upon a time"), job("month", "refused", canary, tenant="nobody")])
    stack.wait_for_outputs("contoso", "month", 1)
    put_record(stack, "contoso", "cc" * 20, content=canary)
    put_alert(stack, "contoso")
    wait_for("the refusal", stack.rejected)
    assert scan(canary, stack.state)
    stack.advance(31 * DAY)
    wait_for("the text to be in no file", lambda: not scan(canary, stack.state), seconds=60)
    run = whole_run(stack)
    assert (incomplete(run), {name for name, report in run.steps.items() if report.overdue}) == (set(), set())
    classes = ("output", "receipt", "event", "abuse_record", "abuse_alert")
    assert {name: items.count for name, items in run.inventory.items.items()} == dict.fromkeys(classes, 0)
    assert {name: depth.dead_lettered for name, depth in run.inventory.queues.items() if depth.dead_lettered} == {}
