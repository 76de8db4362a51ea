import json

import pytest
from standardwebhooks import Webhook

from shared.delivery.announce import announce
from shared.delivery.deliver import deliver
from shared.delivery.endpoints import delete_endpoint, rotate_secret
from tests.contract.webhooks import TENANT, TYPE, Bench

DAY = 86_400.0


async def test_every_endpoint_that_listens_gets_the_event_once_with_a_signature_of_its_own(desk: Bench) -> None:
    made = {name: await desk.endpoint(name=name) for name in ("a", "b")}
    await desk.endpoint("response.failed", name="deaf")
    job_id, event_id = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    assert sorted(message.message_id for _, message in desk.queue.waiting) == sorted(
        f"{event_id}.{with_secret.endpoint.id}.1" for with_secret in made.values()
    )
    assert await desk.work() == 2
    received = desk.receiver.received()
    assert sorted(each["name"] for each in received) == ["a", "b"]
    for each in received:
        event = Webhook(made[each["name"]].secret).verify(each["body"], each["headers"])
        assert event == {**event, "id": event_id, "type": TYPE, "data": {"id": f"resp_{job_id}"}}
    stored = await desk.document(job_id)
    assert {entry["state"] for entry in stored["deliveries"].values()} == {"delivered"}
    assert stored["attention_at"] is None


async def test_an_event_that_nobody_listens_to_is_settled_at_once(desk: Bench) -> None:
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    stored = await desk.document(job_id)
    assert stored["announced_at"] is not None
    assert (stored["deliveries"], stored["attention_at"], desk.queue.waiting) == ({}, None, [])


async def test_announcing_twice_delivers_once(desk: Bench) -> None:
    await desk.endpoint()
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    await announce(TENANT, job_id, desk.webhooks)
    assert await desk.work() == 1
    assert await desk.work() == 0


async def test_a_message_that_comes_twice_is_posted_once(desk: Bench) -> None:
    await desk.endpoint()
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    (message,) = desk.queue.take()
    await deliver(message.body, desk.webhooks)
    await deliver(message.body, desk.webhooks)
    assert len(desk.receiver.received()) == 1


async def test_a_failed_attempt_is_repeated_by_a_scheduled_message_with_the_same_id_and_a_new_timestamp(desk: Bench) -> None:
    made = await desk.endpoint()
    desk.receiver.answers(status=500, count=1)
    job_id, event_id = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    await desk.work()
    ((at, message),) = desk.queue.waiting
    assert message.message_id == f"{event_id}.{made.endpoint.id}.2"
    assert 4 < at - desk.now() <= 5
    entry = (await desk.document(job_id))["deliveries"][made.endpoint.id]
    assert (entry["state"], entry["attempts"], entry["last_status"]) == ("pending", 1, 500)
    desk.now.offset += 5
    await desk.work()
    first, second = (each["headers"] for each in desk.receiver.received())
    assert first["webhook-id"] == second["webhook-id"] == event_id
    assert int(second["webhook-timestamp"]) >= int(first["webhook-timestamp"]) + 5
    assert (await desk.document(job_id))["deliveries"][made.endpoint.id]["state"] == "delivered"
    assert (await desk.endpoint_document(made.endpoint.id))["failing_since"] is None


async def test_retry_after_is_honoured(desk: Bench) -> None:
    await desk.endpoint()
    desk.receiver.answers(status=503, count=1, retry_after=90)
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    await desk.work()
    ((at, _message),) = desk.queue.waiting
    assert 88 < at - desk.now() <= 90


async def test_a_redirect_is_a_failure_and_not_followed(desk: Bench) -> None:
    await desk.endpoint()
    desk.receiver.answers(redirect=desk.receiver.url("elsewhere"))
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    await desk.work()
    assert [each["name"] for each in desk.receiver.received()] == ["a"]
    assert len(desk.queue.waiting) == 1


async def test_a_crash_after_the_record_schedules_the_next_attempt_when_the_message_comes_again(desk: Bench) -> None:
    await desk.endpoint()
    desk.receiver.answers(status=500, count=1)
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    (message,) = desk.queue.take()
    desk.queue.fails = True
    with pytest.raises(ConnectionResetError):
        await deliver(message.body, desk.webhooks)
    desk.queue.fails = False
    await deliver(message.body, desk.webhooks)
    await deliver(message.body, desk.webhooks)
    assert len(desk.receiver.received()) == 1
    assert [each.message_id[-2:] for _, each in desk.queue.waiting] == [".2"]


async def test_the_whole_schedule_ends_with_a_disabled_endpoint_and_one_event_to_the_others(desk: Bench) -> None:
    failing = await desk.endpoint()
    await desk.endpoint("webhook_endpoint.disabled", name="other")
    desk.receiver.answers(status=500, count=10)
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    for _ in range(10):
        assert await desk.work() == 1
        desk.now.offset += max(0.0, desk.queue.waiting[0][0] - desk.now()) if desk.queue.waiting else 0
    assert (await desk.document(job_id))["deliveries"][failing.endpoint.id]["state"] == "gave_up"
    assert (await desk.endpoint_document(failing.endpoint.id))["disabled_reason"] == "failing"
    await desk.work()
    (told,) = [each for each in desk.receiver.received() if each["name"] == "other"]
    event = json.loads(told["body"])
    assert (event["type"], event["data"]["id"]) == ("webhook_endpoint.disabled", failing.endpoint.id)
    assert told["headers"]["webhook-id"] == event["id"]


async def test_410_disables_at_once_and_what_waits_goes_nowhere(desk: Bench) -> None:
    made = await desk.endpoint()
    desk.receiver.answers(status=410)
    jobs = [(await desk.event())[0] for _ in range(2)]
    for job_id in jobs:
        await announce(TENANT, job_id, desk.webhooks)
    await desk.work()
    assert len(desk.receiver.received()) == 1
    assert (await desk.endpoint_document(made.endpoint.id))["disabled_reason"] == "gone"
    states = [(await desk.document(job_id))["deliveries"][made.endpoint.id]["state"] for job_id in jobs]
    assert states == ["disabled", "disabled"]
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    assert desk.queue.waiting == []


async def test_a_deleted_endpoint_gets_nothing_more(desk: Bench) -> None:
    made = await desk.endpoint()
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    await delete_endpoint(TENANT, made.endpoint.id, desk.webhooks)
    await desk.work()
    assert desk.receiver.received() == []
    assert (await desk.document(job_id))["deliveries"][made.endpoint.id]["state"] == "disabled"


async def test_a_host_that_the_policy_no_longer_allows_is_not_called(desk: Bench) -> None:
    await desk.endpoint()
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    desk.policies.hosts = ("example.com",)
    await desk.work()
    assert desk.receiver.received() == []
    assert len(desk.queue.waiting) == 1


async def test_both_secrets_sign_for_a_day_after_a_rotation_that_keeps_the_old(desk: Bench) -> None:
    made = await desk.endpoint()
    rotated = await rotate_secret(TENANT, made.endpoint.id, keep_old=True, webhooks=desk.webhooks)
    signatures = []
    for hours in (0, 25):
        desk.now.offset = hours * 3600.0
        job_id, _ = await desk.event()
        await announce(TENANT, job_id, desk.webhooks)
        await desk.work()
        received = desk.receiver.received()[-1]
        signatures.append(received["headers"]["webhook-signature"].split())
        if not hours:
            for secret in (made.secret, rotated.secret):
                Webhook(secret).verify(received["body"], received["headers"])
    assert [len(each) for each in signatures] == [2, 1]


async def test_an_attempt_that_would_come_after_the_event_s_deadline_is_not_made(desk: Bench) -> None:
    made = await desk.endpoint()
    desk.receiver.answers(status=500)
    job_id, _ = await desk.event(lives=4.0)
    await announce(TENANT, job_id, desk.webhooks)
    await desk.work()
    assert (await desk.document(job_id))["deliveries"][made.endpoint.id]["state"] == "gave_up"
    assert desk.queue.waiting == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"tenant": "contoso", "job_id": "x", "event_id": "y", "endpoint_id": "z"}',
        json.dumps(
            {"tenant": "contoso", "job_id": "a" * 40, "event_id": "evt_" + "b" * 32, "endpoint_id": "we_x' OR 1=1"}
        ).encode(),
        json.dumps({"tenant": 1, "job_id": "a" * 40, "event_id": "evt_" + "b" * 32, "endpoint_id": "we_" + "c" * 32}).encode(),
    ],
)
async def test_a_message_that_is_not_ours_is_dropped_by_its_code(
    body: bytes, desk: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="lethe"):
        await deliver(body, desk.webhooks)
    assert [json.loads(record.getMessage()) for record in caplog.records] == [{"event": "webhook_message_unreadable"}]


async def test_an_event_that_is_no_more_is_skipped(desk: Bench) -> None:
    body = {"tenant": TENANT, "job_id": "a" * 40, "event_id": "evt_" + "b" * 32, "endpoint_id": "we_" + "c" * 32}
    await deliver(json.dumps(body).encode(), desk.webhooks)
    assert desk.receiver.received() == []
