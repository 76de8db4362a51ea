from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.drift import Drift
from shared.domain.inventory import Inventory
from shared.domain.promises import PROMISES, Basis
from shared.domain.run_record import Run
from shared.domain.statement import Seen, State, Why, as_json, state, statement
from shared.domain.step_report import StepReport

NOW = datetime(2026, 11, 25, tzinfo=UTC).timestamp()
INTERVAL, GRACE = 300, 900
RETENTION = next(promise for promise in PROMISES if promise.id == "retention")
GEOGRAPHY = next(promise for promise in PROMISES if promise.id == "geography")
STEPS = {step for promise in PROMISES for step in promise.steps}


def run(*changed: StepReport, at: float = NOW - 10) -> Run:
    """A run in which every step looked at everything and found nothing late, but for what is changed."""
    steps = {step: StepReport(step=step, checked=3, found=2, deleted=2, oldest_overdue_seconds=40.0) for step in STEPS}
    return Run(at=at, seconds=1.0, inventory=Inventory(), steps=steps | {report.step: report for report in changed})


GOOD = Seen(now=NOW, interval=INTERVAL, grace=GRACE, run=run(), findings=frozenset())


def test_what_was_checked_completely_and_lately_holds() -> None:
    stated = state(RETENTION, GOOD)
    assert (stated.state, stated.why, stated.causes, stated.checked_at) == (State.HOLDING, None, (), NOW - 10)


@pytest.mark.parametrize("step", RETENTION.steps)
def test_a_step_that_could_not_look_makes_it_unknown(step: str) -> None:
    stated = state(RETENTION, replace(GOOD, run=run(StepReport(step=step, complete=False))))
    assert (stated.state, stated.why, stated.causes) == (State.UNKNOWN, Why.CHECK_INCOMPLETE, (step,))


@pytest.mark.parametrize("step", RETENTION.steps)
def test_a_step_that_is_not_in_the_record_makes_it_unknown(step: str) -> None:
    steps = {name: report for name, report in run().steps.items() if name != step}
    stated = state(RETENTION, replace(GOOD, run=replace(run(), steps=steps)))
    assert (stated.state, stated.why, stated.causes) == (State.UNKNOWN, Why.CHECK_MISSING, (step,))


@pytest.mark.parametrize(
    "late",
    [
        StepReport(step="expired_documents", found=1, overdue=1),
        StepReport(step="expired_documents", found=1, deleted=1, oldest_overdue_seconds=GRACE + 1.0),
        StepReport(step="dead_letters_generation_requests", found=5, deleted=4, overdue=1, complete=False),
    ],
)
def test_what_is_left_past_its_deadline_or_was_found_too_late_violates_it(late: StepReport) -> None:
    stated = state(RETENTION, replace(GOOD, run=run(late)))
    assert (stated.state, stated.why, stated.causes) == (State.VIOLATED, Why.PAST_DEADLINE, (late.step,))


def test_what_was_deleted_within_the_grace_does_not_violate_it() -> None:
    late = StepReport(step="expired_documents", found=1, deleted=1, oldest_overdue_seconds=float(GRACE))
    assert state(RETENTION, replace(GOOD, run=run(late))).state is State.HOLDING


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Drift.QUEUE_SUBMISSION_OPEN, State.VIOLATED),
        (Drift.DEPLOYMENT_SKU, State.VIOLATED),
        (Drift.CONTAINER_TTL_OFF, State.HOLDING),  # another promise's
        (Drift.ACCOUNT_LOCAL_AUTH, State.HOLDING),  # informs only
    ],
)
def test_a_finding_of_the_configuration_check_violates_the_promises_that_it_concerns(found: Drift, expected: State) -> None:
    stated = state(GEOGRAPHY, replace(GOOD, findings=frozenset({found})))
    assert stated.state is expected
    assert stated.causes == ((found,) if expected is State.VIOLATED else ())


def test_a_violation_is_said_also_when_something_else_was_not_checked() -> None:
    seen = replace(GOOD, findings=frozenset({Drift.DEPLOYMENT_SKU}), run=run(StepReport(step="configuration", complete=False)))
    assert state(GEOGRAPHY, seen).state is State.VIOLATED


def test_unknown_findings_make_unknown_what_they_could_violate() -> None:
    stated = state(GEOGRAPHY, replace(GOOD, findings=None))
    assert (stated.state, stated.why) == (State.UNKNOWN, Why.CHECK_INCOMPLETE)


@pytest.mark.parametrize("at", [None, NOW - 2 * INTERVAL - 1, NOW + 60])
def test_without_a_run_of_the_last_two_intervals_nothing_is_known(at: float | None) -> None:
    seen = replace(GOOD, run=None if at is None else run(at=at))
    assert {stated.state for stated in statement(seen)} == {State.UNKNOWN}
    assert state(RETENTION, seen).why is Why.NO_RECENT_RUN


def test_a_run_of_two_intervals_ago_is_recent_enough() -> None:
    assert state(RETENTION, replace(GOOD, run=run(at=NOW - 2 * INTERVAL))).state is State.HOLDING


def test_a_stale_fact_makes_unknown_what_rests_on_it() -> None:
    late = datetime(2028, 1, 1, tzinfo=UTC).timestamp()
    stated = {each.promise.id: each for each in statement(replace(GOOD, now=late, run=run(at=late - 10)))}
    assert stated["retention"].why is stated["no-training"].why is Why.FACT_STALE
    assert stated["control"].state is State.HOLDING


def test_only_runtime_promises_are_ever_said_to_hold_and_unbuilt_ones_never() -> None:
    for stated in statement(GOOD):
        holds = stated.promise.basis is Basis.RUNTIME and stated.promise.missing is None
        assert (stated.state is State.HOLDING) is holds
    assert {stated.why for stated in statement(GOOD) if stated.promise.missing} == {Why.NOT_BUILT}


def test_a_state_is_told_without_names_of_tenants() -> None:
    told = as_json(state(GEOGRAPHY, replace(GOOD, findings=frozenset({Drift.QUEUE_SUBMISSION_OPEN}))))
    assert told["state"] == "violated"
    assert told["causes"] == ["queue_submission_open"]
    assert told["checked_at"] == int(NOW - 10)
    assert told["sources"][0]["expires_on"] > told["sources"][0]["reviewed_on"]
