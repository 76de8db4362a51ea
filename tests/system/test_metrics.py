"""The figures of one stack, from what was done to it to the lines of its file; and that these tell of nobody."""

from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import pytest

from shared.metrics import OTHER, STEPS, TABLE, Metric
from tests.privacy.scan import scan
from tests.system.http import Http, calling
from tests.system.jobs import job, wait_until_drained
from tests.system.metric_lines import MetricLines
from tests.system.stack import Stack, running_stack, wait_for
from tests.system.webhooks import tenant_of

CANARY = f"canary{token_hex(8)}"
PROMPTS = (
    "Hello.",
    "[[block:violence]] A prompt.",
    "[[block-completion:hate]] A prompt.",
    "[[unfiltered]] A prompt.",
    "[[status:429:2:90]] Beyond the deadline.",
)
ENDED = {"completed": 4, "failed": 1, "incomplete": 1, "expired": 1, "cancelled": 1}
"""Of the prompts, one more over HTTP, one of another tenant, and one that was cancelled."""

REFUSED = {"invalid_json": 1, "unknown_tenant": 1, "unknown_model": 2, "unauthenticated": 1, "unsupported_media_type": 1}
FILTERED = {"passed": 3, "prompt_blocked": 1, "completion_blocked": 1, "unfiltered": 1}


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricLines]:
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        with calling(stack) as http:
            _run(stack, http)
        yield MetricLines(stack=stack)


def _run(stack: Stack, http: Http) -> None:
    """Jobs with every end, refusals both ways, a webhook, and an output past its deadline."""
    with tenant_of(stack, "contoso") as tenant:
        tenant.listens(to=("response.completed",))
        http.ended(http.submit(f"Hello, {CANARY}.", custom_id=CANARY))
        tenant.receiver.wait_for(1)
        tenant.forgets_endpoints()
    cancelled = http.submit(f"[[delay:3000]] {CANARY}")
    assert http.call("POST", f"/openai/v1/responses/{cancelled.replace('gen_', 'resp_')}/cancel", {}).status == 200
    stack.submit(
        [
            *(
                job(CANARY, f"{CANARY}-{number}", f"{prompt} {CANARY}", expires_after=60)
                for number, prompt in enumerate(PROMPTS)
            ),
            job("short", CANARY, f"Ten seconds. {CANARY}", tenant="adatum"),
            b'{"tenant": ' + CANARY.encode(),
            job("refused", CANARY, CANARY, tenant="nobody"),
            job("refused", CANARY, CANARY, body={"model": CANARY, "input": CANARY}),
        ]
    )
    wait_until_drained(stack)
    assert http.call("POST", "/v1/generations", {"custom_id": CANARY}, tenant=None).status == 401
    assert http.call("POST", "/v1/generations", content=CANARY.encode(), content_type="text/plain").status == 415
    body = {"model": CANARY, "input": CANARY}
    refused = http.call("POST", "/v1/generations", {"custom_id": CANARY, "url": "/v1/responses", "body": body})
    assert (refused.status, refused.json["code"]) == (400, "unknown_model")
    stack.advance(12)
    wait_for("the short output to be deleted", lambda: not stack.outputs("adatum"))


def _reached(metrics: MetricLines, metric: Metric, figures: dict[str, int]) -> None:
    wait_for(f"{metric} {figures}", lambda: metrics.counted(metric) == figures or None, seconds=15)


def test_each_end_of_a_job_is_counted(metrics: MetricLines) -> None:
    _reached(metrics, Metric.GENERATIONS, ENDED)


def test_each_refusal_is_counted_whichever_way_it_came(metrics: MetricLines) -> None:
    _reached(metrics, Metric.REFUSALS, REFUSED)


def test_what_the_filter_said_is_counted(metrics: MetricLines) -> None:
    _reached(metrics, Metric.FILTER_OUTCOMES, FILTERED)


def test_a_delivered_webhook_is_counted(metrics: MetricLines) -> None:
    _reached(metrics, Metric.WEBHOOKS, {"delivered": 1})


def test_where_a_request_may_be_processed_is_decided_at_admission_and_before_each_run(metrics: MetricLines) -> None:
    assert set(metrics.counted(Metric.RESIDENCY_DECISIONS)) == {"allowed"}
    assert metrics.counted(Metric.RESIDENCY_DECISIONS)["allowed"] >= sum(ENDED.values())


def test_a_deletion_is_counted_and_tells_how_late_it_was(metrics: MetricLines) -> None:
    wait_for("a deletion", lambda: metrics.counted(Metric.DELETIONS).get("expired_documents"), seconds=15)
    lag, *_ = [line for line in metrics.lines(Metric.DELETION_LAG) if line["attributes"] == {"step": "expired_documents"}]
    assert lag["count"] == 1
    assert 0 <= lag["sum"] < 25


def test_each_run_tells_of_each_step_that_it_was_complete(metrics: MetricLines) -> None:
    steps = STEPS
    wait_for("all steps", lambda: all(metrics.last(Metric.RETENTION_COMPLETE, step=step) == 1 for step in steps), seconds=15)
    assert {metrics.last(Metric.OVERDUE, step=step) for step in steps} == {0}
    assert all(line["sum"] > 0 for line in metrics.lines(Metric.RUN_DURATION))


def test_the_configuration_is_in_order_and_one_tenant_has_opted_out(metrics: MetricLines) -> None:
    assert metrics.last(Metric.CONFIGURATION_COMPLETE) == 1
    assert metrics.last(Metric.CONFIGURATION_FINDINGS, kind="store_region") == 0
    assert metrics.last(Metric.OPT_OUTS) == 1


def test_what_lies_where_is_told_with_the_age_of_the_oldest(metrics: MetricLines) -> None:
    receipts = sum(len(metrics.stack.receipts(tenant)) for tenant in ("contoso", "adatum"))
    wait_for("the receipts", lambda: metrics.last(Metric.ITEMS, data_class="receipt") == receipts, seconds=15)
    assert (metrics.last(Metric.ITEMS_OLDEST_AGE, data_class="receipt") or 0) > 12
    refused = {"queue": "generation-rejected", "kind": "active"}
    assert metrics.last(Metric.QUEUE_DEPTH, **refused) == len(metrics.stack.rejected()) == 3
    assert (metrics.last(Metric.QUEUE_OLDEST_AGE, **refused) or 0) > 12
    assert metrics.last(Metric.QUEUE_DEPTH, queue="generation-requests", kind="dead_letter") == 0


def test_a_planted_document_tells_how_late_it_was_gone(metrics: MetricLines) -> None:
    def told() -> list[dict[str, Any]]:
        runs = len(metrics.lines(Metric.RUN_DURATION))
        metrics.stack.advance(8)  # with the pause until the next run less than the grace, after which it is too late to tell
        wait_for("the next run", lambda: len(metrics.lines(Metric.RUN_DURATION)) > runs)
        return metrics.lines(Metric.PROBE_LAG)

    lag = wait_for("the lag of a probe", told, seconds=90)[0]
    assert 0 <= lag["value"] < 15


def test_what_could_not_be_looked_at_is_incomplete_and_not_zero(metrics: MetricLines) -> None:
    step = {"step": "configuration"}

    def blind() -> float | None:
        latest = metrics.lines(Metric.RETENTION_COMPLETE)[-30:]
        return next((line["at"] for line in latest if line["attributes"] == step and line["value"] == 0), None)

    with metrics.stack.down("management"):
        at = wait_for("a run that cannot look", blind, seconds=60)
    told = {line["name"] for line in metrics.lines() if line["at"] == at and line["attributes"] == step}
    assert told == {"lethe.retention.complete"}
    checks = [line for line in metrics.lines(Metric.CONFIGURATION_COMPLETE) if line["value"] == 0]
    assert any(abs(line["at"] - at) < 10 for line in checks)  # in the same export or the one before
    wait_for("the next whole check", lambda: metrics.last(Metric.CONFIGURATION_COMPLETE) == 1)


def test_every_line_is_of_the_table_and_nothing_was_other(metrics: MetricLines) -> None:
    for line in metrics.lines():
        instrument = TABLE[Metric(line["name"])]
        assert line["unit"] == instrument.unit
        assert line["attributes"].keys() == instrument.attributes.keys()
        assert OTHER not in line["attributes"].values()


def test_the_lines_name_no_content_no_tenant_and_no_job(metrics: MetricLines) -> None:
    stack = metrics.stack
    assert metrics.path.stat().st_mode & 0o777 == 0o600
    assert not scan(CANARY, metrics.path)
    assert scan(CANARY, stack.state / "cosmos.sqlite")  # the same scan finds it where it may be
    text = metrics.path.read_text()
    ids = {receipt["jobId"] for tenant in ("contoso", "adatum") for receipt in stack.receipts(tenant)}
    assert len(ids) >= sum(ENDED.values())
    assert not [name for name in {"contoso", "fabrikam", "adatum", *ids} if name in text]
