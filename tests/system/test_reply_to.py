"""A queue submitter that names a queue for replies: told what was wrong, if its tenant's policy lists that queue."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusReceivedMessage

from shared.errors import Reason
from shared.refusals import REFUSALS
from tests.system.http import calling, line
from tests.system.stack import Stack, running_stack, wait_for

CANARY = "canary-51e07c9d"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("replies")) as running:
        yield running


@dataclass(frozen=True, kw_only=True)
class Case:
    """A message that is refused."""

    body: bytes
    reason: Reason
    field: str


def refused(**changes: Any) -> Case:  # noqa: ANN401
    request = {"tenant": "contoso", **line(CANARY), "url": f"/v1/{CANARY}", **changes}
    return Case(body=json.dumps(request).encode(), reason=Reason.UNSUPPORTED_VALUE, field="url")


@pytest.mark.parametrize(
    "case",
    [
        refused(),
        Case(
            body=json.dumps({"tenant": "contoso", **line(CANARY), "surprise": CANARY}).encode(),
            reason=Reason.UNKNOWN_FIELD,
            field="message",
        ),
        Case(
            body=json.dumps({"tenant": "contoso", **line(body={"model": CANARY, "input": CANARY})}).encode(),
            reason=Reason.UNKNOWN_MODEL,
            field="body.model",
        ),
    ],
)
def test_a_refusal_goes_to_a_listed_queue_under_the_senders_message_id(stack: Stack, case: Case) -> None:
    submit(stack, case, reply_to="contoso-replies", message_id=f"sent-{case.reason}")
    [reply] = wait_for("the reply", lambda: replies(stack, "contoso-replies", f"sent-{case.reason}"))
    body = b"".join(bytes(part) for part in reply.body)
    expected = {"object": "error", "code": case.reason, "field": case.field, "message": REFUSALS[case.reason]}
    assert json.loads(body) == expected
    assert reply.content_type == "application/json"
    assert reply.time_to_live is not None
    assert reply.time_to_live.total_seconds() == 86_400  # the tenant's shortest retention
    assert CANARY not in f"{body!r} {reply.message_id} {reply.subject} {reply.application_properties}"
    [rejected] = rejections(stack, case)
    assert (rejected["reason"], rejected["field"]) == (case.reason, case.field)


UNLISTED = [
    ("fabrikam-replies", "contoso"),  # another tenant's
    ("contoso-replies", "fabrikam"),
    ("contoso-replies", "nobody"),
    ("contoso-replies/$DeadLetterQueue", "contoso"),
    ("webhook-deliveries", "contoso"),  # Lethe's own
    ("generation-requests", "contoso"),
    ("generation-rejected", "contoso"),
    (f"{CANARY}-replies", "contoso"),
    ("", "contoso"),
    (None, "contoso"),
]


def test_a_queue_that_the_policy_does_not_list_gets_nothing(stack: Stack) -> None:
    cases = [refused(tenant=tenant) for _, tenant in UNLISTED]
    with stack.client() as client:
        for number, (reply_to, _) in enumerate(UNLISTED):
            client.submit([cases[number].body], reply_to=reply_to, message_id=f"unlisted-{number}")
    assert len(wait_for("the rejections", lambda: enough(rejections(stack, *cases), len(cases)))) == len(cases)
    follow(stack)
    for queue in ("contoso-replies", "fabrikam-replies", "webhook-deliveries", "generation-requests", "generation-rejected"):
        assert not replies(stack, queue, *(f"unlisted-{number}" for number in range(len(cases))))


def test_an_accepted_message_has_no_reply(stack: Stack) -> None:
    request = {"tenant": "contoso", **line(batch="accepted")}
    with stack.client() as client:
        client.submit([json.dumps(request).encode()], reply_to="contoso-replies", message_id="accepted")
    stack.wait_for_outputs("contoso", "accepted", 1)
    follow(stack)
    assert not replies(stack, "contoso-replies", "accepted")


def test_a_listed_queue_that_does_not_exist_does_not_hold_up_the_rejection(stack: Stack) -> None:
    set_policy(stack, reply_queues=["contoso-replies", "not-there"])
    case = refused()
    submit(stack, case, reply_to="not-there", message_id="to-nowhere")
    assert len(wait_for("the rejection", lambda: rejections(stack, case), seconds=5)) == 1
    wait_for("the reply to be given up", lambda: "reply_failed" in stack.logs(), seconds=20)
    wait_for("the message to be completed", lambda: not stack.peek("generation-requests"))
    assert len(rejections(stack, case)) == 1
    assert CANARY not in stack.logs()


def test_a_policy_that_lists_a_queue_of_lethes_is_no_policy(stack: Stack) -> None:
    """Its tenant's callers and messages wait for one that is, and nothing is sent in a circle."""
    case = refused()
    with calling(stack) as http:
        assert http.call("GET", "/openai/v1/models").status == 200
        set_policy(stack, reply_queues=["Generation-Requests"])
        submit(stack, case, reply_to="Generation-Requests", message_id="circle")
        assert http.call("GET", "/openai/v1/models").status == 503
        assert not rejections(stack, case)
        set_policy(stack, reply_queues=["contoso-replies"])
        assert len(wait_for("the rejection", lambda: rejections(stack, case))) == 1
        assert http.call("GET", "/openai/v1/models").status == 200
    assert not replies(stack, "generation-requests", "circle")


def submit(stack: Stack, case: Case, **properties: Any) -> None:  # noqa: ANN401
    stack.submit([case.body], **properties)


def follow(stack: Stack) -> None:
    """Return when a message that was refused afterwards has had its reply."""
    case = refused()
    name = f"after-{json.loads(case.body)['custom_id']}"
    submit(stack, case, reply_to="contoso-replies", message_id=name)
    wait_for("a later reply", lambda: replies(stack, "contoso-replies", name))


def rejections(stack: Stack, *cases: Case) -> list[dict[str, str]]:
    """Properties of the messages in ``generation-rejected`` with the body of one of these."""
    return [message.properties for message in stack.rejected() if message.body in {case.body for case in cases}]


def enough[T](found: list[T], count: int) -> list[T] | None:
    return found if len(found) >= count else None


def replies(stack: Stack, queue: str, *message_ids: str) -> list[ServiceBusReceivedMessage]:
    """Messages of a queue that answer one of these; they stay there."""
    connection = stack.endpoints["servicebus"]
    with ServiceBusClient.from_connection_string(connection) as bus, bus.get_queue_receiver(queue) as receiver:
        return [found for found in receiver.peek_messages(100) if found.correlation_id in message_ids]


def set_policy(stack: Stack, **changes: object) -> None:
    """Change contoso's policy, and let the minute pass for which it is cached."""
    with stack.client() as client:
        policies = client.container("policies")
        policies.upsert_item(policies.read_item("policy", "contoso") | changes)
    stack.advance(61)
