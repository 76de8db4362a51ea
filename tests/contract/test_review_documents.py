"""What holds, shorter policies, the timer and the inventory do with records for abuse review and alerts, on a real store."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

import pytest
from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure.counts import Counts
from shared.azure.due_documents import DueDocuments
from shared.azure.evidence import Evidence
from shared.azure.held_jobs import OF_REVIEW, HeldJobs
from shared.azure.holds import Holds
from shared.azure.kept_documents import OF_REVIEW as CLASSES
from shared.azure.kept_documents import KeptDocuments
from shared.domain.evidence import Chain, Record
from shared.domain.hold import DAY, Held, Hold, Scope, new_hold_id
from shared.domain.macs import Mac
from shared.domain.policy import TenantPolicy
from shared.domain.step_report import StepReport, Tally
from shared.errors import ManagementUnavailable, StoreUnavailable
from shared.patience import patience
from shared.privacy import hold_steps
from shared.privacy.due import settle_due
from shared.privacy.hold_marks import apply, count, lift
from shared.privacy.holding import Holding
from shared.privacy.shorten import Shortened, shorten
from shared.privacy.stocktaking import Stocktaking
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.contract.memory_signer import MemorySigner
from tests.policies import RETENTION, policy
from tests.review import alert, record

if TYPE_CHECKING:
    from shared.azure.keys import KeyStore
    from shared.azure.management import Management
    from shared.azure.policy_documents import PolicyDocuments

SOMEBODY, ANOTHER = Mac(kid="1", mac="1" * 64), Mac(kid="1", mac="2" * 64)
GRACE = 900
OPTED_OUT = {"mode": "opted_out", "approval": "A-1", "approved_on": "2026-01-01"}
CONTAINER = "abuse-monitoring"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The container, and everybody who works on it."""

    container: ContainerProxy
    generations: ContainerProxy
    holding: Holding
    due: DueDocuments
    kept: KeptDocuments

    async def put(self, document: dict[str, Any]) -> str:
        await self.container.create_item(document)
        return str(document["jobId"])

    async def record(self, subject: Mac | None = SOMEBODY, *, tenant: str = "contoso", **changes: Any) -> str:  # noqa: ANN401
        return await self.put(record(tenant, token_hex(20), subject, now=clock.now(), **changes))

    async def alert(self, subject: Mac | None = SOMEBODY, *, tenant: str = "contoso", **changes: Any) -> str:  # noqa: ANN401
        return await self.put(alert(tenant, subject, now=clock.now(), **changes))

    async def hold(self, *, days: float = 60, **scope: Any) -> Hold:  # noqa: ANN401
        """Store a hold, by default of the whole tenant."""
        hold = Hold(
            id=new_hold_id(),
            tenant_id="contoso",
            scope=scope.pop("scope", Scope.TENANT),
            case_reference="case-1",
            placed_at=clock.now(),
            placed_by="directory/client",
            ends_at=int(clock.now() + days * DAY),
            **scope,
        )
        await self.holding.holds.create(hold)
        return hold

    async def release(self, hold: Hold) -> Hold:
        now = clock.now()
        return await self.holding.holds.change(hold.id, lambda current: replace(current, released_at=now))

    async def stored(self) -> dict[str, dict[str, Any]]:
        """All documents, by their job's or their own id."""
        return {each["jobId"]: each async for each in self.container.query_items("SELECT * FROM c")}

    async def held_by(self, *ids: str) -> list[str | None]:
        stored = await self.stored()
        return [stored[one].get("held_by") for one in ids]

    async def delete_due(self) -> StepReport:
        """The timer's step."""
        tally = Tally(step="expired_abuse_records")
        may_go = partial(hold_steps.not_held, holding=self.holding, jobs=self.holding.review)
        await settle_due(self.due.expired, self.due.delete, may_go, clock.now, tally)
        return tally.report()

    async def shorten(self, chosen: TenantPolicy, *, limit: int = 1000) -> Shortened:
        return await shorten(chosen, self.kept, limit=limit)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("review")) as running:
        yield running


@pytest.fixture
async def desk(endpoint: Endpoint) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        container, generations, privacy, evidence = [
            await stack.enter_async_context(endpoint.container(name))
            for name in (CONTAINER, "generations", "privacy", "evidence")
        ]
        given: dict[str, Any] = {"clock": clock.now, "grace": GRACE}
        yield Desk(
            container=container,
            generations=generations,
            holding=Holding(
                holds=Holds(privacy, clock=clock.now),
                jobs=HeldJobs(generations, **given),
                review=HeldJobs(container, **given, root=OF_REVIEW),
                policies=cast("PolicyDocuments", None),
                keys=cast("KeyStore", None),
                evidence=Evidence(evidence, signer=MemorySigner(), clock=clock.now),
                clock=clock.now,
            ),
            due=DueDocuments(container, **given),
            kept=KeptDocuments(container, **given, classes=CLASSES),
        )
        endpoint.reset()
        for each in [each async for each in container.query_items("SELECT * FROM c")]:
            await container.delete_item(each["id"], [each["tenantId"], each["jobId"]])
        for name, part in ((privacy, "tenantId"), (evidence, "chain")):
            for each in [each async for each in name.query_items("SELECT * FROM c")]:
                await name.delete_item(each["id"], each[part])


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
