import pytest

from shared.delivery.announce import announce, reannounce
from shared.domain.step_report import StepReport, Tally
from shared.errors import QueueUnavailable
from tests.contract.webhooks import TENANT, Bench


async def test_the_timer_announces_what_nobody_announced_after_a_minute(desk: Bench) -> None:
    await desk.endpoint()
    job_id, _ = await desk.event()
    await _timer(desk)
    assert desk.queue.waiting == []
    desk.now.offset += 61
    report = await _timer(desk)
    assert (report.found, report.overdue, report.complete) == (1, 0, True)
    assert report.oldest_overdue_seconds > 0
    await desk.work()
    assert len(desk.receiver.received()) == 1
    assert (await desk.document(job_id))["attention_at"] is None
    assert (await _timer(desk)).checked == 0


async def test_the_timer_finds_an_announcement_that_crashed_before_its_messages_were_sent(desk: Bench) -> None:
    made = await desk.endpoint()
    job_id, event_id = await desk.event()
    desk.queue.fails = True
    with pytest.raises(ConnectionResetError):
        await announce(TENANT, job_id, desk.webhooks)
    desk.queue.fails = False
    desk.now.offset += 61
    assert (await _timer(desk)).found == 1
    assert [message.message_id for _, message in desk.queue.waiting] == [f"{event_id}.{made.endpoint.id}.1"]


async def test_the_timer_finds_a_retry_whose_message_was_lost(desk: Bench) -> None:
    await desk.endpoint()
    desk.receiver.answers(status=500)
    job_id, _ = await desk.event()
    await announce(TENANT, job_id, desk.webhooks)
    await desk.work()
    desk.queue.waiting.clear()
    desk.queue.forget_ids()
    desk.now.offset += 120
    assert (await _timer(desk)).found == 0
    desk.now.offset += 600
    assert (await _timer(desk)).found == 1
    await desk.work()
    assert (await desk.document(job_id))["attention_at"] is None
    assert len(desk.receiver.received()) == 2


async def test_a_queue_that_stays_away_fails_no_job_and_is_never_reported_as_nothing_to_do(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise QueueUnavailable

    await desk.endpoint()
    await desk.event()
    job_id, _ = await desk.event()
    with monkeypatch.context() as outage:
        outage.setattr(desk.queue, "send", away)
        await announce(TENANT, job_id, desk.webhooks)
        desk.now.offset += 120
        report = await _timer(desk)
        assert (report.checked, report.found, report.overdue, report.complete) == (2, 1, 1, False)
    desk.now.offset += 120
    report = await _timer(desk)
    assert (report.found, report.overdue, report.complete) == (2, 0, True)
    assert await desk.work() == 2


async def _timer(desk: Bench) -> StepReport:
    """Run the timer's step and return its report."""
    tally = Tally(step="undelivered_events")
    await reannounce(desk.webhooks, tally)
    return tally.report()
