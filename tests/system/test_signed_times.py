"""Signed messages and time: captured and scheduled ones, copies, secrets that end, an outage that outlasts a signature."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.clock import clock
from tests.system.faults import arm, change_app_settings, disarm
from tests.system.host_log import HostLog
from tests.system.http import calling
from tests.system.jobs import wait_until_all_wait, wait_until_drained
from tests.system.signing import CLIENT_ID, Refused, Signer, signer
from tests.system.stack import Stack, running_stack, wait_for

NEVER = "0 0 0 1 1 *"
MINUTE, HOUR, DAY = 60, 3600, 86_400
CONFLICT = Refused(reason="conflict", field="custom_id", lives=DAY, properties={"reason", "field"})


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The timer stays silent: what it would delete is not to end what is tested."""
    folder = tmp_path_factory.mktemp("stack")
    with (
        running_stack(folder, LETHE_RETENTION_SCHEDULE=NEVER) as started,
        started.keeping_connections() as running,
    ):
        yield running


@pytest.fixture(scope="module")
def tailspin(stack: Stack) -> Signer:
    return signer(stack, "tailspin")


@pytest.fixture(scope="module")
def brief(stack: Stack) -> Signer:
    """A tenant that keeps as little, for as short, as signed submission allows."""
    retention = {"output_seconds": HOUR, "receipt_seconds": HOUR, "abuse_record_seconds": HOUR}
    return signer(stack, "brief", retention=retention, principals=[])


def test_a_captured_message_is_the_same_job_for_five_minutes_and_late_from_then_on(stack: Stack, tailspin: Signer) -> None:
    tenant, secret = tailspin
    captured = tenant.job("captured")
    signature = tenant.signed(captured, secret)
    tenant.send(captured, signature)
    assert tenant.answer("captured") == "captured"
    for _ in range(2):
        stack.advance(2 * MINUTE)
        tenant.send(captured, signature)
        wait_until_drained(stack)
    stack.advance(MINUTE + 1)
    tenant.send(captured, signature)
    tenant.send(captured, signature | {"lethe-admitted-at": float(signature["webhook-timestamp"])})
    assert [(one.reason, one.lives) for one in tenant.refusals(captured, 2)] == [("signature_late", HOUR)] * 2
    assert (stack.model_calls("captured"), len(stack.outputs("tailspin", "captured"))) == (1, 1)


def test_a_captured_message_does_not_run_again_after_the_jobs_deletion(stack: Stack, tailspin: Signer) -> None:
    """It is refused, but what has an id of ours may be a copy that was left: nobody keeps it for an hour."""
    tenant, secret = tailspin
    deleted = tenant.job("deleted")
    signature = tenant.signed(deleted, secret)
    tenant.send(deleted, signature)
    assert tenant.answer("deleted") == "deleted"
    [output] = stack.outputs("tailspin", "deleted")
    with calling(stack) as http:
        token = http.token("contoso", claims={"azp": CLIENT_ID})
        assert http.call("DELETE", f"/v1/generations/gen_{output['jobId']}", token=token).status == 204
    tenant.send(deleted, signature)
    assert tenant.refusals(deleted) == [CONFLICT]
    tenant.send(deleted, message_id=f"{output['jobId']}.99")
    wait_until_drained(stack)
    stack.advance(5 * MINUTE + 1)
    tenant.send(deleted, signature)
    assert [one.reason for one in tenant.refusals(deleted, 2)] == ["conflict", "signature_late"]
    assert (stack.model_calls("deleted"), stack.outputs("tailspin", "deleted")) == (1, [])


def test_a_receipt_lives_an_hour_whatever_a_captured_message_says_of_its_age(stack: Stack, brief: Signer) -> None:
    """Were the claim believed, output and receipt would end in ten seconds, and the same signature would run a second job."""
    tenant, secret = brief
    aged = tenant.job("aged")
    signature = tenant.signed(aged, secret)
    tenant.send(aged, signature | {"lethe-admitted-at": float(signature["webhook-timestamp"]) - HOUR + 10})
    assert tenant.answer("aged") == "aged"
    [receipt] = stack.receipts("brief")
    assert receipt["expires_at"] == pytest.approx(float(signature["webhook-timestamp"]) + HOUR, abs=10)
    stack.advance(4 * MINUTE)
    tenant.send(aged, signature)
    wait_until_drained(stack)
    assert stack.model_calls("aged") == 1


def test_once_the_receipt_is_gone_a_captured_message_has_long_been_late(stack: Stack, brief: Signer) -> None:
    tenant, secret = brief
    gone = tenant.job("gone")
    signature = tenant.signed(gone, secret)
    tenant.send(gone, signature)
    assert tenant.answer("gone") == "gone"
    stack.advance(HOUR + MINUTE)
    assert stack.receipts("brief") == []
    tenant.send(gone, signature)
    assert [one.reason for one in tenant.refusals(gone)] == ["signature_late"]
    assert stack.model_calls("gone") == 1


def test_a_scheduled_message_is_signed_for_the_time_at_which_it_is_enqueued(stack: Stack, tailspin: Signer) -> None:
    tenant, secret = tailspin
    right, wrong = tenant.job("scheduled"), tenant.job("scheduled-wrongly")
    due = datetime.fromtimestamp(_now(stack) + HOUR, UTC)
    tenant.send(right, tenant.signed(right, secret, after=HOUR), scheduled_enqueue_time_utc=due)
    tenant.send(wrong, tenant.signed(wrong, secret), scheduled_enqueue_time_utc=due)
    wait_until_all_wait(stack, 2)
    stack.advance(HOUR + 1)
    assert tenant.answer("scheduled") == "scheduled"
    assert [one.reason for one in tenant.refusals(wrong)] == ["signature_late"]


def test_a_signed_message_may_wait_in_the_queue_longer_than_its_signature_counts(stack: Stack, tailspin: Signer) -> None:
    tenant, secret = tailspin
    with stack.down("host"):
        tenant.send_signed(tenant.job("waits-in-the-queue"), secret)
        stack.advance(HOUR)
    assert tenant.answer("waits-in-the-queue") == "waits in the queue"


def test_a_postponed_job_ends_though_its_copys_signature_is_late_and_its_secret_gone(stack: Stack) -> None:
    tenant, secret = signer(stack, "patient", principals=[])
    prompt = "[[status:429:2:400]] postponed"
    tenant.send_signed(tenant.job("postponed", prompt), secret)
    wait_until_all_wait(stack, 1)
    tenant.rotate(keep_old=False)
    stack.advance(401)
    assert tenant.answer("postponed") == "postponed"
    wait_until_drained(stack)
    assert stack.model_calls(prompt) == 3


def test_a_rotated_secret_counts_for_a_day_more_or_no_more(stack: Stack) -> None:
    tenant, old = signer(stack, "rotating", principals=[])
    new = tenant.rotate(keep_old=True)
    stack.advance(MINUTE + 1)
    for name, secret in {"with-the-old": old, "with-the-new": new}.items():
        tenant.send_signed(tenant.job(name), secret)
        assert tenant.answer(name) == name.replace("-", " ")
    stack.advance(DAY)
    newest = tenant.rotate(keep_old=False)
    ended = [tenant.job("ended-by-time"), tenant.job("ended-at-once")]
    tenant.send_signed(ended[0], old)
    stack.advance(MINUTE + 1)
    tenant.send_signed(ended[1], new)
    assert [one.reason for envelope in ended for one in tenant.refusals(envelope)] == ["signature_invalid"] * 2
    tenant.send_signed(tenant.job("with-the-newest"), newest)
    assert tenant.answer("with-the-newest") == "with the newest"


@pytest.mark.timeout(240)
def test_an_outage_that_outlasts_the_signature_loses_no_signed_message(stack: Stack) -> None:
    """The last delivery leaves a copy that is enqueued minutes later, and the store knows nothing of a job."""
    tenant, secret = signer(stack, "outlasting", principals=[])
    change_app_settings(stack, LETHE_MAX_DELIVERY_COUNT="1")
    stack.kill("host")
    log = HostLog.from_now(stack)
    arm(stack, container="policies", operation="read", status=403, count=1000)
    tenant.send_signed(tenant.job("outlasting"), secret)
    wait_for("the last resort", lambda: log.events("job_postponed"), seconds=100)
    wait_until_all_wait(stack, 1)
    disarm(stack)
    change_app_settings(stack, LETHE_MAX_DELIVERY_COUNT="20")
    stack.kill("host")
    stack.advance(301)
    assert tenant.answer("outlasting", seconds=60) == "outlasting"


def _now(stack: Stack) -> float:
    return clock(Path(stack.endpoints["clock_offset_file"]))()
