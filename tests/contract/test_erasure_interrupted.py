"""Erasures that are interrupted: by a crash at each step, by outages, by workers and by others who ask for the same."""

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from shared.azure.documents import to_receipt
from shared.azure.generations import Generations
from shared.azure.subject_documents import SubjectDocuments
from shared.domain.erasing import Plan
from shared.domain.erasure import Counts, State
from shared.errors import LeaseLost, StoreUnavailable, WriteConflict
from shared.generation.copies import schedule_copy
from shared.generation.delivery import Delivery
from shared.patience import patience
from tests.contract.cosmos import Endpoint
from tests.contract.erasing import ONE, SETTLE, Bench, Copies

if TYPE_CHECKING:
    from shared.generation.services import Services


async def test_a_request_whose_time_is_up_leaves_the_rest_to_the_timer(eraser: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await eraser.job()
    monkeypatch.setattr("shared.privacy.erasure.REQUEST_SECONDS", 0.0)
    erasure = await eraser.erase()
    assert (erasure.state, erasure.counts) == (State.PENDING, Counts())
    report = await eraser.run_timer()
    assert (report.checked, report.found, report.deleted, report.overdue, report.complete) == (1, 3, 3, 0, True)
    assert (await eraser.read(erasure)).state is State.SWEPT


async def test_a_job_whose_copy_cannot_be_reached_stays_for_the_next_run_and_ended_ones_go(eraser: Bench) -> None:
    eraser.copies.is_away = True
    ended = await eraser.job(scheduled_sequence_number=3)
    waiting = await eraser.job("receipt", status="queued", scheduled_sequence_number=4)
    with patience(0.1):
        erasure = await eraser.erase()
    assert erasure.state is State.PENDING
    assert (await eraser.standing(waiting))["receipt"]["subject"] is not None
    eraser.offset += SETTLE + 10
    report = await eraser.run_timer()
    assert (report.overdue, report.complete) == (1, False)
    assert report.oldest_overdue_seconds > 0
    eraser.copies.is_away = False
    await eraser.run_timer()
    assert len(await eraser.standing(ended)) == 1
    assert (await eraser.completed(erasure)).counts.receipts == 2


async def test_a_worker_that_writes_at_the_same_moment_is_overtaken(eraser: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await eraser.job("receipt", status="in_progress")
    erase = SubjectDocuments.erase
    interrupted: list[str] = []

    async def late(self: SubjectDocuments, tenant: str, job: str, plan: Plan) -> None:
        if not interrupted:
            interrupted.append(job)
            receipt = (await eraser.standing(job_id))["receipt"]
            await eraser.container().upsert_item({**receipt, "id": "output", "dataClass": "output"})
            await eraser.container().upsert_item({**receipt, "status": "completed"})
        await erase(self, tenant, job, plan)

    monkeypatch.setattr(SubjectDocuments, "erase", late)
    assert (await eraser.erase()).counts == Counts(receipts=1, outputs=1)
    assert {*await eraser.standing(job_id)} == {"receipt"}


async def test_a_hold_that_is_placed_at_the_same_moment_wins(eraser: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await eraser.job()
    erase = SubjectDocuments.erase

    async def late(self: SubjectDocuments, tenant: str, job: str, plan: Plan) -> None:
        output = (await eraser.standing(job_id))["output"]
        if "held_until" not in output:
            await eraser.container().upsert_item({**output, "held_until": eraser.now() + 100})
        await erase(self, tenant, job, plan)

    monkeypatch.setattr(SubjectDocuments, "erase", late)
    assert (await eraser.erase()).held.documents == 1
    assert {*await eraser.standing(job_id)} == {"receipt", "output"}


async def test_a_job_that_others_write_all_the_time_leaves_the_sweep_incomplete(
    eraser: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overtaken(*_: object) -> None:
        raise WriteConflict

    await eraser.job()
    monkeypatch.setattr(SubjectDocuments, "erase", overtaken)
    assert (await eraser.erase()).state is State.PENDING
    assert not (await eraser.run_timer()).complete


async def test_a_crash_between_evidence_and_marker_leaves_a_record_more_and_no_erasure_less(
    eraser: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await eraser.job()
    with monkeypatch.context() as patch:
        patch.setattr("shared.azure.erasures.Erasures.create", _unavailable)
        with pytest.raises(StoreUnavailable):
            await eraser.erase()
    erasure = await eraser.erase()
    assert len(await eraser.standing(job_id)) == 1
    assert [fields["erasure"] == erasure.id for _, fields in await eraser.evidence()] == [False, True]


async def test_a_crash_behind_the_marker_leaves_the_sweep_to_the_timer(eraser: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await eraser.job()
    with monkeypatch.context() as patch:
        patch.setattr(SubjectDocuments, "covered", _unavailable)
        erasure = await eraser.erase()
    assert (erasure.state, len(await eraser.standing(job_id))) == (State.PENDING, 3)
    await eraser.run_timer()
    assert len(await eraser.standing(job_id)) == 1


async def test_a_crash_between_evidence_and_the_last_state_completes_again(
    eraser: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    erasure = await eraser.erase()
    eraser.offset += SETTLE + 1
    with monkeypatch.context() as patch:
        patch.setattr("shared.azure.erasures.Erasures.replace", _unavailable)
        with pytest.raises(StoreUnavailable):
            await eraser.run_timer()
    await eraser.run_timer()
    assert (await eraser.read(erasure)).state is State.COMPLETED
    assert [kind for kind, _ in await eraser.evidence()][1:] == ["erasure_completed"] * 2


async def test_a_connection_dropped_after_a_write_erases_once_and_ends_the_erasure(
    eraser: Bench, erasure_store: Endpoint
) -> None:
    job_id = await eraser.job()
    erasure_store.fault(container="generations", operation="batch", drop_after_write=True)
    erasure_store.fault(container="privacy", operation="create", drop_after_write=True)
    erasure_store.fault(container="privacy", operation="replace", drop_after_write=True)
    erasure = await eraser.erase()
    assert len(await eraser.standing(job_id)) == 1
    assert (await eraser.completed(erasure)).state is State.COMPLETED


async def test_those_who_ask_again_at_once_get_the_open_erasure_with_a_later_cut_off(eraser: Bench) -> None:
    await eraser.job()
    first = await eraser.erase()
    again = await asyncio.gather(*(eraser.erase() for _ in range(3)))
    assert {erasure.id for erasure in again} == {first.id}
    assert all(erasure.cutoff > first.cutoff for erasure in again)
    assert (await eraser.read(first)).counts == ONE


async def test_a_copy_that_is_scheduled_while_its_job_is_erased_is_taken_back(eraser: Bench) -> None:
    job_id = await eraser.job("receipt", status="queued")
    found = to_receipt((await eraser.standing(job_id))["receipt"])

    class Busy(Copies):
        async def schedule(self, *_: object, **__: object) -> int:
            await eraser.erase()
            self.waiting.add(5)
            return 5

    busy = Busy()
    generations = Generations(eraser.container(), clock=eraser.now, grace=15)
    services = cast("Services", SimpleNamespace(generations=generations, queues=busy, clock=eraser.now))
    delivery = Delivery(body=b"{}", sequence_number=1, delivery_count=1, enqueued_at=0, expires_at=0, properties={})
    with pytest.raises(LeaseLost):
        await schedule_copy(delivery, found, services, at=eraser.now() + 60)
    assert busy.waiting == set()
    assert (await eraser.standing(job_id))["receipt"]["scheduled_sequence_number"] is None


async def _unavailable(*_: object, **__: object) -> None:
    raise StoreUnavailable
