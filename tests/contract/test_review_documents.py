"""What the timer, shorter policies, the inventory and holds do with records for abuse review and alerts, on a real store."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest

from local import clock
from shared.azure.counts import Counts
from shared.domain.evidence import Chain, Record
from shared.domain.hold import DAY, Held, Scope
from shared.domain.step_report import Tally
from shared.errors import ManagementUnavailable, StoreUnavailable
from shared.patience import patience
from shared.privacy import hold_steps
from shared.privacy.hold_marks import apply, count, lift
from shared.privacy.shorten import Shortened
from shared.privacy.stocktaking import Stocktaking
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.policies import RETENTION, policy

if TYPE_CHECKING:
    from shared.azure.management import Management

from tests.contract.reviewing import ANOTHER, CONTAINER, GRACE, SOMEBODY, Desk, desk_on

OPTED_OUT = {"mode": "opted_out", "approval": "A-1", "approved_on": "2026-01-01"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("review")) as running:
        yield running


@pytest.fixture
async def desk(endpoint: Endpoint) -> AsyncIterator[Desk]:
    async with desk_on(endpoint) as ready:
        yield ready


async def test_past_the_deadline_all_is_deleted_and_measured_and_what_is_held_stays_sealed(desk: Desk) -> None:
    held, held_alert = await desk.record(kept=100), await desk.alert(kept=100)
    hold = await desk.hold(scope=Scope.SUBJECT, subjects=(SOMEBODY,))
    await apply(hold, desk.holding, limit=100)
    unmarked = await desk.record(kept=100)  # stored after the marks were made
    going = [await desk.record(ANOTHER, kept=100), await desk.alert(ANOTHER, kept=100), await desk.record(None, kept=100)]
    later = await desk.record(ANOTHER, kept=5000)
    before = await desk.stored()
    clock.advance(130)
    report = await desk.delete_due()
    assert (report.checked, report.found, report.deleted, report.overdue, report.complete) == (3, 3, 3, 0, True)
    assert report.oldest_overdue_seconds == pytest.approx(30, abs=5)
    stored = await desk.stored()
    assert stored.keys() == {held, held_alert, unmarked, later}
    assert not stored.keys() & {*going}
    assert stored[unmarked]["held_by"] == hold.id
    for one in (held, unmarked):
        same = ("ciphertext", "wrapped_key", "nonce", "key", "key_version", "sealed_until", "expires_at")
        assert [stored[one][name] for name in same] == [before[one][name] for name in same]
    counted = await hold_steps.count(desk.holding, "held_documents")
    assert (counted.checked, counted.found) == (3, 3)
    assert await count(hold, desk.holding) == Held(sealed_records=2, alerts=1, past_deadline=3)

    await desk.release(hold)
    assert (await desk.delete_due()).deleted == 0, "the marks stand until the timer takes them off"
    await hold_steps.mark(desk.holding, "holds", limit=100)
    assert (await desk.delete_due()).deleted == 3
    assert (await desk.stored()).keys() == {later}


async def test_a_record_that_is_written_while_it_is_deleted_is_overdue_and_a_store_that_is_away_is_no_zero(
    desk: Desk, endpoint: Endpoint
) -> None:
    await desk.record(kept=10)
    clock.advance(20)
    endpoint.fault(operation="delete", container=CONTAINER, status=412)
    report = await desk.delete_due()
    assert (report.found, report.deleted, report.overdue) == (1, 0, 1)
    endpoint.fault(operation="query", container=CONTAINER, status=503, count=100)
    with patience(0.2), pytest.raises(StoreUnavailable):
        await desk.delete_due()
    endpoint.reset()
    endpoint.fault(operation="delete", container=CONTAINER, drop_after_write=True)
    assert (await desk.delete_due()).overdue == 0
    assert await desk.stored() == {}


async def test_a_shorter_policy_brings_records_and_alerts_forward_and_leaves_what_is_sealed(desk: Desk) -> None:
    ids = [await desk.record(), await desk.alert()]
    short, elsewhere = await desk.record(kept=600), await desk.record(tenant="fabrikam")
    before = await desk.stored()
    shorter = policy(retention=RETENTION | {"abuse_record_seconds": 3600})
    assert await desk.kept.count(shorter) == {"abuse_record": 1, "abuse_alert": 1}
    assert await desk.shorten(shorter) == Shortened(found=2, shortened=2)
    assert await desk.shorten(shorter) == Shortened()
    stored = await desk.stored()
    for one in ids:
        assert stored[one]["expires_at"] == pytest.approx(before[one]["created_at"] + 3600)
        assert stored[one]["kept_seconds"] == 3600
        assert stored[one]["ttl"] <= 3600 + GRACE
        assert stored[one].get("sealed_until") == before[one].get("sealed_until")
    for one in (short, elsewhere):
        assert stored[one] == before[one]
    assert await desk.shorten(policy()) == Shortened(), "a longer one moves nothing"


async def test_off_leaves_what_is_there_until_its_clock(desk: Desk) -> None:
    await desk.record()
    before = await desk.stored()
    off = policy(abuse_monitoring={"mode": "off"})
    assert (await desk.kept.count(off))["abuse_record"] == 0
    assert await desk.shorten(off) == Shortened()
    assert await desk.stored() == before


async def test_opting_out_ends_all_records_and_alerts_of_the_tenant_at_once_but_for_holds(desk: Desk) -> None:
    going = [await desk.record(), await desk.alert(), await desk.record(kept=1)]
    elsewhere = await desk.record(tenant="fabrikam")
    hold = await desk.hold(scope=Scope.JOB, job_id=going[0])
    await apply(hold, desk.holding, limit=100)
    clock.advance(500)
    opted_out, before = policy(abuse_monitoring=OPTED_OUT), await desk.stored()
    assert await desk.kept.count(opted_out) == {"abuse_record": 2, "abuse_alert": 1}
    assert await desk.shorten(opted_out) == Shortened(found=3, shortened=3)
    assert await desk.shorten(opted_out) == Shortened()
    stored = await desk.stored()
    assert [stored[one]["expires_at"] <= clock.now() for one in going] == [True] * 3
    assert stored[going[2]]["expires_at"] == before[going[2]]["expires_at"], "a deadline only gets shorter"
    assert stored[going[0]]["_ts"] + stored[going[0]]["ttl"] > hold.ends_at
    report = await desk.delete_due()
    assert (report.deleted, report.overdue) == (2, 0)
    assert (await desk.stored()).keys() == {going[0], elsewhere}


async def test_nothing_is_late_because_a_tenant_opted_out(desk: Desk) -> None:
    await desk.record()
    clock.advance(10 * DAY)
    await desk.shorten(policy(abuse_monitoring=OPTED_OUT))
    report = await desk.delete_due()
    assert report.deleted == 1
    assert report.oldest_overdue_seconds < 5


async def test_a_hold_that_is_placed_while_a_policy_is_shortened_is_not_cut(desk: Desk) -> None:
    await desk.record()
    shorter = policy(retention=RETENTION | {"abuse_record_seconds": 60})
    stale = await desk.kept.too_long(shorter)
    hold = await desk.hold()
    await apply(hold, desk.holding, limit=100)
    assert [await desk.kept.shorten(kept, shorter) for kept in stale] == [False]
    await desk.shorten(shorter)
    [found] = (await desk.stored()).values()
    assert found["held_by"] == hold.id
    assert found["_ts"] + found["ttl"] > hold.ends_at


class _NoManagement:
    async def queues(self) -> Any:  # noqa: ANN401 - it never answers
        raise ManagementUnavailable


async def test_the_inventory_counts_records_and_alerts_in_their_own_container(desk: Desk, endpoint: Endpoint) -> None:
    await desk.record(created_at=clock.now() - 70)
    await desk.record(tenant="fabrikam")
    await desk.alert()
    stock = Stocktaking(
        counts=Counts(desk.generations),
        review_counts=Counts(desk.container),
        management=cast("Management", _NoManagement()),
        clock=clock.now,
    )
    tally = Tally(step="inventory")
    await stock.take(tally)
    assert stock.inventory is not None
    items = stock.inventory.items
    assert (items["abuse_record"].count, items["abuse_alert"].count, items["output"].count) == (2, 1, 0)
    assert items["abuse_record"].oldest_seconds == pytest.approx(70, abs=5)
    endpoint.fault(operation="query", container=CONTAINER, status=503, count=100)
    with patience(0.2):
        await stock.take(Tally(step="inventory"))
    assert stock.inventory.items.keys() == {"output", "receipt", "event"}, "what cannot be counted is missing, and never zero"


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
