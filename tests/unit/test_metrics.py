"""The table of metrics, and the calls that record them: names, units, closed attributes, bounds."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path

import pytest

from shared.domain.generation import Status
from shared.errors import Reason
from shared.metrics import OTHER, TABLE, Attributes, Kind, Metric, count, gauge, observe
from tests.measuring import Measured, measuring

ROOT = Path(__file__).parents[2]
CANARY = "canary4f1c"
MOST_SERIES = 50
FUNCTIONS = {"count": Kind.COUNTER, "gauge": Kind.GAUGE, "observe": Kind.HISTOGRAM}
REQUIRED = {
    *("lethe.items", "lethe.items.oldest_age", "lethe.retention.overdue", "lethe.retention.seconds_past_deadline"),
    *("lethe.retention.complete", "lethe.retention.deletions", "lethe.retention.deletion_lag", "lethe.queue.depth"),
    *("lethe.queue.oldest_age", "lethe.held_items", "lethe.erasures", "lethe.erasure.duration", "lethe.refusals"),
    *("lethe.residency.decisions", "lethe.filter_outcomes", "lethe.opt_outs", "lethe.configuration.findings"),
    *("lethe.webhooks", "lethe.probe.lag", "lethe.generations", "lethe.evidence.verified"),
}


@pytest.fixture
def measured() -> Iterator[Measured]:
    with measuring() as found:
        yield found


def test_every_metric_is_in_the_table_once() -> None:
    assert list(TABLE) == list(Metric)


@pytest.mark.parametrize("metric", Metric)
def test_a_name_is_of_lethes_namespace(metric: Metric) -> None:
    assert re.fullmatch(r"lethe(\.[a-z]+(_[a-z]+)*)+", metric)


@pytest.mark.parametrize("metric", Metric)
def test_a_unit_is_seconds_or_counted_things_or_none_in_ucum(metric: Metric) -> None:
    assert re.fullmatch(r"s|1|\{[a-z]+\}", TABLE[metric].unit)


@pytest.mark.parametrize("metric", Metric)
def test_the_values_of_an_attribute_are_codes(metric: Metric) -> None:
    for name, values in TABLE[metric].attributes.items():
        assert name in Attributes.__annotations__
        assert values
        assert OTHER not in values
        assert all(re.fullmatch(r"[a-z0-9_-]{1,40}", value) for value in values)


@pytest.mark.parametrize("metric", Metric)
def test_a_metric_has_a_bounded_number_of_series(metric: Metric) -> None:
    assert prod(len(values) + 1 for values in TABLE[metric].attributes.values()) <= MOST_SERIES


def test_nothing_is_measured_for_a_tenant_a_job_or_a_person() -> None:
    attributes = {name for instrument in TABLE.values() for name in instrument.attributes}
    assert attributes == set(Attributes.__annotations__)
    assert not {name for name in attributes if re.search("tenant|job|id$|subject|user|name", name)}


def test_every_metric_that_was_promised_exists() -> None:
    promised = set(REQUIRED)
    if importlib.util.find_spec("shared.domain.promises"):
        promises = importlib.import_module("shared.domain.promises").PROMISES
        promised |= {metric for promise in promises for metric in promise.metrics}
    assert promised <= set(Metric)


def test_what_is_not_in_the_table_is_measured_as_other(measured: Measured) -> None:
    count(Metric.REFUSALS, reason=CANARY)  # type: ignore[arg-type]
    gauge(Metric.RETENTION_COMPLETE, 1, step=CANARY)
    observe(Metric.DELETION_LAG, 1, step=f"expired_documents {CANARY}")
    values = measured.values()
    assert [list(value.attributes.values()) for value in values] == [[OTHER]] * 3
    assert CANARY not in repr(values)


def test_an_attribute_that_the_metric_does_not_have_is_left_out(measured: Measured) -> None:
    count(Metric.REFUSALS, reason=Reason.EMPTY, prompt=CANARY)  # type: ignore[call-arg]
    count(Metric.GENERATIONS)
    found = sorted((value.attributes for value in measured.values()), key=sorted)
    assert found == [{"reason": "empty"}, {"status": OTHER}]


def test_counts_add_up_and_are_told_once(measured: Measured) -> None:
    for _ in range(3):
        count(Metric.GENERATIONS, status=Status.COMPLETED)
    assert measured.of(Metric.GENERATIONS) == {("completed",): 3}
    assert measured.of(Metric.GENERATIONS) == {}


def test_a_gauge_tells_the_last_value_and_is_told_once(measured: Measured) -> None:
    gauge(Metric.OPT_OUTS, 1)
    gauge(Metric.OPT_OUTS, 2)
    assert measured.of(Metric.OPT_OUTS) == {(): 2}
    assert measured.of(Metric.OPT_OUTS) == {}


def calls() -> list[tuple[str, str, str, frozenset[str]]]:
    """Every call that records something: where it is, the function, the metric and the attributes that it names."""
    found = []
    for folder in ("functions", "shared"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                    continue
                metric, function = ast.unparse(node.args[0]), node.func.id
                if not metric.startswith("Metric."):
                    continue
                names = frozenset(keyword.arg or "**" for keyword in node.keywords)
                place = f"{file.relative_to(ROOT)}:{node.lineno}"
                found.append((place, function, metric.removeprefix("Metric."), names))
    return found


@pytest.mark.parametrize(("place", "function", "metric", "names"), calls(), ids=lambda value: value if ":" in value else "")
def test_a_call_names_the_attributes_of_its_metric(place: str, function: str, metric: str, names: frozenset[str]) -> None:
    instrument = TABLE[Metric[metric]]
    if function == "_tell":  # a gauge that is told unless nobody has seen it
        function, names = "gauge", names - {"complete"}
    assert FUNCTIONS[function] is instrument.kind, place
    assert names == set(instrument.attributes), place


def test_every_metric_is_recorded_somewhere() -> None:
    assert {Metric[metric] for _, _, metric, _ in calls()} == set(Metric)
