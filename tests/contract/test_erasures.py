"""Erasures on a real store: what is found and erased, what a hold keeps, what is erased again, and what workers know of it."""

import base64
import json
from pathlib import Path
from secrets import token_bytes

import pytest

from shared.azure import subject_documents
from shared.domain.erasure import MARKER_SECONDS, Counts, State
from shared.domain.hold import Hold, Scope, new_hold_id
from shared.privacy.erasure import request_erasure
from tests.contract.cosmos import Endpoint
from tests.contract.erasing import ONE, SETTLE, SUBJECT, TENANT, Bench


async def test_a_job_becomes_a_tombstone_without_macs_and_everything_beside_it_goes(eraser: Bench) -> None:
    job_id = await eraser.job()
    erasure = await eraser.erase()
    assert (erasure.state, erasure.counts) == (State.SWEPT, ONE)
    [receipt] = (await eraser.standing(job_id)).values()
    assert (receipt["subject"], receipt["content_mac"], receipt["status"]) == (None, None, "completed")
    assert receipt["deleted_at"] is not None
    assert receipt["expires_at"] == erasure.tombstones_until
    assert (await eraser.completed(erasure)).counts == ONE


async def test_a_job_that_has_not_ended_is_cancelled_under_a_new_token_and_its_copy_is_taken_back(eraser: Bench) -> None:
    eraser.copies.waiting = {7, 8}
    job_id = await eraser.job("receipt", status="in_progress", scheduled_sequence_number=7)
    assert (await eraser.erase()).counts == Counts(receipts=1, waiting_copies=1)
    receipt = (await eraser.standing(job_id))["receipt"]
    assert receipt["status"] == "cancelled"
    assert receipt["attempt_token"] != "t"
    assert eraser.copies.waiting == {8}


async def test_nothing_of_anybody_else_is_written(eraser: Bench) -> None:
    others = [await eraser.job(subject="user-43"), await eraser.job(subject=None)]
    anothers = await eraser.job(tenant="fabrikam")  # under the same MAC, which no real key would give
    before = [await eraser.standing(job) for job in others], await eraser.standing(anothers, "fabrikam")
    mine = await eraser.job()
    await eraser.completed(await eraser.erase())
    later = await eraser.job()
    await eraser.run_timer()
    assert ([await eraser.standing(job) for job in others], await eraser.standing(anothers, "fabrikam")) == before
    assert len(await eraser.standing(later)) == 3
    assert len(await eraser.standing(mine)) == 1


async def test_a_job_of_before_a_rotation_of_the_key_is_found(eraser: Bench, tmp_path: Path) -> None:
    job_id = await eraser.job()
    path = tmp_path / "keys.json"
    keys = json.loads(path.read_text())
    keys[TENANT]["subject"].append({"kid": "new", "secret": base64.b64encode(token_bytes(32)).decode()})
    path.write_text(json.dumps(keys))
    later = await eraser.job()
    erasure = await eraser.erase()
    assert erasure.subjects[0].kid == "new"
    assert (len(await eraser.standing(job_id)), len(await eraser.standing(later))) == (1, 1)


async def test_more_jobs_than_a_page_has_are_erased_in_one_sweep(eraser: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject_documents, "PAGE", 4)
    monkeypatch.setattr("shared.privacy.sweep.PAGE", 4)
    jobs = [await eraser.job() for _ in range(9)]
    assert (await eraser.erase()).counts.receipts == 9
    assert [len(await eraser.standing(job)) for job in jobs] == [1] * 9


async def test_held_documents_stay_unreadable_and_go_when_the_hold_ends(eraser: Bench) -> None:
    until = eraser.now() + 1000
    job_id = await eraser.job(held_until=until)
    erasure = await eraser.erase()
    assert (erasure.counts, erasure.held.documents) == (Counts(receipts=1), 3)
    found = await eraser.standing(job_id)
    assert {*found} == {"receipt", "output", "event"}
    assert found["receipt"]["deleted_at"] is not None
    assert found["output"]["expires_at"] <= eraser.now()
    assert found["output"]["ttl"] > 900, "the store would delete it before the hold ends"
    eraser.offset += SETTLE + 1
    await eraser.run_timer()
    await eraser.run_timer()
    assert (await eraser.read(erasure)).state is State.DEFERRED
    eraser.offset += 1000
    await eraser.run_timer()
    await eraser.run_timer()
    assert {*await eraser.standing(job_id)} == {"receipt"}
    done = await eraser.read(erasure)
    assert (done.state, done.counts, done.held.documents) == (State.COMPLETED, ONE, 0)
    assert [kind for kind, _ in await eraser.evidence()] == ["erasure_requested", "erasure_deferred", "erasure_completed"]


async def test_a_hold_that_was_placed_a_moment_ago_wins_before_it_has_marked_anything(eraser: Bench) -> None:
    job_id = await eraser.job()
    hold = Hold(
        id=new_hold_id(),
        tenant_id=TENANT,
        scope=Scope.TENANT,
        case_reference="case-1",
        placed_at=eraser.now(),
        placed_by="directory/client",
        ends_at=int(eraser.now()) + 1000,
    )
    await eraser.holds().create(hold)
    assert (await eraser.erase()).held.documents == 3
    assert {*await eraser.standing(job_id)} == {"receipt", "output", "event"}


async def test_what_comes_back_is_erased_again_as_long_as_the_marker_lives(eraser: Bench) -> None:
    job_id = await eraser.job()
    backup = await eraser.standing(job_id)
    erasure = await eraser.completed(await eraser.erase())
    for document in backup.values():
        await eraser.container().upsert_item(document)
    report = await eraser.run_timer()
    assert (report.checked, report.found, report.deleted, report.complete) == (1, 3, 3, True)
    assert (await eraser.read(erasure)).re_erased == ONE
    await eraser.container().upsert_item(backup["output"])
    await eraser.run_timer()
    assert {*await eraser.standing(job_id)} == {"receipt"}
    [*_, (kind, fields)] = await eraser.evidence()
    assert (kind, fields["erasure"], fields["outputs"], fields["receipts"]) == ("re_erased", erasure.id, 1, 0)
    eraser.offset += MARKER_SECONDS + 1
    assert await eraser.erasing().erasures.read(TENANT, erasure.id) is None


async def test_a_marker_that_another_process_stored_is_seen_after_a_minute_and_the_own_at_once(eraser: Bench) -> None:
    here, there = eraser.erasing(), eraser.erasing()
    macs = [await eraser.mac()]
    for process in (here, there):
        assert (await process.markers.of(TENANT)).cutoff(macs) is None
    erasure = await request_erasure(eraser.policy(), SUBJECT, here)
    assert (await here.markers.of(TENANT)).cutoff(macs) == erasure.cutoff
    assert (await there.markers.of(TENANT)).cutoff(macs) is None
    eraser.offset += 60
    assert (await there.markers.of(TENANT)).cutoff(macs) == erasure.cutoff


async def test_markers_are_asked_for_once_a_minute(eraser: Bench, erasure_store: Endpoint) -> None:
    process = eraser.erasing()
    await process.markers.of(TENANT)
    erasure_store.control("DELETE", "requests")
    for _ in range(50):
        await process.markers.of(TENANT)
    assert erasure_store.counts("privacy") == {}


async def test_an_erasure_of_another_tenant_is_not_found(eraser: Bench) -> None:
    erasure = await eraser.erase()
    assert await eraser.erasing().erasures.read("fabrikam", erasure.id) is None
