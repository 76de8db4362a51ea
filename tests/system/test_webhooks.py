"""Every end of a job is announced: to whom, with what, and what it costs those who do not listen."""

import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.webhooks.webhook_endpoint_with_secret import WebhookEndpointWithSecret

from tests.system.stack import Stack, running_stack
from tests.system.webhooks import COMPLETED, ENDED, GENERATED, Tenant, tenant_of

PROMPTS = {
    "response.completed": "An answer, please.",
    "response.failed": "[[block:violence]] A prompt.",
    "response.incomplete": "[[block-completion:hate]] A prompt.",
    "response.cancelled": "[[delay:3000]] Never mind.",
}
URLS = {
    "https://elsewhere.example/hook": "url_host_not_allowed",
    "http://elsewhere.example/hook": "url_scheme",
    "https://169.254.169.254/metadata": "url_host",
    "https://someone:secret@localhost/hook": "url_userinfo",
    "http://localhost/hook?key=value": "url_query",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def tenant(stack: Stack) -> Iterator[Tenant]:
    with tenant_of(stack, "contoso") as caller:
        yield caller
        caller.forgets_endpoints()
        caller.receiver.answers_well()
        caller.receiver.forget()


def test_each_end_of_a_response_is_announced_by_an_event_that_the_openai_client_unwraps(tenant: Tenant) -> None:
    secret = tenant.listens().signing_secret
    ids = {event_type: tenant.asks(prompt).id for event_type, prompt in PROMPTS.items()}
    tenant.openai.responses.cancel(ids["response.cancelled"])
    received = tenant.receiver.wait_for(len(ids))
    events = [tenant.openai.webhooks.unwrap(each.body, each.headers, secret=secret) for each in received]
    assert {event.type: each.about for event, each in zip(events, received, strict=True)} == ids
    assert len({event.id for event in events}) == len(ids)
    for each, event in zip(received, events, strict=True):
        assert (each.event_id, each.method, each.headers["content-type"]) == (event.id, "POST", "application/json")


def test_a_webhook_tells_an_id_and_a_type_and_nothing_of_the_content(tenant: Tenant) -> None:
    tenant.listens()
    response = tenant.asks("A canary in a coal mine.", key="order-4711")
    [webhook] = tenant.receiver.wait_for(1)
    event = webhook.event
    assert set(event) == {"id", "object", "type", "created_at", "data"}
    assert (event["object"], event["type"], event["data"]) == ("event", COMPLETED, {"id": response.id})
    assert abs(time.time() - event["created_at"]) < 60
    assert "canary" not in str(webhook)
    assert "4711" not in str(webhook)


def test_a_webhook_that_was_changed_on_its_way_is_not_unwrapped(tenant: Tenant) -> None:
    secret = tenant.listens().signing_secret
    tenant.asks()
    [webhook] = tenant.receiver.wait_for(1)
    changed = webhook.body.replace("completed", "cancelled")
    with pytest.raises(openai.InvalidWebhookSignatureError):
        tenant.openai.webhooks.unwrap(changed, webhook.headers, secret=secret)


def test_only_endpoints_that_subscribed_to_the_type_hear_of_an_event(tenant: Tenant) -> None:
    tenant.listens("completed", to=(COMPLETED,))
    tenant.listens("failed", to=("response.failed",))
    tenant.listens("everything")
    completed, failed = tenant.asks().id, tenant.asks(PROMPTS["response.failed"]).id
    received = tenant.receiver.wait_for(4)
    assert sorted((each.name, each.about) for each in received) == sorted(
        [("completed", completed), ("failed", failed), ("everything", completed), ("everything", failed)]
    )
    assert len({each.event_id for each in received}) == 2


def test_no_tenant_hears_of_the_jobs_of_another(stack: Stack, tenant: Tenant) -> None:
    tenant.listens("mine")
    with tenant_of(stack, "fabrikam") as other:
        endpoint = other.listens("theirs")
        theirs, mine = other.asks().id, tenant.asks().id
        received = tenant.receiver.wait_for(2)
        assert {each.name: each.about for each in received} == {"mine": mine, "theirs": theirs}
        with pytest.raises(openai.NotFoundError):
            tenant.openai.webhooks.delete(endpoint.id)
        other.forgets_endpoints()


def test_a_job_of_the_queue_is_announced_as_one_of_http_is(stack: Stack, tenant: Tenant) -> None:
    tenant.listens(to=(*ENDED, *GENERATED))
    chat = {"model": "gpt-small", "messages": [{"role": "user", "content": "Good evening."}]}
    blocked = {**chat, "messages": [{"role": "user", "content": "[[block:hate]] Good evening."}]}
    jobs: dict[str, tuple[str, dict[str, Any]]] = {
        "response.completed": ("/v1/responses", {"model": "gpt-small", "input": "Good morning."}),
        "generation.completed": ("/v1/embeddings", {"model": "embed-small", "input": "Good night."}),
        "generation.failed": ("/v1/chat/completions", blocked),
        "generation.incomplete": ("/v1/chat/completions", {**chat, "messages": [_stopped("Good evening.")]}),
    }
    stack.submit(
        [
            {"tenant": "contoso", "batch": "heard", "custom_id": name, "method": "POST", "url": url, "body": body}
            for name, (url, body) in jobs.items()
        ]
    )
    received = tenant.receiver.wait_for(len(jobs))
    outputs = stack.wait_for_outputs("contoso", "heard", len(jobs))
    ids = {output["custom_id"]: output["jobId"] for output in outputs}
    assert {each.event["type"]: each.about for each in received} == {
        name: f"{'resp' if name.startswith('response') else 'gen'}_{job_id}" for name, job_id in ids.items()
    }


@pytest.mark.parametrize("url", URLS)
def test_an_endpoint_that_the_policy_or_the_guard_does_not_allow_is_refused_by_name(tenant: Tenant, url: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        tenant.listens(url=url)
    assert (refused.value.code, url in str(refused.value)) == (URLS[url], False)
    assert list(tenant.openai.webhooks.list()) == []


def test_a_deleted_endpoint_gets_nothing_and_the_others_go_on(tenant: Tenant) -> None:
    deleted, kept = tenant.listens("deleted"), tenant.listens("kept")
    tenant.openai.webhooks.delete(deleted.id)
    tenant.asks()
    tenant.receiver.wait_for(1, "kept")
    assert tenant.receiver.received("deleted") == []
    assert [endpoint.id for endpoint in tenant.openai.webhooks.list()] == [kept.id]


def test_a_test_event_is_signed_and_sent_at_once_and_five_a_minute_are_enough(tenant: Tenant) -> None:
    endpoint = tenant.listens()
    for _ in range(5):
        assert _tested(tenant, endpoint) == 200
    with pytest.raises(openai.RateLimitError) as refused:
        _tested(tenant, endpoint)
    assert refused.value.code == "too_many_tests"
    received = tenant.receiver.received()
    assert len(received) == len({each.event_id for each in received}) == 5
    for each in received:
        tenant.openai.webhooks.unwrap(each.body, each.headers, secret=endpoint.signing_secret)


def test_a_secret_that_is_rotated_without_overlap_signs_nothing_more(tenant: Tenant) -> None:
    endpoint = tenant.listens()
    rotated = tenant.openai.webhooks.rotate_secret(endpoint.id)
    tenant.asks()
    [webhook] = tenant.receiver.wait_for(1)
    assert len(webhook.signatures) == 1
    tenant.openai.webhooks.unwrap(webhook.body, webhook.headers, secret=rotated.signing_secret)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        tenant.openai.webhooks.unwrap(webhook.body, webhook.headers, secret=endpoint.signing_secret)


def test_the_secret_of_an_endpoint_is_shown_once(tenant: Tenant) -> None:
    endpoint = tenant.listens()
    shown = tenant.openai.webhooks.retrieve(endpoint.id).to_json() + tenant.openai.webhooks.list().to_json()
    assert endpoint.signing_secret not in shown
    assert endpoint.signing_secret.rstrip("=")[-4:] in shown


def _stopped(prompt: str) -> dict[str, str]:
    return {"role": "user", "content": f"[[block-completion:hate]] {prompt}"}


def _tested(tenant: Tenant, endpoint: WebhookEndpointWithSecret) -> int:
    return tenant.openai.webhooks.test(endpoint.id, event_type="response.completed").status_code
