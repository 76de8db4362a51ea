"""Holds of records for abuse review and alerts, on a real store: what they find, and what they count."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.domain.evidence import Chain, Record
from shared.domain.hold import Held, Scope
from shared.privacy import hold_steps
from shared.privacy.hold_marks import apply, count, lift
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.contract.reviewing import ANOTHER, Desk, desk_on


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("review")) as running:
        yield running


@pytest.fixture
async def desk(endpoint: Endpoint) -> AsyncIterator[Desk]:
    async with desk_on(endpoint) as ready:
        yield ready


async def test_a_hold_finds_records_by_tenant_subject_and_job_and_alerts_by_tenant_and_subject(desk: Desk) -> None:
    mine, my_alert = await desk.record(), await desk.alert()
    others, others_alert = await desk.record(ANOTHER), await desk.alert(ANOTHER)
    nobodys, elsewhere = await desk.record(None), await desk.record(tenant="fabrikam")
    everything = (mine, my_alert, others, others_alert, nobodys, elsewhere)

    of_job = await desk.hold(scope=Scope.JOB, job_id=mine, days=10)
    assert (await apply(of_job, desk.holding, limit=100)).settled == 1
    assert await desk.held_by(*everything) == [of_job.id, *[None] * 5]
    of_subject = await desk.hold(scope=Scope.SUBJECT, subjects=(ANOTHER,), days=20)
    assert (await apply(of_subject, desk.holding, limit=100)).settled == 2
    assert await count(of_subject, desk.holding) == Held(sealed_records=1, alerts=1)
    assert await desk.held_by(*everything) == [of_job.id, None, of_subject.id, of_subject.id, None, None]
    of_tenant = await desk.hold(days=30)
    assert (await apply(of_tenant, desk.holding, limit=100)).complete
    assert await desk.held_by(*everything) == [*[of_tenant.id] * 5, None]
    assert await count(of_tenant, desk.holding) == Held(sealed_records=3, alerts=2)

    stored = await desk.stored()
    assert all(stored[one]["_ts"] + stored[one]["ttl"] > of_tenant.ends_at for one in everything[:5])
    released = await desk.release(of_tenant)
    assert (await lift(released, desk.holding, limit=100)).settled == 5
    assert await desk.held_by(*everything) == [of_job.id, None, of_subject.id, of_subject.id, None, None]


async def test_evidence_of_a_hold_counts_records_and_alerts_apart_from_jobs(desk: Desk) -> None:
    await desk.record()
    await desk.alert()
    hold = await desk.hold()
    await apply(hold, desk.holding, limit=100)
    [applied] = [each async for each in desk.holding.evidence.read(Chain.HOLDS) if isinstance(each, Record)]
    counts = {name: applied.fields[name] for name in ("jobs", "sealed_records", "alerts", "past_deadline")}
    assert counts == {"jobs": 0, "sealed_records": 1, "alerts": 1, "past_deadline": 0}


async def test_more_than_a_bound_is_marked_in_the_next_run(desk: Desk) -> None:
    ids = [await desk.record() for _ in range(5)]
    hold = await desk.hold()
    first = await apply(hold, desk.holding, limit=0)
    assert (first.found, first.complete) == (0, False)
    assert (await desk.holding.holds.find(hold.id)).applied_until is None
    report = await hold_steps.mark(desk.holding, "holds", limit=100)
    assert (report.found, report.overdue, report.complete) == (5, 0, True)
    assert await desk.held_by(*ids) == [hold.id] * 5


async def test_a_record_outlives_its_job_and_can_still_be_held_by_its_name(desk: Desk) -> None:
    mine = await desk.record()
    assert await desk.holding.review.exists("contoso", mine)
    assert not await desk.holding.review.exists("fabrikam", mine)
    assert not await desk.holding.review.exists("contoso", await desk.alert())
