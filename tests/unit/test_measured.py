"""What the use cases tell as metrics: a zero only where somebody has looked."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.azure.due_documents import Due
from shared.azure.policy_documents import Listing
from shared.domain.checked import Checked, Part, Unchecked
from shared.domain.drift import Drift, Finding
from shared.domain.erasure import State
from shared.domain.filter_outcome import FilterOutcome, Verdict
from shared.domain.generation import EXPIRED, Outcome, Status
from shared.domain.inventory import Depth, Inventory, Items
from shared.domain.step_report import StepReport
from shared.errors import Failure, Reason, RequestRefused
from shared.generation.measured import measure_end, measure_residency
from shared.metrics import Metric
from shared.privacy.measured import (
    measure,
    measure_checked,
    measure_erasure,
    measure_inventory,
    measure_policies,
    measure_settled,
)
from tests.measuring import Measured, measuring
from tests.policies import policy
from tests.unit.test_erasure import ERASURE

STEP = "expired_documents"


@pytest.fixture
def measured() -> Iterator[Measured]:
    with measuring() as found:
        yield found


def figures(measured: Measured) -> dict[str, float]:
    """What a run of one step tells of it."""
    return {value.metric: value.number for value in measured.values() if value.metric != Metric.RUN_DURATION}


def test_a_complete_step_tells_all_its_figures_zeros_too(measured: Measured) -> None:
    measure([StepReport(step=STEP, checked=5)], seconds=1)
    assert figures(measured) == {
        "lethe.retention.complete": 1,
        "lethe.retention.overdue": 0,
        "lethe.retention.seconds_past_deadline": 0,
    }


def test_a_step_that_could_not_look_says_so_and_tells_no_zero(measured: Measured) -> None:
    measure([StepReport(step=STEP, complete=False)], seconds=1)
    assert figures(measured) == {"lethe.retention.complete": 0}


def test_what_an_incomplete_step_did_find_is_told(measured: Measured) -> None:
    report = StepReport(step=STEP, checked=9, found=9, deleted=5, overdue=4, oldest_overdue_seconds=70.5, complete=False)
    measure([report], seconds=1)
    assert figures(measured) == {
        "lethe.retention.complete": 0,
        "lethe.retention.overdue": 4,
        "lethe.retention.seconds_past_deadline": 70.5,
        "lethe.retention.deletions": 5,
    }


def test_an_incomplete_run_does_not_repeat_what_the_one_before_had_seen(measured: Measured) -> None:
    measure([StepReport(step=STEP)], seconds=1)
    assert "lethe.retention.seconds_past_deadline" in figures(measured)
    measure([StepReport(step=STEP, complete=False)], seconds=1)
    assert figures(measured) == {"lethe.retention.complete": 0}


def test_a_run_tells_how_long_it_took(measured: Measured) -> None:
    measure([], seconds=2.5)
    assert measured.of(Metric.RUN_DURATION) == {(): 2.5}


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (StepReport(step="probe", checked=1, deleted=1, oldest_overdue_seconds=4), {(): 4}),
        (StepReport(step="probe", checked=1, found=1, overdue=1, oldest_overdue_seconds=950), {(): 950}),
        (StepReport(step="probe", checked=1), {}),  # its deadline has not come
        (StepReport(step="probe"), {}),  # none was planted
        (StepReport(step="probe", checked=1, deleted=1, complete=False), {}),  # too late to tell
    ],
)
def test_a_probe_tells_its_lag_once_that_is_known(report: StepReport, told: dict[tuple[()], float], measured: Measured) -> None:
    measure([report], seconds=1)
    assert measured.of(Metric.PROBE_LAG) == told


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (StepReport(step="evidence", checked=3), {(): 1}),
        (StepReport(step="evidence", checked=3, found=1), {(): 0}),
        (StepReport(step="evidence", checked=1, complete=False), {}),
        (StepReport(step="evidence", checked=1, found=1, complete=False), {(): 0}),
    ],
)
def test_evidence_is_whole_only_where_all_of_it_was_read(
    report: StepReport, told: dict[tuple[()], float], measured: Measured
) -> None:
    measure([report], seconds=1)
    assert measured.of(Metric.EVIDENCE_VERIFIED) == told


def test_held_documents_are_counted_whether_past_their_deadline_or_not(measured: Measured) -> None:
    measure([StepReport(step="held_documents", checked=7, found=2)], seconds=1)
    assert measured.of(Metric.HELD_ITEMS) == {(): 7}


def test_an_inventory_tells_what_was_counted_and_nothing_of_the_rest(measured: Measured) -> None:
    inventory = Inventory(
        items={"output": Items(count=3, oldest_seconds=9.5)},
        queues={"generation-requests": Depth(active=2, scheduled=0, dead_lettered=1)},
        complete=False,
    )
    measure_inventory(inventory)
    assert {(value.metric, *value.attributes.values(), value.number) for value in measured.values()} == {
        ("lethe.items", "output", 3),
        ("lethe.items.oldest_age", "output", 9.5),
        ("lethe.queue.depth", "generation-requests", "active", 2),
        ("lethe.queue.depth", "generation-requests", "scheduled", 0),
        ("lethe.queue.depth", "generation-requests", "dead_letter", 1),
    }
    measure_inventory(None)
    assert measured.values() == []


def test_a_deletion_tells_how_late_it_was(measured: Measured) -> None:
    due = Due(document_id="output", tenant_id="contoso", job_id="j", etag="e", since=100.0)
    measure_settled(due, step=STEP, now=103.5)
    [value] = measured.values()
    assert (value.metric, value.attributes, value.number, value.taken) == (Metric.DELETION_LAG, {"step": STEP}, 3.5, 1)


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (State.PENDING, State.SWEPT, set()),
        (State.COMPLETED, State.COMPLETED, set()),  # swept again, after a backup came back
        (State.SWEPT, State.DEFERRED, {("lethe.erasures", "deferred", 1)}),
        (State.DEFERRED, State.COMPLETED, {("lethe.erasures", "completed", 1), ("lethe.erasure.duration", 302.0)}),
    ],
)
def test_an_erasure_is_told_when_it_ends_or_is_deferred(
    before: State, now: State, told: set[tuple[object, ...]], measured: Measured
) -> None:
    measure_erasure(replace(ERASURE, state=before), replace(ERASURE, state=now), at=1302.25)
    assert {(value.metric, *value.attributes.values(), value.number) for value in measured.values()} == told


def test_a_check_that_saw_everything_tells_each_kind_of_finding(measured: Measured) -> None:
    measure_checked(Checked(findings=(Finding(kind=Drift.QUEUE_TTL, target="a"), Finding(kind=Drift.QUEUE_TTL, target="b"))))
    values = measured.values()
    assert {value.attributes["kind"]: value.number for value in values if value.attributes} == {
        **dict.fromkeys(Drift, 0),
        Drift.QUEUE_TTL: 2,
    }
    assert [value.number for value in values if value.metric == Metric.CONFIGURATION_COMPLETE] == [1]


def test_a_check_that_did_not_see_everything_tells_no_zero(measured: Measured) -> None:
    found = (Finding(kind=Drift.STORE_REGION, target="lethe"),)
    measure_checked(Checked(findings=found, unchecked=(Unchecked(part=Part.QUEUES),)))
    told = {(value.metric, *value.attributes.values()): value.number for value in measured.values()}
    assert told == {("lethe.configuration.complete",): 0, ("lethe.configuration.findings", "store_region"): 1}


def test_opt_outs_are_counted_and_none_is_told_only_where_all_policies_were_read(measured: Measured) -> None:
    opted_out = {"mode": "opted_out", "approval": "A-1", "approved_on": "2026-01-31"}
    policies = (policy(), policy(abuse_monitoring=opted_out))
    measure_policies(Listing(policies=policies, unreadable=("adatum",)))
    assert measured.of(Metric.OPT_OUTS) == {(): 1}
    measure_policies(Listing(policies=policies[:1], unreadable=()))
    assert measured.of(Metric.OPT_OUTS) == {(): 0}
    measure_policies(Listing(policies=(), unreadable=("adatum",)))
    assert measured.of(Metric.OPT_OUTS) == {}


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (None, {("allowed",): 1}),
        (RequestRefused(Reason.WRONG_GEOGRAPHY, "tenant"), {("wrong_geography",): 1}),
        (RequestRefused(Reason.RESIDENCY_FORBIDDEN, "body.model"), {("residency_forbidden",): 1}),
        (RequestRefused(Reason.UNKNOWN_MODEL, "body.model"), {}),
    ],
)
def test_a_decision_of_residency_is_told(
    refusal: RequestRefused | None, told: dict[tuple[str], float], measured: Measured
) -> None:
    measure_residency(refusal)
    assert measured.of(Metric.RESIDENCY_DECISIONS) == told


BLOCKED = FilterOutcome(verdict=Verdict.PROMPT_BLOCKED, categories={})
UNSEEN = FilterOutcome(verdict=Verdict.UNFILTERED, categories={})


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome(status=Status.COMPLETED), {("lethe.generations", "completed")}),
        (EXPIRED, {("lethe.generations", "expired")}),
        (
            Outcome(status=Status.FAILED, content_filter=BLOCKED),
            {("lethe.generations", "failed"), ("lethe.filter_outcomes", "prompt_blocked")},
        ),
        (
            Outcome(status=Status.FAILED, error_code=Failure.UNFILTERED, content_filter=UNSEEN),
            {("lethe.generations", "failed"), ("lethe.filter_outcomes", "withheld")},
        ),
    ],
)
def test_the_end_of_a_job_tells_its_status_and_what_the_filter_said(
    outcome: Outcome, told: set[tuple[str, str]], measured: Measured
) -> None:
    measure_end(outcome)
    assert {(value.metric, *value.attributes.values()) for value in measured.values()} == told
