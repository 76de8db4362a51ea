from dataclasses import replace

from shared.azure.events import Delivery, State
from shared.delivery.announce import announce
from tests.contract.webhooks import TENANT, Bench


async def test_an_attempt_that_another_worker_recorded_first_changes_nothing(desk: Bench) -> None:
    endpoint_id = (await desk.endpoint()).endpoint.id
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    event = await desk.webhooks.events.read(TENANT, job_id)
    assert event is not None
    first = Delivery(state=State.PENDING, attempts=1, last_status=500, next_at=desk.now() + 5)
    assert await desk.webhooks.events.record(event, endpoint_id, first)
    assert not await desk.webhooks.events.record(event, endpoint_id, replace(first, last_status=502))
    assert (await desk.document(job_id))["deliveries"][endpoint_id]["last_status"] == 500


async def test_what_is_settled_stays_settled(desk: Bench) -> None:
    endpoint_id = (await desk.endpoint()).endpoint.id
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    event = await desk.webhooks.events.read(TENANT, job_id)
    assert event is not None
    disabled = Delivery(state=State.DISABLED, attempts=0, last_status=None, next_at=None)
    assert await desk.webhooks.events.record(event, endpoint_id, disabled)
    late = Delivery(state=State.PENDING, attempts=1, last_status=500, next_at=desk.now() + 5)
    assert not await desk.webhooks.events.record(event, endpoint_id, late)
    stored = await desk.document(job_id)
    assert (stored["deliveries"][endpoint_id]["state"], stored["attention_at"]) == ("disabled", None)


async def test_an_event_past_its_deadline_is_not_read(desk: Bench) -> None:
    job_id, _ = await desk.event(lives=10.0)
    assert await desk.webhooks.events.read(TENANT, job_id)
    desk.now.offset += 11
    assert await desk.webhooks.events.read(TENANT, job_id) is None


async def test_every_write_keeps_the_deadline_and_renews_the_time_to_live(desk: Bench) -> None:
    """Cosmos counts ``ttl`` from the last write: one that did not shorten it would let the event outlive its deadline."""
    job_id, _ = await desk.event(lives=1000.0)
    before = await desk.document(job_id)
    desk.now.offset += 400
    await announce(TENANT, job_id, desk.webhooks)
    after = await desk.document(job_id)
    assert after["expires_at"] == before["expires_at"]
    assert 395 <= before["ttl"] - after["ttl"] <= 405
