"""Holds on a store with many jobs: what is marked, what is let go, and what the timer finds to forget meanwhile."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure.due_documents import Due
from shared.azure.evidence import Evidence
from shared.azure.held_jobs import OF_REVIEW, PAGE, HeldJobs
from shared.azure.holds import Holds
from shared.domain.hold import DAY, Held, Hold, Scope, new_hold_id
from shared.domain.macs import Mac
from shared.errors import NotFound, StoreUnavailable
from shared.privacy import hold_steps
from shared.privacy.hold_marks import Pass, apply, lift
from shared.privacy.holding import Holding
from tests.contract.cosmos import fresh_endpoint
from tests.contract.memory_signer import MemorySigner

if TYPE_CHECKING:
    from shared.azure.keys import KeyStore
    from shared.azure.policy_documents import PolicyDocuments

SOMEBODY = Mac(kid="2", mac="1" * 64)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Holds and jobs on a store of one test's own."""

    holding: Holding
    jobs: ContainerProxy
    review: ContainerProxy
    privacy: ContainerProxy
    evidence: ContainerProxy

    async def job(self, number: int, *, tenant: str = "contoso", subject: Mac | None = None, due: float = DAY) -> str:
        """Store the receipt of a job that ended; its content has the same deadline."""
        job_id, now = f"{number:040x}", clock.now()
        made = {"id": "receipt", "dataClass": "receipt", "tenantId": tenant, "jobId": job_id, "ttl": int(due) + 900}
        mac = subject and {"kid": subject.kid, "mac": subject.mac}
        times = {"expires_at": now + due, "content_expires_at": now + due}
        await self.jobs.create_item({**made, **times, "subject": mac, "deleted_at": None})
        return job_id

    async def hold(self, *, days: float = 60, tenant: str = "contoso", **scope: Any) -> Hold:  # noqa: ANN401
        """Store a hold, by default of the whole tenant."""
        hold = Hold(
            id=new_hold_id(),
            tenant_id=tenant,
            scope=scope.pop("scope", Scope.TENANT),
            case_reference="case-1",
            placed_at=clock.now(),
            placed_by="directory/client",
            ends_at=scope.pop("ends_at", int(clock.now() + days * DAY)),
            **scope,
        )
        await self.holding.holds.create(hold)
        return hold

    async def release(self, hold: Hold) -> Hold:
        now = clock.now()
        return await self.holding.holds.change(hold.id, lambda current: replace(current, released_at=now))

    async def held_by(self, job_id: str, *, tenant: str = "contoso") -> str | None:
        by: str | None = (await self.jobs.read_item("receipt", [tenant, job_id])).get("held_by")
        return by

    async def kinds(self) -> list[str]:
        query = "SELECT VALUE c.kind FROM c WHERE c.sequence > 0 ORDER BY c.sequence ASC"
        return [kind async for kind in self.evidence.query_items(query, partition_key="holds")]  # type: ignore[misc]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_endpoint(tmp_path) as endpoint:
        async with AsyncExitStack() as stack:
            jobs, review, privacy, evidence = [
                await stack.enter_async_context(endpoint.container(name))
                for name in ("generations", "abuse-monitoring", "privacy", "evidence")
            ]
            yield Desk(
                holding=Holding(
                    holds=Holds(privacy, clock=clock.now),
                    jobs=HeldJobs(jobs, clock=clock.now, grace=900),
                    review=HeldJobs(review, clock=clock.now, grace=900, root=OF_REVIEW),
                    policies=cast("PolicyDocuments", None),
                    keys=cast("KeyStore", None),
                    evidence=Evidence(evidence, signer=MemorySigner(), clock=clock.now),
                    clock=clock.now,
                ),
                jobs=jobs,
                review=review,
                privacy=privacy,
                evidence=evidence,
            )


async def test_a_hold_that_was_stored_is_found_as_it_was_and_ends_thirty_days_after_its_end(desk: Desk) -> None:
    hold = await desk.hold(scope=Scope.SUBJECT, subjects=(SOMEBODY, Mac(kid="1", mac="2" * 64)))
    await desk.hold(tenant="fabrikam")
    assert await desk.holding.holds.find(hold.id) == hold
    assert await desk.holding.holds.all("contoso") == [hold]
    assert len(await desk.holding.holds.all()) == 2
    assert (await desk.privacy.read_item(hold.id, "contoso"))["ttl"] == pytest.approx(90 * DAY, abs=3)
    with pytest.raises(NotFound):
        await desk.holding.holds.find(new_hold_id())


async def test_a_hold_that_cannot_be_read_is_no_reason_to_delete(desk: Desk) -> None:
    hold = await desk.hold()
    await desk.privacy.upsert_item({"id": hold.id, "kind": "hold", "tenantId": "contoso", "lifted_at": None})
    due = Due(document_id="output", tenant_id="fabrikam", job_id="a" * 40, etag="", since=0)
    for look in (desk.holding.holds.standing(), hold_steps.not_held([due], desk.holding, desk.holding.jobs)):
        with pytest.raises(StoreUnavailable):
            await look


async def test_more_jobs_than_a_page_are_marked_and_let_go_and_a_bound_is_kept(desk: Desk) -> None:
    jobs = [await desk.job(number) for number in range(PAGE + 20)]
    others = await desk.job(1, tenant="fabrikam")
    hold = await desk.hold()
    assert await apply(hold, desk.holding, limit=PAGE) == Pass(found=PAGE, settled=PAGE, complete=False)
    assert await desk.kinds() == []
    assert await apply(hold, desk.holding, limit=PAGE) == Pass(found=20, settled=20, complete=True)
    hold = await desk.holding.holds.find(hold.id)
    assert await apply(hold, desk.holding, limit=PAGE) == Pass(found=0, settled=0, complete=True)
    assert (hold.applied_until, await desk.kinds()) == (hold.ends_at, ["hold_applied"])
    assert await desk.holding.jobs.count(hold) == Held(jobs=len(jobs), past_deadline=0)
    assert await desk.held_by(others, tenant="fabrikam") is None

    released = await desk.release(hold)
    assert await lift(released, desk.holding, limit=PAGE) == Pass(found=PAGE, settled=PAGE, complete=False)
    assert await lift(released, desk.holding, limit=PAGE) == Pass(found=20, settled=20, complete=True)
    assert {await desk.held_by(job) for job in jobs} == {None}
    assert (await desk.holding.holds.find(hold.id)).lifted_at is None
    clock.advance(601)
    assert (await lift(released, desk.holding, limit=PAGE)).complete
    assert (await desk.holding.holds.find(hold.id)).lifted_at is not None
    assert await desk.holding.holds.standing() == []
    assert await desk.kinds() == ["hold_applied", "hold_lifted"]


async def test_a_subjects_jobs_are_found_under_every_key_and_nobody_elses(desk: Desk) -> None:
    before = Mac(kid="1", mac="2" * 64)
    mine = [await desk.job(1, subject=SOMEBODY), await desk.job(2, subject=before)]
    others = [await desk.job(3, subject=Mac(kid="1", mac="3" * 64)), await desk.job(4)]
    hold = await desk.hold(scope=Scope.SUBJECT, subjects=(SOMEBODY, before))
    await apply(hold, desk.holding, limit=PAGE)
    assert [await desk.held_by(job) for job in (*mine, *others)] == [hold.id, hold.id, None, None]


async def test_many_jobs_under_holds_with_the_same_end_are_let_go_by_one_and_held_by_the_other(desk: Desk) -> None:
    jobs = [await desk.job(number) for number in range(PAGE + 5)]
    first = await desk.hold()
    await apply(first, desk.holding, limit=1000)
    second = await desk.hold(ends_at=first.ends_at)
    assert (await apply(second, desk.holding, limit=1000)).found == 0
    released = await desk.release(first)
    assert await lift(released, desk.holding, limit=1000) == Pass(found=len(jobs), settled=len(jobs), complete=True)
    assert {await desk.held_by(job) for job in jobs} == {second.id}


async def test_the_timers_figures_are_of_jobs_not_as_the_holds_have_them(desk: Desk) -> None:
    await desk.job(1, due=10)
    await desk.job(2)
    await desk.job(3, tenant="fabrikam")
    await desk.hold()
    over = await desk.release(await desk.hold(tenant="fabrikam"))
    report = await hold_steps.mark(desk.holding, "holds", limit=1000)
    assert (report.checked, report.found, report.overdue, report.complete) == (2, 2, 0, True)
    clock.advance(20)
    counted = await hold_steps.count(desk.holding, "held_documents")
    assert (counted.checked, counted.found, counted.overdue, counted.complete) == (2, 1, 0, True)
    bounded = await hold_steps.mark(desk.holding, "holds", limit=0)
    assert (bounded.checked, bounded.complete) == (2, False)
    assert over.released_at is not None


async def test_what_is_due_before_it_was_marked_is_marked_and_not_deleted(desk: Desk) -> None:
    jobs = [await desk.job(number, subject=subject, due=10) for number, subject in enumerate((SOMEBODY, None))]
    hold = await desk.hold(scope=Scope.SUBJECT, subjects=(SOMEBODY,))
    clock.advance(20)
    dues = [Due(document_id="output", tenant_id="contoso", job_id=job, etag="", since=0) for job in (*jobs, "f" * 40)]
    assert await hold_steps.not_held(dues, desk.holding, desk.holding.jobs) == dues[1:]  # the last is of no job
    assert [await desk.held_by(job) for job in jobs] == [hold.id, None]
    await desk.release(hold)
    assert await hold_steps.not_held(dues, desk.holding, desk.holding.jobs) == dues
    assert await desk.held_by(jobs[0]) is None
