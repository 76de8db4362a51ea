"""What a policy forbids is refused by name, over HTTP and over the queue, before anything of the request is stored."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from azure.servicebus import ServiceBusClient, ServiceBusReceivedMessage

from tests.privacy.cases import QUEUES, RESPONSES, Planting, request
from tests.privacy.flock import Flock
from tests.privacy.scan import scan, scan_bytes
from tests.system import tenants
from tests.system.http import Http, calling, line
from tests.system.jobs import wait_until_drained
from tests.system.stack import Stack, running_stack, wait_for

HOUR = 3600
KEPT = 600
"""Seconds for which the tenants here keep an output, and so a rejected message."""

REPLIES = "contoso-replies"
OUTPUT_TOKENS = 256
LOCK_AND_LEASE_SECONDS = 11


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A tenant with a policy, and a request that breaks it."""

    policy: dict[str, Any]
    reason: str
    at: str
    """The field that the refusal names."""
    body: dict[str, Any] = field(default_factory=dict)
    status: int = 403
    lies: int = KEPT
    """Seconds for which the rejected message lies."""
    replies: bool = True
    """Whether the sender is told on the queue that the policy lists."""


RULES = {
    # A tenant of another geography: its policy says nothing here, neither how long its message lies nor where a reply goes
    "northwind": Rule(policy={"geography": "us"}, reason="wrong_geography", at="tenant", lies=HOUR, replies=False),
    # An alias whose only deployment may process anywhere
    "tailspin": Rule(policy={"models": {"gpt-small": ["gpt-small-world"]}}, reason="residency_forbidden", at="body.model"),
    # or may leave the region, to which a policy keeps it
    "woodgrove": Rule(
        policy={"residency": "region", "models": {"gpt-small": ["gpt-small-eu-2"]}},
        reason="residency_forbidden",
        at="body.model",
    ),
    "wingtip": Rule(policy={"grounding": "forbidden"}, reason="grounding_forbidden", at="grounding"),
    "litware": Rule(
        policy={"limits": {"output_tokens_per_request": OUTPUT_TOKENS}},
        body={"max_output_tokens": OUTPUT_TOKENS + 1},
        reason="output_limit_exceeded",
        at="body.max_output_tokens",
        status=400,
    ),
}
EVERY_RULE = pytest.mark.parametrize(("tenant", "rule"), RULES.items(), ids=RULES)


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    with (
        running_stack(tmp_path_factory.mktemp("policies")) as started,
        started.keeping_connections() as stack,
        calling(stack) as calls,
    ):
        yield calls


@pytest.fixture(scope="module")
def tokens(http: Http) -> dict[str, str]:
    """A token for each tenant: those of the table, and one that may do everything they may not."""
    retention = {"output_seconds": KEPT, "receipt_seconds": HOUR, "abuse_record_seconds": KEPT}
    policies = {name: rule.policy for name, rule in RULES.items()} | {"alpine": {}}
    return {name: tenants.add(http, name, retention=retention, **changes) for name, changes in policies.items()}


def planted(tenant: str, directive: str = "", **body: object) -> tuple[Flock, dict[str, Any]]:
    """A request with a canary in each of its places, and the canaries."""
    flock = Flock()
    made = request(Planting(flock=flock, path=tenant), RESPONSES, directive, tenant=tenant)
    return flock, {**made, "body": made["body"] | body}


@EVERY_RULE
def test_over_http_it_is_refused_by_name_and_leaves_no_byte_behind(
    http: Http, tokens: dict[str, str], tenant: str, rule: Rule
) -> None:
    refused, envelope = planted(tenant, **rule.body)
    del envelope["tenant"]
    reply = http.call("POST", "/v1/generations", envelope, tenant=None, token=tokens[tenant])
    assert (reply.status, reply.json["code"], reply.json["field"]) == (rule.status, rule.reason, rule.at)
    assert not scan_bytes(refused, answer=f"{dict(reply.headers)}{reply.text}".encode())

    everything = admitted(http, tokens["alpine"], **rule.body)
    assert {"prompt", "instructions", "custom_id", "batch", "metadata value", "grounding content"} <= everything
    assert not scan(refused, http.stack.state)
    assert http.stack.receipts(tenant) == []


def admitted(http: Http, token: str, **body: object) -> set[str]:
    """Submit the same as a tenant that may, and return which of its places the scanner finds while the model thinks."""
    flock, envelope = planted("alpine", "[[delay:3000]]", **body)
    del envelope["tenant"]
    assert http.call("POST", "/v1/generations", envelope, tenant=None, token=token).status == 202
    return {finding.label.partition(" of ")[0] for finding in scan(flock, http.stack.state)}


@pytest.mark.parametrize("tenant", sorted({*RULES} - {"wingtip"}))  # OpenAI's interface has no grounding
def test_over_http_an_openai_client_is_told_the_parameter(http: Http, tokens: dict[str, str], tenant: str) -> None:
    rule = RULES[tenant]
    body = {"model": "gpt-small", "input": "Hello", "background": True, **rule.body}
    reply = http.call("POST", "/openai/v1/responses", body, tenant=None, token=tokens[tenant])
    assert (reply.status, reply.json["error"]["code"]) == (rule.status, rule.reason)
    assert reply.json["error"]["param"] == rule.at.removeprefix("body.")


@EVERY_RULE
@pytest.mark.usefixtures("tokens")
def test_over_the_queue_the_message_is_rejected_whole_and_is_all_that_is_left(http: Http, tenant: str, rule: Rule) -> None:
    stack = http.stack
    flock, envelope = planted(tenant, **rule.body)
    sent = json.dumps(envelope).encode()
    stack.submit([sent], reply_to=REPLIES, message_id=f"sent-by-{tenant}")
    message = wait_for("the rejection", lambda: rejected(stack, sent))
    properties = {_text(name): _text(value) for name, value in (message.application_properties or {}).items()}
    assert (properties["reason"], properties["field"]) == (rule.reason, rule.at)
    assert message.time_to_live is not None
    assert message.time_to_live.total_seconds() == rule.lies

    wait_until_drained(stack)
    files = {Path(finding.where).name.removesuffix("-journal") for finding in scan(flock, stack.state)}
    assert files == {QUEUES}
    assert stack.receipts(tenant) == stack.outputs(tenant) == stack.events(tenant) == []
    follow(stack)
    assert bool(replies(stack, f"sent-by-{tenant}")) is rule.replies


def test_a_policy_that_requires_the_filter_fails_a_generation_that_it_never_saw(http: Http) -> None:
    token = tenants.add(http, "proseware", content_filter="required")
    prompt = f"[[unfiltered]] {uuid4()}"
    ended = finished(http, token, prompt)
    check_withheld(http, "proseware", ended)
    assert http.stack.model_calls(prompt) == 3
    [output] = http.stack.outputs("proseware")
    assert prompt not in json.dumps(output)
    assert finished(http, token, f"seen {uuid4()}")["content_filter"]["outcome"] == "passed"


def test_calls_that_may_have_been_paid_for_are_counted_over_a_crash(http: Http) -> None:
    token = tenants.add(http, "cronus", content_filter="required")
    prompt = f"[[unfiltered]] {uuid4()}"
    generation = submitted(http, token, prompt)
    wait_for("two counted calls", lambda: receipt_of(http, "cronus", generation)["model_calls"] == 2)
    http.stack.kill("host")
    http.stack.advance(LOCK_AND_LEASE_SECONDS)
    check_withheld(http, "cronus", ended_at(http, token, generation))
    assert http.stack.model_calls(prompt) in {3, 4}, "a crash costs one more call at the most"


def test_calls_are_counted_over_a_wait_as_a_copy(http: Http) -> None:
    token = tenants.add(http, "relecloud", content_filter="required")
    prompt = f"[[status:429:1:90]] [[unfiltered]] {uuid4()}"
    generation = submitted(http, token, prompt)
    wait_for("the job to wait", lambda: receipt_of(http, "relecloud", generation)["scheduled_sequence_number"])
    http.stack.advance(90)
    check_withheld(http, "relecloud", ended_at(http, token, generation))
    assert http.stack.model_calls(prompt) == 3


def test_a_deployment_that_is_busy_does_not_hide_that_the_next_one_was_paid_for(http: Http) -> None:
    busy, next_one = "gpt-small-eu", "gpt-small-eu-2"
    token = tenants.add(http, "lamna", content_filter="required", models={"gpt-small": [busy, next_one]})
    prompt = f"[[unfiltered]] {uuid4()}"
    control = f"{http.stack.endpoints['openai']['control_url']}/faults"
    httpx2.post(control, json={"status": 429, "retry_after": 0, "deployment": busy}, timeout=10).raise_for_status()
    try:
        check_withheld(http, "lamna", finished(http, token, prompt))
    finally:
        httpx2.delete(control, timeout=10).raise_for_status()
    assert http.stack.model_calls(prompt) == 3 * 2


def test_a_policy_that_reports_on_the_filter_hands_out_what_it_never_saw_and_says_so(
    http: Http, tokens: dict[str, str]
) -> None:
    prompt = f"[[unfiltered]] {uuid4()}"
    ended = finished(http, tokens["alpine"], prompt)
    assert (ended["status"], ended["content_filter"]["outcome"]) == ("completed", "unfiltered")
    assert http.stack.model_calls(prompt) == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_receipt_counts_grounding_documents_whichever_way_they_came(http: Http, tokens: dict[str, str], count: int) -> None:
    grounding = [{"id": f"doc-{number}", "content": "…"} for number in range(count)]
    over_http, queued = (line(grounding=grounding, batch=f"counted-{way}-{count}") for way in ("http", "queue"))
    reply = http.call("POST", "/v1/generations", over_http, tenant=None, token=tokens["alpine"])
    http.stack.submit([{"tenant": "alpine", **queued}])
    [output] = http.stack.wait_for_outputs("alpine", queued["batch"], 1)
    for job_id in (reply.json["id"].removeprefix("gen_"), output["jobId"]):
        [receipt] = [found for found in http.stack.receipts("alpine") if found["jobId"] == job_id]
        assert receipt["grounding_documents"] == count


def test_a_role_that_only_the_token_has_opens_no_route_of_it(http: Http) -> None:
    token = tenants.add(http, "adventure", roles=["Lethe.Privacy"])
    reply = http.call("POST", "/v1/generations", line(), tenant=None, token=token)
    assert (reply.status, reply.json["code"]) == (403, "forbidden")
    assert http.stack.receipts("adventure") == []


def check_withheld(http: Http, tenant: str, ended: dict[str, Any]) -> None:
    """A completion that nobody got, of which generation and receipt tell why, after three rounds."""
    assert (ended["status"], ended["error"]["code"]) == ("failed", "content_filter_unavailable")
    assert (ended["response"], ended["content_filter"]["outcome"]) == (None, "unfiltered")
    receipt = receipt_of(http, tenant, ended["id"])
    result = receipt["result"]
    assert (result["error_code"], result["filter_outcome"]) == ("content_filter_unavailable", "unfiltered")
    assert (receipt["model_calls"], result["filter_codes"]) == (3, [])


def receipt_of(http: Http, tenant: str, generation: str) -> dict[str, Any]:
    [receipt] = http.documents("receipt", generation, tenant=tenant)
    return receipt


def finished(http: Http, token: str, prompt: str) -> dict[str, Any]:
    """Submit a prompt and return the generation once it has ended."""
    return ended_at(http, token, submitted(http, token, prompt))


def submitted(http: Http, token: str, prompt: str) -> str:
    reply = http.call("POST", "/v1/generations", line(prompt), tenant=None, token=token)
    assert reply.status == 202, reply.text
    return str(reply.json["id"])


def ended_at(http: Http, token: str, generation: str) -> dict[str, Any]:
    """Return the generation once it has ended."""

    def look() -> dict[str, Any] | None:
        reply = http.call("GET", f"/v1/generations/{generation}", tenant=None, token=token)
        shown: dict[str, Any] = reply.json
        return shown if shown["status"] not in {"queued", "in_progress"} else None

    return wait_for("the generation to end", look)


def rejected(stack: Stack, body: bytes) -> ServiceBusReceivedMessage | None:
    """The rejected message with this body."""
    found = (
        message for message in peek(stack, "generation-rejected") if b"".join(bytes(part) for part in message.body) == body
    )
    return next(found, None)


def replies(stack: Stack, message_id: str) -> list[ServiceBusReceivedMessage]:
    """Replies to a message."""
    return [message for message in peek(stack, REPLIES) if message.correlation_id == message_id]


def follow(stack: Stack) -> None:
    """Return when a message that was refused afterwards has had its reply."""
    later = f"after-{uuid4()}"
    stack.submit([{"tenant": "contoso", **line(), "url": "/v1/other"}], reply_to=REPLIES, message_id=later)
    wait_for("a later reply", lambda: replies(stack, later))


def peek(stack: Stack, queue: str) -> list[ServiceBusReceivedMessage]:
    """Messages of a queue with all that stands around them; they stay there."""
    connection = stack.endpoints["servicebus"]
    with ServiceBusClient.from_connection_string(connection) as bus, bus.get_queue_receiver(queue) as receiver:
        return receiver.peek_messages(100)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
