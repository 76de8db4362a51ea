"""Deadlines of jobs and messages, with a clock that is moved: what is due ends, whoever was to end it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from tests.system.jobs import (
    DEAD_LETTERS,
    job,
    submitted,
    wait_for_status,
    wait_until_all_wait,
    wait_until_drained,
)
from tests.system.stack import Stack, running_stack, wait_for

DAY = 86_400


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started, started.keeping_connections() as running:
        yield running


def test_a_job_whose_deadline_passes_while_it_waits_expires(stack: Stack) -> None:
    prompt = "[[status:429:2:90]] too late"
    job_id = submitted(stack, job("waits", "one", prompt, expires_after=120))
    wait_until_all_wait(stack, 1)
    stack.advance(125)
    found = wait_for_status(stack, "contoso", job_id, "expired")
    wait_until_drained(stack)
    assert (found.error_code, found.receipt["content_mac"]) == ("expired", None)
    assert stack.outputs("contoso", "waits") == []
    assert stack.model_calls(prompt) == 2


def test_a_job_that_the_model_asks_to_wait_beyond_its_deadline_expires_at_once(stack: Stack) -> None:
    job_id = submitted(stack, job("asked", "one", "[[status:429:2:90]] never", expires_after=60))
    found = wait_for_status(stack, "contoso", job_id, "expired", seconds=20)
    assert [event["type"] for event in found.events] == ["response.failed"]
    assert stack.outputs("contoso", "asked") == []


def test_a_job_whose_deadline_passes_during_the_call_expires_and_its_answer_is_discarded(stack: Stack) -> None:
    prompt = "[[delay:3500]] answered too late"
    job_id = submitted(stack, job("called", "one", prompt, expires_after=3))
    found = wait_for_status(stack, "contoso", job_id, "expired")
    assert found.error_code == "expired"
    assert stack.outputs("contoso", "called") == []
    assert stack.model_calls(prompt) == 1


def test_an_abandoned_claim_whose_message_is_gone_is_ended_by_the_timer(stack: Stack) -> None:
    envelope = job("abandoned", "one", "[[delay:4000]] abandoned", expires_after=60)
    job_id = submitted(stack, envelope, time_to_live=timedelta(seconds=15))
    stack.kill("host")
    stack.advance(30)
    wait_until_drained(stack)
    [receipt] = [receipt for receipt in stack.receipts("contoso") if receipt["jobId"] == job_id]
    assert receipt["status"] == "in_progress"
    stack.advance(60)
    found = wait_for_status(stack, "contoso", job_id, "expired")
    assert (found.error_code, found.receipt["content_mac"]) == ("expired", None)
    assert stack.outputs("contoso", "abandoned") == []


def test_expires_after_can_shorten_the_policy_and_not_lengthen_it(stack: Stack) -> None:
    asked = {"shorter": 30, "longer": 10 * DAY}
    stack.submit([job("shortened", name, "short-lived", expires_after=seconds) for name, seconds in asked.items()])
    found = stack.wait_for_outputs("contoso", "shortened", 2)
    kept = {output["custom_id"]: output["expires_at"] - output["created_at"] for output in found}
    assert kept == pytest.approx({"shorter": 30, "longer": DAY})
    stack.advance(31)
    wait_for("the shorter one to be gone", lambda: _names(stack, "contoso", "shortened") == ["longer"])


def test_an_output_of_adatum_is_gone_after_ten_seconds(stack: Stack) -> None:
    stack.submit([job("brief", "one", "brief", tenant="adatum")])
    [output] = stack.wait_for_outputs("adatum", "brief", 1)
    assert output["expires_at"] - output["created_at"] == pytest.approx(10)
    stack.advance(10)
    wait_for("its output to be gone", lambda: not stack.outputs("adatum", "brief"), seconds=12)
    found = wait_for_status(stack, "adatum", output["jobId"], "completed")
    wait_for("its content's MAC to be gone", lambda: _receipt(stack, "adatum", output)["content_mac"] is None, seconds=12)
    assert len(found.events) == 1


def test_a_changed_policy_holds_within_a_minute(stack: Stack) -> None:
    stack.submit([job("before", "one", "before", tenant="fabrikam")])
    stack.wait_for_outputs("fabrikam", "before", 1)
    _set_submission(stack, "fabrikam", "forbidden")
    stack.advance(61)
    stack.submit([job("after", "one", "after", tenant="fabrikam")])
    found = wait_for("the rejection", stack.rejected)
    assert [message.properties["reason"] for message in found] == ["submission_forbidden"]
    _set_submission(stack, "fabrikam", "open")
    stack.advance(61)
    stack.submit([job("again", "one", "again", tenant="fabrikam")])
    stack.wait_for_outputs("fabrikam", "again", 1)


def test_a_rejected_message_is_gone_after_its_tenants_shortest_retention(stack: Stack) -> None:
    seconds = {"adatum": 10, "nobody": 3600, "contoso": DAY}
    stack.submit([{**job("refused", "one", "refused", tenant=tenant), "url": "/v1/other"} for tenant in seconds])
    wait_for("the rejections", lambda: len(_refused(stack)) == len(seconds))
    gone = 0
    for tenant, ends in seconds.items():
        stack.advance(ends + 5 - gone)
        gone = ends + 5
        wait_for(f"that of {tenant} to be gone", partial(_is_gone, stack, tenant), seconds=10)
        assert set(_refused(stack)) == {left for left, later in seconds.items() if later > ends}


def test_a_dead_letter_is_gone_after_an_hour(stack: Stack) -> None:
    queue = "generation-rejected"  # the one of Lethe's queues that nobody reads
    with (
        ServiceBusClient.from_connection_string(stack.endpoints["servicebus"]) as client,
        client.get_queue_sender(queue) as sender,
        client.get_queue_receiver(queue) as receiver,
    ):
        sender.send_messages(ServiceBusMessage(b"unread"))
        for message in receiver.receive_messages(max_message_count=100, max_wait_time=5):
            settle = receiver.dead_letter_message if b"".join(message.body) == b"unread" else receiver.abandon_message
            settle(message)
    stack.advance(3500)
    assert len(stack.peek(queue + DEAD_LETTERS)) == 1
    stack.advance(200)
    wait_for("the dead letter to be gone", lambda: not stack.peek(queue + DEAD_LETTERS), seconds=10)


def _names(stack: Stack, tenant: str, batch: str) -> list[str]:
    return [output["custom_id"] for output in stack.outputs(tenant, batch)]


def _receipt(stack: Stack, tenant: str, output: dict[str, Any]) -> dict[str, Any]:
    return next(receipt for receipt in stack.receipts(tenant) if receipt["jobId"] == output["jobId"])


def _set_submission(stack: Stack, tenant: str, value: str) -> None:
    policies = stack.store.container("policies")
    policies.upsert_item({**policies.read_item("policy", tenant), "queue_submission": value})


def _refused(stack: Stack) -> list[str]:
    """Tenants of the rejected messages of batch ``refused``."""
    bodies = [json.loads(message.body) for message in stack.rejected()]
    return [body["tenant"] for body in bodies if body["batch"] == "refused"]


def _is_gone(stack: Stack, tenant: str) -> bool:
    return tenant not in _refused(stack)
