"""A hold placed between a writer's reading and its writing: whatever is written, nothing of the job ends before the hold."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure.due_documents import DueDocuments
from shared.azure.events import Delivery, Events, State
from shared.azure.generations import Generations
from shared.azure.held_jobs import HeldJobs
from shared.azure.kept_documents import KeptDocuments
from shared.azure.records import Found, Records
from shared.domain.bodies import Endpoint as Url
from shared.domain.generation import Outcome, Receipt, Status
from shared.domain.hold import DAY, Hold, Scope, new_hold_id
from shared.domain.macs import Mac
from shared.domain.request import parse
from shared.errors import LeaseLost, WriteConflict
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.policies import policy

GRACE = 15
ENDPOINT = "we_" + 32 * "e"
REQUEST = parse(
    b'{"tenant": "contoso", "custom_id": "1", "url": "/v1/responses", "body": {"model": "m", "input": "i"}}', max_bytes=1000
)
DONE = Outcome(status=Status.COMPLETED, body={"output": []})


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everybody who writes documents of a job, and one job."""

    container: ContainerProxy
    receipt: Receipt
    generations: Generations
    records: Records
    events: Events
    kept: KeptDocuments
    due: DueDocuments
    jobs: HeldJobs

    async def hold(self, *, ends_at: int | None = None) -> Hold:
        """Mark the job's documents for a new hold of the whole tenant."""
        hold = new_hold(ends_at=int(clock.now()) + 60 * DAY if ends_at is None else ends_at)
        assert await self.jobs.settle("contoso", self.receipt.job_id, [hold]) == hold
        return hold

    async def documents(self) -> dict[str, dict[str, Any]]:
        key = ["contoso", self.receipt.job_id]
        found = self.container.query_items("SELECT * FROM c", partition_key=key)
        return {document["id"]: document async for document in found}

    async def finish(self) -> None:
        await self.generations.finish(self.receipt, REQUEST, DONE, heard=True)


def new_hold(*, ends_at: int, scope: Scope = Scope.TENANT) -> Hold:
    return Hold(
        id=new_hold_id(),
        tenant_id="contoso",
        scope=scope,
        case_reference="case-1",
        placed_at=clock.now(),
        placed_by="directory/client",
        ends_at=ends_at,
    )


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - an iterator
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture
async def desk(endpoint: Endpoint) -> AsyncIterator[Desk]:
    async with endpoint.container() as container:
        given: dict[str, Any] = {"clock": clock.now, "grace": GRACE}
        now = clock.now()
        receipt = Receipt(
            tenant_id="contoso",
            job_id=token_hex(20),
            status=Status.IN_PROGRESS,
            endpoint=Url.RESPONSES,
            model="gpt-small",
            created_at=now,
            content_expires_at=now + 3600,
            expires_at=now + 7200,
            content_mac=Mac(kid="k", mac="5" * 64),
            subject=Mac(kid="k", mac="6" * 64),
            attempt=1,
            attempt_token=token_hex(16),
            lease_until=now,
            not_before=now,
            model_calls=0,
        )
        made = Desk(
            container=container,
            receipt=receipt,
            generations=Generations(container, **given),
            records=Records(container, **given),
            events=Events(container, **given),
            kept=KeptDocuments(container, **given),
            due=DueDocuments(container, **given),
            jobs=HeldJobs(container, **given),
        )
        await made.generations.create(receipt)
        yield made


type Write = Callable[[], Awaitable[object]]
type Writer = Callable[[Desk], Awaitable[Write]]
"""Reads what it needs, and returns the write that comes after a hold was placed."""


async def _claim(desk: Desk) -> Write:
    return lambda: desk.generations.claim(desk.receipt, attempt_token=token_hex(16), lease=60)


async def _renew(desk: Desk) -> Write:
    return lambda: desk.generations.renew(desk.receipt, lease=60)


async def _release(desk: Desk) -> Write:
    return lambda: desk.generations.release(desk.receipt, not_before=clock.now() + 5, model_calls=1)


async def _next_attempt(desk: Desk) -> Write:
    return lambda: desk.generations.next_attempt(desk.receipt)


async def _remember_copy(desk: Desk) -> Write:
    return lambda: desk.generations.remember_copy(desk.receipt, sequence_number=7)


async def _finish(desk: Desk) -> Write:
    return desk.finish


async def _announce(desk: Desk) -> Write:
    await desk.finish()
    event = await desk.events.read("contoso", desk.receipt.job_id)
    assert event is not None
    return lambda: desk.events.announce(event, frozenset({ENDPOINT}))


async def _record(desk: Desk) -> Write:
    await (await _announce(desk))()
    event = await desk.events.read("contoso", desk.receipt.job_id)
    assert event is not None
    delivered = Delivery(state=State.DELIVERED, attempts=1, last_status=200, next_at=None)
    return lambda: desk.events.record(event, ENDPOINT, delivered)


WRITERS: dict[str, tuple[Writer, Callable[[dict[str, dict[str, Any]]], object]]] = {
    "claim": (_claim, lambda found: found["receipt"]["attempt"] == 2),
    "renew": (_renew, lambda found: found["receipt"]["lease_until"] > clock.now() + 50),
    "release": (_release, lambda found: found["receipt"]["status"] == "queued"),
    "next attempt": (_next_attempt, lambda found: found["receipt"]["attempt"] == 2),
    "remember a copy": (_remember_copy, lambda found: found["receipt"]["scheduled_sequence_number"] == 7),
    "finish": (_finish, lambda found: found["receipt"]["status"] == "completed" and len(found) == 3),
    "announce": (_announce, lambda found: ENDPOINT in found["event"]["deliveries"]),
    "record": (_record, lambda found: found["event"]["deliveries"][ENDPOINT]["state"] == "delivered"),
}


@pytest.mark.parametrize("name", WRITERS)
async def test_a_write_that_was_begun_before_a_hold_is_made_and_ends_nothing_before_it(desk: Desk, name: str) -> None:
    writer, is_written = WRITERS[name]
    write = await writer(desk)
    hold = await desk.hold()
    await write()
    found = await desk.documents()
    assert is_written(found)
    check_held(found, hold)


@pytest.mark.parametrize("name", WRITERS)
async def test_a_write_that_was_begun_while_a_hold_stood_is_made_and_ends_in_time(desk: Desk, name: str) -> None:
    await desk.hold()
    held = replace(desk, receipt=await desk.generations.read(desk.receipt))
    writer, is_written = WRITERS[name]
    write = await writer(held)
    assert await desk.jobs.settle("contoso", desk.receipt.job_id, []) is None
    await write()
    found = await desk.documents()
    assert is_written(found)
    for document in found.values():
        assert "held_until" not in document
        assert document["ttl"] == pytest.approx(document["expires_at"] - document["_ts"] + GRACE, abs=3)


async def test_a_write_of_another_worker_is_refused_whatever_holds_stand(desk: Desk) -> None:
    others = replace(desk.receipt, attempt_token=token_hex(16))
    await desk.hold()
    for write in (
        desk.generations.renew(others, lease=60),
        desk.generations.release(others, not_before=0, model_calls=0),
        desk.generations.finish(others, REQUEST, DONE, heard=True),
    ):
        with pytest.raises(LeaseLost):
            await write
    await desk.finish()
    with pytest.raises(LeaseLost):
        await desk.generations.next_attempt(desk.receipt)


@pytest.mark.parametrize("ends", ["cancel", "delete"])
async def test_a_cancel_or_delete_that_read_before_a_hold_reads_again(desk: Desk, ends: str) -> None:
    async def end(found: Found | None) -> None:
        assert found is not None
        await (desk.records.cancel(found, heard=False) if ends == "cancel" else desk.records.delete(found, has_output=False))

    stale = await desk.records.find("contoso", desk.receipt.job_id)
    hold = await desk.hold()
    with pytest.raises(WriteConflict):
        await end(stale)
    await end(await desk.records.find("contoso", desk.receipt.job_id))
    documents = await desk.documents()
    assert documents["receipt"]["status"] == "cancelled"
    assert documents["receipt"]["subject"] is not None
    check_held(documents, hold)


async def test_a_shorter_policy_brings_deadlines_forward_and_cuts_no_hold(desk: Desk) -> None:
    await desk.finish()
    retention = {"output_seconds": 60, "receipt_seconds": 120, "abuse_record_seconds": 60}
    shorter = policy(retention=retention)
    stale = {kept.document["id"]: kept for kept in await desk.kept.too_long(shorter) if is_of(desk, kept.document)}
    assert stale.keys() == {"receipt", "output", "event"}
    hold = await desk.hold()
    assert [await desk.kept.shorten(kept, shorter) for kept in stale.values()] == [False] * 3
    for kept in await desk.kept.too_long(shorter):
        await desk.kept.shorten(kept, shorter)
    found = await desk.documents()
    assert found["output"]["expires_at"] == pytest.approx(desk.receipt.created_at + 60)
    check_held(found, hold)


async def test_the_timer_finds_nothing_held_but_ends_a_job_that_has_no_end(desk: Desk) -> None:
    hold = await desk.hold()
    clock.advance(7300)
    assert not [due for due in await desk.due.expired() if due.job_id == desk.receipt.job_id]
    [due] = [due for due in await desk.due.forgettable() if due.job_id == desk.receipt.job_id]
    assert await desk.due.forget_content(due)
    found = await desk.documents()
    assert (found["receipt"]["status"], found["receipt"]["content_mac"]["mac"]) == ("expired", "5" * 64)
    check_held(found, hold)
    assert not [due for due in await desk.due.forgettable() if due.job_id == desk.receipt.job_id]
    clock.advance(hold.ends_at - clock.now() + 5)  # within the grace
    dues = [due for due in await desk.due.expired() if due.job_id == desk.receipt.job_id]
    assert {due.document_id for due in dues} == {"receipt", "event"}


async def test_all_documents_of_a_job_are_marked_or_none(desk: Desk, endpoint: Endpoint) -> None:
    await desk.finish()
    endpoint.fault(operation="batch", drop_after_write=True)
    hold = new_hold(ends_at=int(clock.now()) + DAY)
    try:
        await desk.jobs.settle("contoso", desk.receipt.job_id, [hold])
    except WriteConflict:  # the SDK sent it again and met its own write
        pass
    finally:
        endpoint.reset()
    check_held(await desk.documents(), hold)


def is_of(desk: Desk, document: dict[str, Any]) -> bool:
    return bool(document["jobId"] == desk.receipt.job_id)


def check_held(found: dict[str, dict[str, Any]], hold: Hold) -> None:
    assert {(document["held_until"], document["held_by"]) for document in found.values()} == {(hold.ends_at, hold.id)}
    assert all(document["_ts"] + document["ttl"] > hold.ends_at for document in found.values())
