"""What senders get wrong, over the real queue: each mistake gets its code, and nothing of it is quoted, lost or repeated."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import MessageSizeExceededError

from local.demo.client import REJECTED, REQUESTS, Message
from tests.system.host_log import HostLog
from tests.system.jobs import DEAD_LETTERS, job, text_of, wait_until_drained
from tests.system.stack import Stack, running_stack, wait_for

CANARY = "canary-4711"
"""Stands in every value that is wrong; it may come back in the rejected message itself, and nowhere else."""

MANY = 20_000
TWO_KEYS = b'{"tenant": "contoso", "tenant": "canary-4711"}'
LONG = f"{CANARY}{'x' * 256}"
SVG = "data:image/svg+xml;base64,PHN2Zy8+"


def _envelope(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**job("bad", "one", CANARY), **fields}


def _body(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return _envelope(body={"model": "gpt-small", "input": CANARY, **fields})


def _without(name: str) -> dict[str, Any]:
    envelope = _envelope()
    del envelope[name]
    return envelope


def _part(part: dict[str, Any]) -> dict[str, Any]:
    return _body(input=[{"role": "user", "content": [part]}])


CASES: dict[str, tuple[bytes | dict[str, Any], str, str]] = {
    "nothing": (b"", "empty", "message"),
    "white space": (b" \n\t ", "empty", "message"),
    "not JSON": (b"canary-4711, and no JSON", "invalid_json", "message"),
    "JSON cut short": (b'{"tenant": "canary-4711', "invalid_json", "message"),
    "two JSON objects": (b'{"tenant": "canary-4711"} {}', "invalid_json", "message"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "invalid_json", "message"),
    "UTF-16": ('{"tenant": "contoso"}'.encode("utf-16"), "invalid_encoding", "message"),
    "invalid UTF-8": (b'{"tenant": "canary-4711\xff\xfe"}', "invalid_encoding", "message"),
    "half a surrogate pair": (b'{"tenant": "canary-4711\\ud83d"}', "invalid_encoding", "message"),
    "a key twice": (TWO_KEYS, "duplicate_key", "message"),
    "a key twice inside": (b'{"body": {"a": [{"canary-4711": 1, "canary-4711": 1}]}}', "duplicate_key", "message"),
    "NaN": (b'{"tenant": "contoso", "expires_after": NaN}', "invalid_json", "message"),
    "Infinity": (b'{"tenant": "contoso", "expires_after": -Infinity}', "invalid_json", "message"),
    "a number beyond floats": (b'{"tenant": "contoso", "expires_after": 1e999}', "invalid_json", "message"),
    "a number of 5,000 digits": (b'{"tenant": "contoso", "expires_after": ' + b"7" * 5000 + b"}", "invalid_json", "message"),
    "20,000 brackets": (b"[" * MANY + b"]" * MANY, "too_deep", "message"),
    "20,000 open brackets": (b"[" * MANY, "too_deep", "message"),
    "20,000 objects": (b'{"a":' * MANY + b"1" + b"}" * MANY, "too_deep", "message"),
    "an array": (b'["canary-4711"]', "invalid_type", "message"),
    "a string": (b'"canary-4711"', "invalid_type", "message"),
    "null": (b"null", "invalid_type", "message"),
    "an empty object": ({}, "missing_field", "tenant"),
    "an unknown field": (_envelope(**{CANARY: CANARY}), "unknown_field", "message"),
    "no tenant": (_without("tenant"), "missing_field", "tenant"),
    "no custom_id": (_without("custom_id"), "missing_field", "custom_id"),
    "no url": (_without("url"), "missing_field", "url"),
    "no body": (_without("body"), "missing_field", "body"),
    "a tenant that is a number": (_envelope(tenant=4711), "invalid_type", "tenant"),
    "a custom_id that is a list": (_envelope(custom_id=[CANARY]), "invalid_type", "custom_id"),
    "a custom_id that is empty": (_envelope(custom_id=""), "invalid_value", "custom_id"),
    "a custom_id that is too long": (_envelope(custom_id=LONG), "invalid_value", "custom_id"),
    "a custom_id with a control character": (_envelope(custom_id=f"{CANARY}\x00"), "invalid_value", "custom_id"),
    "a custom_id with a line break": (_envelope(custom_id=f"{CANARY}\r\nX"), "invalid_value", "custom_id"),
    "a custom_id that turns the text": (_envelope(custom_id=f"{CANARY}\u202e"), "invalid_value", "custom_id"),
    "a batch that is too long": (_envelope(batch=LONG), "invalid_value", "batch"),
    "a body that is text": (_envelope(body=CANARY), "invalid_type", "body"),
    "another method": (_envelope(method=CANARY), "unsupported_value", "method"),
    "another url": (_envelope(url=f"/v1/{CANARY}"), "unsupported_value", "url"),
    "a url of another host": (_envelope(url=f"https://{CANARY}.example/v1/responses"), "unsupported_value", "url"),
    "an unknown tenant": (_envelope(tenant=CANARY), "unknown_tenant", "tenant"),
    "a tenant that is a path": (_envelope(tenant=f"../{CANARY}"), "unknown_tenant", "tenant"),
    "an unknown model": (_body(model=CANARY), "unknown_model", "body.model"),
    "an expires_after of zero": (_envelope(expires_after=0), "invalid_value", "expires_after"),
    "a negative expires_after": (_envelope(expires_after=-1), "invalid_value", "expires_after"),
    "an expires_after that is text": (_envelope(expires_after="3600"), "invalid_type", "expires_after"),
    "an expires_after that is true": (_envelope(expires_after=True), "invalid_type", "expires_after"),
    "an expires_after with a fraction": (_envelope(expires_after=1.5), "invalid_type", "expires_after"),
    "an unknown field of the body": (_body(**{CANARY: CANARY}), "unknown_field", "body"),
    "an input that is a number": (_body(input=4711), "invalid_type", "body.input"),
    "a stream": (_body(stream=True), "unsupported_value", "body.stream"),
    "a stored response": (_body(previous_response_id=CANARY), "unsupported_field", "body.previous_response_id"),
    "a conversation": (_body(conversation=CANARY), "unsupported_field", "body.conversation"),
    "a hosted tool": (_body(tools=[{"type": "web_search"}]), "unsupported_value", "body.tools[0].type"),
    "a second tool that is hosted": (
        _body(tools=[{"type": "function", "name": "f"}, {"type": "mcp", "server_url": CANARY}]),
        "unsupported_value",
        "body.tools[1].type",
    ),
    "an image elsewhere": (
        _part({"type": "input_image", "image_url": f"https://{CANARY}.example/i.png"}),
        "unsupported_value",
        "body.input[0].content[0].image_url",
    ),
    "an image in a file of the service": (
        _part({"type": "input_image", "image_url": SVG, "file_id": CANARY}),
        "unsupported_field",
        "body.input[0].content[0].file_id",
    ),
    "grounding without content": (_envelope(grounding=[{"id": CANARY}]), "missing_field", "grounding[0].content"),
    "a message of 250 KB": (_body(input="x" * 250_000), "request_too_large", "message"),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started, started.keeping_connections() as running:
        yield running


@pytest.fixture(scope="module")
def rejected(stack: Stack) -> dict[bytes, list[Message]]:
    """What became of all cases, sent one after the other and a good request behind them, by body."""
    stack.submit([*(body for body, _, _ in CASES.values()), job("good", "last", "good")])
    wait_until_drained(stack)
    messages: dict[bytes, list[Message]] = {}
    for message in stack.rejected():
        messages.setdefault(message.body, []).append(message)
    return messages


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_rejected_whole_with_its_code_and_its_field(rejected: dict[bytes, list[Message]], case: str) -> None:
    body, reason, field = CASES[case]
    [message] = rejected[body if isinstance(body, bytes) else json.dumps(body).encode()]
    assert message.properties == {"reason": reason, "field": field}


def test_the_next_good_request_runs(stack: Stack, rejected: dict[bytes, list[Message]]) -> None:
    assert len(rejected) == len(CASES)
    [output] = stack.outputs("contoso")
    assert text_of(output) == "good"


def test_nothing_of_a_mistake_is_logged_stored_or_dead_lettered(stack: Stack, rejected: dict[bytes, list[Message]]) -> None:
    assert rejected
    assert CANARY not in stack.logs()
    assert len(stack.receipts("contoso")) == 1
    assert stack.peek(REQUESTS + DEAD_LETTERS) == []


def test_a_message_of_one_megabyte_is_refused_to_its_sender(stack: Stack) -> None:
    with pytest.raises(MessageSizeExceededError):
        stack.submit([_body(input="x" * 1_000_000)])
    stack.submit([job("after-a-megabyte", "one", "still here")])
    wait_for("the next one", lambda: stack.outputs("contoso", "after-a-megabyte"))


def test_a_message_whose_rejection_was_sent_before_a_crash_is_not_rejected_twice(stack: Stack) -> None:
    stack.submit([job("numbers", "one", "[[delay:3000]] shows the number before the next one")])
    running = wait_for("the running job", lambda: stack.peek(REQUESTS))
    refused = json.dumps(_envelope(batch="twice", method="PUT")).encode()
    with (
        ServiceBusClient.from_connection_string(stack.endpoints["servicebus"]) as client,
        client.get_queue_sender(REJECTED) as sender,
    ):
        sender.send_messages(ServiceBusMessage(refused, message_id=f"rejected.{running[-1].sequence_number + 1}"))
    log = HostLog.from_now(stack)
    stack.submit([refused])
    wait_for("the rejection", lambda: log.events("message_rejected"))
    assert [message.body for message in stack.rejected()].count(refused) == 1
