"""Erasures of what is kept for abuse review, on a real store: records and alerts of a subject go, unless a hold keeps them."""

from typing import Any

import pytest

from shared.domain.erasure import Counts, State
from shared.domain.hold import Hold, Scope, new_hold_id
from tests.contract.cosmos import Endpoint
from tests.contract.erasing import ONE, SETTLE, TENANT, Bench

BOTH = Counts(sealed_records=1, alerts=1)
CONTAINER = "abuse-monitoring"


async def test_records_and_alerts_of_a_subject_go_with_its_jobs_and_are_counted_apart(eraser: Bench) -> None:
    job = await eraser.job()
    mine = [await eraser.record(), await eraser.record(), await eraser.alert()]
    erasure = await eraser.erase()
    assert (erasure.state, erasure.counts) == (State.SWEPT, ONE + BOTH + Counts(sealed_records=1))
    assert await eraser.reviewed(*mine) == [None] * 3
    assert len(await eraser.standing(job)) == 1
    await eraser.completed(erasure)
    [*_, (kind, fields)] = await eraser.evidence()
    assert (kind, fields["sealed_records"], fields["alerts"], fields["outputs"]) == ("erasure_completed", 2, 1, 1)


async def test_nothing_of_anybody_else_and_nothing_of_later_goes(eraser: Bench) -> None:
    others = [
        await eraser.record("user-43"),
        await eraser.record(None),
        await eraser.alert("user-43"),
        await eraser.record(created_at=eraser.now() + 60),
    ]
    before = await eraser.reviewed(*others)
    await eraser.erase()
    await eraser.run_timer()
    assert None not in before
    assert await eraser.reviewed(*others) == before


async def test_a_record_that_a_worker_stored_after_the_first_sweep_is_erased_by_the_last(eraser: Bench) -> None:
    admitted = eraser.now()
    erasure = await eraser.erase()
    late = await eraser.record(created_at=admitted)
    eraser.offset += SETTLE + 1
    await eraser.run_timer()
    assert await eraser.reviewed(late) == [None]
    found = await eraser.read(erasure)
    assert (found.state, found.counts) == (State.SWEPT, Counts(sealed_records=1))  # only a sweep that finds nothing ends it
    await eraser.run_timer()
    assert (await eraser.read(erasure)).state is State.COMPLETED


async def test_held_records_and_alerts_stay_sealed_and_unread_and_go_when_the_hold_ends(eraser: Bench) -> None:
    held: dict[str, Any] = {"held_until": eraser.now() + 1000, "held_by": new_hold_id()}
    ids = [await eraser.record(**held), await eraser.alert(**held)]
    before = await eraser.reviewed(*ids)
    erasure = await eraser.erase()
    assert (erasure.counts, erasure.held.documents, erasure.held.until) == (Counts(), 2, held["held_until"])
    for now, then in zip(await eraser.reviewed(*ids), before, strict=True):
        assert now is not None
        assert then is not None
        assert now["expires_at"] <= eraser.now()
        assert now["ttl"] > 900, "the store would delete it before the hold ends"
        assert (now.get("ciphertext"), now.get("sealed_until")) == (then.get("ciphertext"), then.get("sealed_until"))
    eraser.offset += SETTLE + 1
    await eraser.run_timer()
    await eraser.run_timer()
    assert (await eraser.read(erasure)).state is State.DEFERRED
    eraser.offset += 1000
    await eraser.run_timer()
    await eraser.run_timer()
    done = await eraser.read(erasure)
    assert (done.state, done.counts, await eraser.reviewed(*ids)) == (State.COMPLETED, BOTH, [None, None])


async def test_a_hold_that_was_placed_a_moment_ago_wins_before_it_has_marked_anything(eraser: Bench) -> None:
    ids = [await eraser.record(), await eraser.alert()]
    hold = Hold(
        id=new_hold_id(),
        tenant_id=TENANT,
        scope=Scope.SUBJECT,
        subjects=(await eraser.mac(),),
        case_reference="case-1",
        placed_at=eraser.now(),
        placed_by="directory/client",
        ends_at=int(eraser.now()) + 1000,
    )
    await eraser.holds().create(hold)
    assert (await eraser.erase()).held.documents == 2
    assert [each and each["held_by"] for each in await eraser.reviewed(*ids)] == [hold.id] * 2


async def test_what_a_backup_brings_back_is_erased_again(eraser: Bench) -> None:
    ids = [await eraser.record(), await eraser.alert()]
    backup = await eraser.reviewed(*ids)
    erasure = await eraser.completed(await eraser.erase())
    for document in backup:
        assert document is not None
        await eraser.container(CONTAINER).upsert_item(document)
    report = await eraser.run_timer()
    assert (report.found, report.deleted, report.complete) == (2, 2, True)
    assert (await eraser.read(erasure)).re_erased == BOTH
    assert await eraser.reviewed(*ids) == [None, None]
    [*_, (kind, fields)] = await eraser.evidence()
    assert (kind, fields["sealed_records"], fields["alerts"]) == ("re_erased", 1, 1)


@pytest.mark.parametrize(
    "fault", [{"operation": "batch", "status": 503, "count": 100}, {"operation": "query", "status": 503, "count": 100}]
)
async def test_while_the_records_cannot_be_reached_the_erasure_is_not_done(
    eraser: Bench, erasure_store: Endpoint, fault: dict[str, object]
) -> None:
    job, mine = await eraser.job(), await eraser.record()
    erasure_store.fault(container=CONTAINER, **fault)
    erasure = await eraser.erase()
    assert erasure.state is State.PENDING
    assert len(await eraser.standing(job)) == 1
    erasure_store.reset()
    assert await eraser.reviewed(mine) != [None]
    await eraser.run_timer()
    assert (await eraser.completed(erasure)).state is State.COMPLETED
    assert await eraser.reviewed(mine) == [None]


async def test_a_deletion_whose_answer_is_lost_is_made(eraser: Bench, erasure_store: Endpoint) -> None:
    mine = await eraser.record()
    erasure_store.fault(operation="batch", container=CONTAINER, drop_after_write=True)
    erasure = await eraser.erase()
    erasure_store.reset()
    assert await eraser.reviewed(mine) == [None]
    assert (await eraser.completed(erasure)).state is State.COMPLETED


async def test_of_records_an_export_tells_how_many_there_are_and_when_the_last_one_ends(eraser: Bench) -> None:
    subjects = [await eraser.mac()]
    sealed = eraser.erasing().review.documents
    assert vars(await sealed.sealed(TENANT, subjects)) == {"count": 0, "expires_at": None}
    now = eraser.now()
    for ends in (now + 100, now + 900, now + 500, now - 5):
        await eraser.record(expires_at=ends)
    await eraser.record("user-43", expires_at=now + 5000)
    await eraser.alert(expires_at=now + 6000)
    assert vars(await sealed.sealed(TENANT, subjects)) == {"count": 3, "expires_at": now + 900}
