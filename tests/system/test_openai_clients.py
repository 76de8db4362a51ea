"""The official OpenAI clients, unmodified, at Lethe's OpenAI-compatible face."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import openai
import pytest
from openai import OpenAI

from tests.contract.javascript import run
from tests.system.http import TERMINAL, received
from tests.system.openai_clients import SMALL, Counted, async_client, base_url, counted, ended
from tests.system.stack import Stack, running_stack, wait_for


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("clients")) as running:
        yield running


@pytest.fixture
def used(stack: Stack) -> Iterator[Counted]:
    with counted(stack) as made:
        yield made


@pytest.fixture
def client(used: Counted) -> OpenAI:
    return used.client


def test_a_response_is_created_polled_and_deleted(client: OpenAI) -> None:
    created = client.responses.create(**SMALL, input="Say it again.", metadata={"order": "17"})
    assert created.status in {"queued", "in_progress"}
    assert (created.id[:5], created.object, created.background, created.model) == ("resp_", "response", True, "gpt-small")
    done = ended(client, created)
    assert (done.id, done.status, done.error) == (created.id, "completed", None)
    assert "Say it again." in done.output_text
    assert (done.metadata, created.metadata) == ({"order": "17"}, {"order": "17"})
    assert done.usage is not None
    assert done.usage.total_tokens == done.usage.input_tokens + done.usage.output_tokens
    assert client.responses.cancel(created.id).status == "completed"
    client.responses.delete(created.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(created.id)


async def test_the_asynchronous_client_does_the_same(stack: Stack) -> None:
    async with async_client(stack) as client:
        created = await client.responses.create(**SMALL, input="Asynchronously.")
        until = time.monotonic() + 30
        while (done := await client.responses.retrieve(created.id)).status not in TERMINAL:
            assert time.monotonic() < until
        assert "Asynchronously." in done.output_text
        assert [model.id async for model in client.models.list()] == ["embed-small", "gpt-small"]
        await client.responses.delete(created.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(created.id)


def test_the_models_are_the_aliases_of_the_tenant(client: OpenAI) -> None:
    assert [(model.id, model.object) for model in client.models.list()] == [("embed-small", "model"), ("gpt-small", "model")]


@pytest.mark.parametrize(
    ("prompt", "status", "code"),
    [
        ("[[block:violence]]", "failed", "content_filter"),
        ("[[echo-error]]", "failed", "model_rejected_request"),
        ("[[block-completion:hate]]", "incomplete", None),
        ("Anything else.", "completed", None),
    ],
)
def test_every_outcome_is_a_status_of_openais(client: OpenAI, prompt: str, status: str, code: str | None) -> None:
    done = ended(client, client.responses.create(**SMALL, input=prompt))
    assert (done.status, done.error.code if done.error else None) == (status, code)
    reason = done.incomplete_details.reason if done.incomplete_details else None
    assert reason == ("content_filter" if status == "incomplete" else None)


def test_a_running_response_is_cancelled(client: OpenAI) -> None:
    created = client.responses.create(**SMALL, input="[[delay:3000]]")
    cancelled = client.responses.cancel(created.id)
    assert (cancelled.status, cancelled.output, cancelled.error) == ("cancelled", [], None)
    assert client.responses.retrieve(created.id) == cancelled


def test_the_key_is_the_idempotency_key_else_the_label_else_random(client: OpenAI) -> None:
    def create(key: str | None = None, label: str | None = None) -> str:
        metadata = {"custom_id": label} if label else None
        headers = {"Idempotency-Key": key} if key else None
        return str(client.responses.create(**SMALL, input="One key.", metadata=metadata, extra_headers=headers).id)

    key, label = str(uuid4()), str(uuid4())
    assert create(key) == create(key)
    assert create(label=label) == create(label=label)
    assert create(label, label) == create(label, label) == create(label=label)
    assert create(str(uuid4()), label) != create(label=label)
    assert len({create(), create(), create(str(uuid4())), create(label=str(uuid4()))}) == 4


def test_a_conflict_is_not_retried(used: Counted) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    used.client.responses.create(**SMALL, input="One.", extra_headers=headers)
    before = len(used.sent)
    with pytest.raises(openai.ConflictError) as conflict:
        used.client.responses.create(**SMALL, input="Another.", extra_headers=headers)
    assert len(used.sent) - before == 1
    assert (conflict.value.code, conflict.value.type) == ("conflict", "invalid_request_error")


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"background": False}, "unsupported_value", "background"),
        ({"background": None}, "missing_field", "background"),
        ({"background": openai.omit}, "missing_field", "background"),
        ({"stream": True}, "unsupported_value", "stream"),
        ({"previous_response_id": "resp_1"}, "unsupported_field", "previous_response_id"),
        ({"conversation": "conv_1"}, "unsupported_field", "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "unsupported_field", "prompt"),
        ({"tools": [{"type": "web_search"}]}, "unsupported_value", "tools[0].type"),
        ({"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}, "unsupported_value", "tools[0].type"),
        ({"tools": [{"type": "mcp", "server_label": "s"}]}, "unsupported_value", "tools[0].type"),
        ({"model": "gpt-unknown"}, "unknown_model", "model"),
        ({"model": openai.omit}, "missing_field", "model"),
        ({"max_output_tokens": 0}, "invalid_value", "max_output_tokens"),
        ({"extra_body": {"surprise": 1}}, "unknown_field", None),
    ],
)
def test_what_is_not_served_is_a_bad_request_that_names_the_parameter(
    used: Counted, change: dict[str, Any], code: str, param: str | None
) -> None:
    arguments: dict[str, Any] = {**SMALL, "input": "Not served.", **change}
    with pytest.raises(openai.BadRequestError) as refused:
        used.client.responses.create(**arguments)
    assert (refused.value.code, refused.value.param, refused.value.type) == (code, param, "invalid_request_error")
    assert len(used.sent) == 1


def test_a_stream_of_a_stored_response_is_refused(client: OpenAI) -> None:
    created = client.responses.create(**SMALL, input="No stream.")
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.retrieve(created.id, stream=True)
    assert (refused.value.code, refused.value.param) == ("unsupported_value", "stream")


def test_wrong_credentials_and_unknown_ids_are_errors_of_their_classes(stack: Stack, client: OpenAI) -> None:
    for unknown in ("resp_unknown", "gen_" + "0" * 40, "resp_" + "0" * 40):
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(unknown)
        with pytest.raises(openai.NotFoundError):
            client.responses.delete(unknown)
    with OpenAI(base_url=base_url(stack), api_key="sk-not-a-token") as stranger, pytest.raises(openai.AuthenticationError):
        stranger.models.list()
    with counted(stack, tenant="operator") as operator, pytest.raises(openai.PermissionDeniedError):
        operator.client.models.list()
    with counted(stack, tenant="fabrikam") as other, pytest.raises(openai.NotFoundError):
        other.client.responses.cancel(client.responses.create(**SMALL, input="Mine.").id)


def test_webhook_endpoints_are_managed_and_what_they_get_is_unwrapped(stack: Stack, client: OpenAI) -> None:
    url = f"{stack.endpoints['webhook_receiver']}/hooks/python"
    made = client.webhooks.create(name="python", url=url, event_types=["response.completed", "response.failed"])
    assert client.webhooks.retrieve(made.id).name == "python"
    assert made.id in [endpoint.id for endpoint in client.webhooks.list(limit=5)]
    changed = client.webhooks.update(made.id, name="renamed", event_types=["response.completed"])
    assert (changed.name, changed.event_types) == ("renamed", ["response.completed"])

    tested = client.webhooks.test(made.id, event_type="response.completed")
    assert (tested.status_code, tested.success, tested.webhook_endpoint_id) == (200, True, made.id)
    [sample] = unwrapped(stack, client, made.signing_secret)
    assert sample.type == "response.completed"

    rotated = client.webhooks.rotate_secret(made.id, keep_old_secret_active_for_24_hours=True)
    assert rotated.signing_secret != made.signing_secret
    done = ended(client, client.responses.create(**SMALL, input="Tell me."))
    for secret in (rotated.signing_secret, made.signing_secret):
        told = wait_for("the webhook", lambda: unwrapped(stack, client, secret, since=1))  # noqa: B023
        assert [(event.type, event.data.id) for event in told] == [("response.completed", done.id)]
    with pytest.raises(openai.InvalidWebhookSignatureError):
        unwrapped(stack, client, "whsec_" + "A" * 43 + "=")

    assert client.webhooks.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.webhooks.retrieve(made.id)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "http://169.254.169.254/latest"}, "url_scheme"),
        ({"url": "https://example.com/hook"}, "url_host_not_allowed"),
        ({"event_types": ["batch.completed"]}, "event_types_invalid"),
        ({"name": ""}, "name_invalid"),
    ],
)
def test_a_webhook_endpoint_that_is_not_allowed_is_a_bad_request(
    stack: Stack, used: Counted, change: dict[str, Any], code: str
) -> None:
    wanted = {"name": "n", "url": stack.endpoints["webhook_receiver"] + "/hooks/n", "event_types": ["response.completed"]}
    with pytest.raises(openai.BadRequestError) as refused:
        used.client.webhooks.create(**{**wanted, **change})
    assert refused.value.code == code
    assert len(used.sent) == 1


def test_the_javascript_client_does_all_of_this(stack: Stack) -> None:
    seen = run(
        "openai.mjs",
        BASE_URL=base_url(stack),
        TOKEN=stack.endpoints["tokens"]["contoso"],
        RECEIVER=stack.endpoints["webhook_receiver"],
    )
    assert seen == {
        "models": ["embed-small", "gpt-small"],
        "created": {"status": "queued", "metadata": {"order": "18"}},
        "completed": {"status": "completed", "repeats": True, "metadata": {"order": "18"}},
        "filtered": {"status": "failed", "code": "content_filter"},
        "incomplete": {"status": "incomplete", "reason": "content_filter"},
        "cancelled": {"status": "cancelled", "output": 0},
        "sameKey": True,
        "conflict": {"name": "ConflictError", "code": "conflict", "requests": 1},
        "background": {"name": "BadRequestError", "code": "unsupported_value", "param": "background"},
        "stream": {"name": "BadRequestError", "code": "unsupported_value", "param": "stream"},
        "tools": {"name": "BadRequestError", "code": "unsupported_value", "param": "tools[0].type"},
        "deleted": {"name": "NotFoundError", "code": "not_found", "param": None},
        "stranger": {"name": "AuthenticationError", "code": "unauthenticated", "param": None},
        "endpoint": {"listed": True, "renamed": "renamed", "test": 200, "rotated": True},
        "unwrapped": {"type": "response.completed", "isOurs": True},
        "forged": "InvalidWebhookSignatureError",
        "endpointDeleted": {"name": "NotFoundError", "code": "not_found", "param": None},
    }


def test_a_response_past_its_deadline_is_410(stack: Stack) -> None:
    """The last test here: the clock moves on by a day."""
    with counted(stack) as before:
        created = before.client.responses.create(**SMALL, input="Until tomorrow.")
        assert ended(before.client, created).status == "completed"
        waiting = before.client.responses.create(**SMALL, input="[[status:429:9:90000]]")
    old = stack.endpoints["tokens"]["contoso"]
    stack.advance(24 * 3600 + 1)
    wait_for("fresh tokens", lambda: stack.endpoints["tokens"]["contoso"] != old)
    with counted(stack) as after:
        for identity in (created.id, waiting.id):
            with pytest.raises(openai.APIStatusError) as gone:
                after.client.responses.retrieve(identity)
            assert (gone.value.status_code, gone.value.code) == (410, "gone")
        assert len(after.sent) == 2


def unwrapped(stack: Stack, client: OpenAI, secret: str, *, since: int = 0) -> list[Any]:
    """Events that the Python endpoint got, after the first ``since``, as its owner reads them."""
    reports = [report for report in received(stack) if report["name"] == "python"][since:]
    return [client.webhooks.unwrap(report["body"], report["headers"], secret=secret) for report in reports]
