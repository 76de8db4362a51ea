"""What becomes of webhooks that are not accepted, hour by hour and day by day, with a clock that is moved."""

from collections.abc import Iterator
from itertools import pairwise

import openai
import pytest

from tests.system.stack import Stack, running_stack, wait_for
from tests.system.webhooks import COMPLETED, DAY, ENDED, GENERATED, MINUTE, PAUSES, Deliveries, Tenant, tenant_of

DISABLED = "webhook_endpoint.disabled"
SLACK = 20
"""Seconds by which an attempt may come later than its time, on a busy machine."""


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deliveries]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started, started.keeping_connections() as stack:
        yield Deliveries(stack=stack)


@pytest.fixture
def stack(deliveries: Deliveries) -> Stack:
    return deliveries.stack


@pytest.fixture
def tenant(deliveries: Deliveries) -> Iterator[Tenant]:
    yield from _cleaned(deliveries, "contoso")


@pytest.fixture
def short_lived(deliveries: Deliveries) -> Iterator[Tenant]:
    """The tenant whose outputs live ten seconds."""
    yield from _cleaned(deliveries, "adatum")


def test_a_failing_endpoint_is_tried_along_the_schedule_with_one_id_and_a_time_for_each_attempt(
    tenant: Tenant, deliveries: Deliveries
) -> None:
    endpoint = tenant.listens()
    tenant.receiver.answers(status=500, count=4)
    response = tenant.asks()
    deliveries.retry(tenant, 4)
    [delivery] = deliveries.settled(tenant, response).values()
    received = tenant.receiver.received()
    assert [each.answered for each in received] == [500, 500, 500, 500, 200]
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("delivered", 5, 200)
    assert len({(each.event_id, each.body) for each in received}) == 1
    assert len({(each.headers["webhook-timestamp"], each.headers["webhook-signature"]) for each in received}) == 5
    gaps = [after.received_at - before.received_at for before, after in pairwise(received)]
    assert all(pause <= gap < pause + SLACK for pause, gap in zip(PAUSES[:4], gaps, strict=True)), gaps
    for each in received:
        assert abs(each.received_at - int(each.headers["webhook-timestamp"])) < SLACK
        tenant.accepts(each, endpoint.signing_secret)


def test_a_retry_after_is_waited_for_when_it_is_longer_than_the_schedule(tenant: Tenant, deliveries: Deliveries) -> None:
    tenant.listens()
    tenant.receiver.answers(status=503, retry_after=60)
    postponed = tenant.asks("First.")
    deliveries.wait_until_all_wait()
    deliveries.stack.advance(PAUSES[0] + 1)
    tenant.asks("Second.")
    tenant.receiver.wait_for(2)
    deliveries.retry(tenant, 1)
    assert deliveries.settled(tenant, postponed)
    first, _, again = tenant.receiver.received()
    assert first.event_id == again.event_id
    assert 60 <= again.received_at - first.received_at < 60 + SLACK


def test_an_endpoint_that_says_gone_is_disabled_told_of_and_enabled_by_an_update(
    tenant: Tenant, deliveries: Deliveries
) -> None:
    gone = tenant.listens("gone", to=("response.failed",))
    tenant.listens("other", to=(DISABLED, COMPLETED))
    tenant.receiver.answers(status=410)
    failed = tenant.asks("[[block:hate]] One.")
    [told] = tenant.receiver.wait_for(1, "other")
    assert (told.event["type"], told.about) == (DISABLED, gone.id)
    [delivery] = deliveries.settled(tenant, failed).values()
    assert (delivery["state"], delivery["attempts"]) == ("disabled", 1)
    shown = tenant.openai.webhooks.retrieve(gone.id).to_dict()
    assert (shown["disabled_reason"], bool(shown["disabled_at"])) == ("gone", True)

    unheard = tenant.asks("[[block:hate]] Two.")
    wait_for("its end", lambda: tenant.openai.responses.retrieve(unheard.id).status == "failed")
    assert deliveries.of(tenant, unheard) == {}
    assert tenant.openai.webhooks.update(gone.id).to_dict()["disabled_at"] is None
    tenant.asks("[[block:hate]] Three.")
    assert [each.answered for each in tenant.receiver.wait_for(2, "gone")] == [410, 200]


def test_a_redirect_is_a_failure_and_is_not_followed(tenant: Tenant, deliveries: Deliveries) -> None:
    tenant.listens()
    tenant.receiver.answers(status=307, redirect=tenant.receiver.hook("elsewhere"))
    response = tenant.asks()
    deliveries.wait_until_all_wait()
    [delivery] = deliveries.of(tenant, response).values()
    assert (delivery["state"], delivery["last_status"]) == ("pending", 307)
    deliveries.retry(tenant, 1)
    deliveries.settled(tenant, response)
    assert [(each.name, each.answered) for each in tenant.receiver.received()] == [("main", 307), ("main", 200)]


def test_an_endpoint_that_is_deleted_while_an_attempt_waits_gets_nothing_more(tenant: Tenant, deliveries: Deliveries) -> None:
    endpoint = tenant.listens()
    tenant.receiver.answers(status=500)
    response = tenant.asks()
    deliveries.wait_until_all_wait()
    tenant.openai.webhooks.delete(endpoint.id)
    deliveries.retry(tenant, 1)
    assert [entry["state"] for entry in deliveries.settled(tenant, response).values()] == ["disabled"]
    assert len(tenant.receiver.received()) == 1


def test_a_rotated_secret_signs_beside_the_new_one_for_a_day(stack: Stack, tenant: Tenant) -> None:
    old = tenant.listens()
    new = tenant.openai.webhooks.rotate_secret(old.id, keep_old_secret_active_for_24_hours=True)
    tenant.asks("On the same day.")
    [both] = tenant.receiver.wait_for(1)
    assert len(both.signatures) == 2
    for secret in (old.signing_secret, new.signing_secret):
        tenant.accepts(both, secret)

    stack.advance(DAY + 1)
    tenant.asks("A day later.")
    [_, one] = tenant.receiver.wait_for(2)
    assert len(one.signatures) == 1
    tenant.accepts(one, new.signing_secret)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        tenant.accepts(one, old.signing_secret)


def test_an_endpoint_that_fails_for_three_days_is_disabled_and_the_others_are_told(
    tenant: Tenant, deliveries: Deliveries
) -> None:
    failing = tenant.listens("failing", url=f"{tenant.receiver.url}/nowhere")
    tenant.listens("other", to=(DISABLED,))
    response = tenant.asks()
    deliveries.retry(tenant, len(PAUSES))
    [told] = tenant.receiver.wait_for(1)
    assert (told.name, told.event["type"], told.about) == ("other", DISABLED, failing.id)
    [delivery] = deliveries.settled(tenant, response).values()
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("gave_up", 10, 404)
    shown = tenant.openai.webhooks.retrieve(failing.id).to_dict()
    assert (shown["disabled_reason"], bool(shown["disabled_at"])) == ("failing", True)


def test_a_job_that_the_timer_expired_is_announced_as_failed(stack: Stack, short_lived: Tenant) -> None:
    short_lived.listens(to=(*ENDED, *GENERATED))
    prompt = "[[status:429:9:90]] Too late."
    chat = {"model": "gpt-small", "messages": [{"role": "user", "content": prompt}]}
    response = short_lived.asks(prompt)
    envelope = {"tenant": "adatum", "custom_id": "late", "method": "POST", "url": "/v1/chat/completions", "body": chat}
    stack.submit([envelope])
    wait_for("both to have been asked", lambda: len(stack.receipts("adatum")) == 2)
    wait_for("both to be given up", lambda: not stack.peek("generation-requests"))
    stack.advance(10)
    wait_for("both to have ended", lambda: len(stack.events("adatum")) == 2)
    stack.advance(MINUTE + 1)
    received = short_lived.receiver.wait_for(2)
    assert sorted(each.event["type"] for each in received) == ["generation.failed", "response.failed"]
    assert response.id in {each.about for each in received}


def _cleaned(deliveries: Deliveries, name: str) -> Iterator[Tenant]:
    """A tenant that leaves nothing behind: no endpoint, no order at the receiver, no attempt that waits."""
    with tenant_of(deliveries.stack, name) as caller:
        yield caller
        caller.forgets_endpoints()
        caller.receiver.answers_well()
        deliveries.stack.advance(DAY)
        deliveries.wait_until_drained()
        caller.receiver.forget()
