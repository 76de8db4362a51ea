"""A promise has a control, a test and a metric, or the build fails."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.domain.promises import PROMISES, Basis, Promise

ROOT = Path(__file__).parent.parent.parent
PAGE = {
    *("control", "data-types", "stateless", "no-training", "fine-tuning", "abuse-monitoring", "content-filtering"),
    *("geography", "retention", "erasure", "no-leaks", "evidence"),
}

each_promise = pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.id)


def test_every_promise_of_the_privacy_page_is_there_once() -> None:
    assert sorted(promise.id for promise in PROMISES) == sorted(PAGE)


@each_promise
def test_a_promise_has_a_control_a_test_and_a_metric(promise: Promise) -> None:
    assert promise.controls
    assert promise.tests
    assert promise.metrics
    assert [path for path in (*promise.controls, *promise.tests) if not (ROOT / path).is_file()] == []
    assert promise.sentence.endswith(".")


@each_promise
def test_only_what_the_running_service_checks_may_be_said_to_hold(promise: Promise) -> None:
    assert bool(promise.steps) == (promise.basis is Basis.RUNTIME and promise.missing is None)
    assert not promise.violated_by or "configuration" in promise.steps


@each_promise
def test_what_rests_on_a_vendors_word_names_where_it_stands(promise: Promise) -> None:
    assert promise.sources or promise.basis is not Basis.VENDOR


@each_promise
def test_no_fact_is_past_the_day_until_which_it_may_be_relied_on(promise: Promise) -> None:
    today = datetime.now(UTC).date()
    assert [source.url for source in promise.sources if not source.reviewed_on <= today < source.expires_on] == []
