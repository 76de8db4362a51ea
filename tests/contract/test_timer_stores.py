"""What the timer reads and remembers in the store: traces of jobs, counts, its own state, probes."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient

from local import clock
from local.cosmos.auth import EMULATOR_KEY
from shared.azure.counts import Counts
from shared.azure.due_documents import DueDocuments
from shared.azure.holds import Holds
from shared.azure.probes import PROBE, Probes
from shared.azure.stamp_state import StampState
from shared.azure.traces import Traces
from shared.domain.step_report import StepReport, Tally
from shared.privacy.orphans import Orphans
from shared.privacy.probing import Probing
from tests.contract.cosmos import DATABASE, Endpoint, fresh_endpoint

DAY = 86_400
GRACE = 900


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("timer")) as running:
        yield running


@dataclass(frozen=True, kw_only=True)
class Store:
    """The containers, and what the timer has for them."""

    generations: ContainerProxy
    state: StampState
    holds: Holds

    async def put(self, job: str, *classes: str, **fields: Any) -> None:  # noqa: ANN401
        """Store documents of a job that completed."""
        now = clock.now()
        times = {"created_at": now, "expires_at": now + DAY, "content_expires_at": now + DAY, "kept_seconds": DAY}
        for name in classes:
            document = {"id": name, "dataClass": name, "tenantId": "contoso", "jobId": job, "status": "completed"}
            await self.generations.create_item({**document, **times, **fields})

    def orphans(self) -> Orphans:
        documents = DueDocuments(self.generations, clock=clock.now, grace=GRACE)
        return Orphans(
            traces=Traces(self.generations), documents=documents, holds=self.holds, state=self.state, clock=clock.now
        )

    async def walk(self) -> StepReport:
        tally = Tally(step="orphans")
        await self.orphans().look(tally)
        return tally.report()

    def probing(self) -> Probing:
        probes = Probes(self.generations, clock=clock.now, grace=GRACE)
        return Probing(probes=probes, state=self.state, clock=clock.now, grace=GRACE)

    async def probe(self) -> StepReport:
        tally = Tally(step="probe")
        await self.probing().look(tally)
        return tally.report()

    async def names(self) -> set[str]:
        query = "SELECT c.jobId, c.id FROM c"
        return {f"{each['jobId']}/{each['id']}" async for each in self.generations.query_items(query)}


@pytest.fixture
async def store(endpoint: Endpoint) -> AsyncIterator[Store]:
    async with CosmosClient(endpoint.url, EMULATOR_KEY) as client:
        database = client.get_database_client(DATABASE)
        generations, privacy = database.get_container_client("generations"), database.get_container_client("privacy")
        yield Store(generations=generations, state=StampState(privacy), holds=Holds(privacy, clock=clock.now))
        for each in [each async for each in generations.query_items("SELECT c.id, c.tenantId, c.jobId FROM c")]:
            await generations.delete_item(each["id"], [each["tenantId"], each["jobId"]])
        for each in [each async for each in privacy.query_items("SELECT c.id, c.tenantId FROM c")]:
            await privacy.delete_item(each["id"], each["tenantId"])


async def test_a_small_store_is_walked_whole_in_each_run(store: Store) -> None:
    await store.put("aa", "receipt", "output", "event")
    await store.put("bb", "output", "event")
    await store.put("cc", "receipt", "event")
    first, second = await store.walk(), await store.walk()
    assert (first.checked, first.found, first.deleted, first.overdue, first.complete) == (7, 3, 2, 1, True)
    assert (second.checked, second.found, second.deleted, second.overdue, second.complete) == (5, 1, 0, 1, True)
    assert await store.names() == {"aa/receipt", "aa/output", "aa/event", "cc/receipt", "cc/event"}


async def test_a_large_store_is_walked_in_parts_from_run_to_run_and_no_job_is_cut(
    store: Store, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("shared.azure.traces", "shared.privacy.orphans"):
        monkeypatch.setattr(f"{module}.PAGE", 4)
    for number in range(5):
        await store.put(f"{number + 1}0", "receipt", "output", "event")
    await store.put("70", "output")
    reports = [await store.walk() for _ in range(6)]
    assert [report.checked for report in reports] == [3, 3, 3, 3, 3, 1]
    assert [report.found for report in reports] == [0, 0, 0, 0, 0, 1]
    assert [report.complete for report in reports] == [False] * 5 + [True]
    endpoint.reset()
    await store.walk()
    assert (endpoint.counts(), endpoint.counts("privacy")) == ({"query": 1}, {"query": 1, "read": 1, "upsert": 1})


async def test_a_walk_that_is_behind_goes_further_in_one_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("shared.azure.traces", "shared.privacy.orphans"):
        monkeypatch.setattr(f"{module}.PAGE", 2)
    for number in range(8):
        await store.put(f"{number + 1}0", "receipt", "output", expires_at=clock.now() + 9 * DAY, content_expires_at=clock.now())
    assert (await store.walk()).checked == 2
    clock.advance(DAY / 2)
    assert (await store.walk()).checked == 14


async def test_jobs_that_are_counted_are_those_of_all_tenants_and_no_probe(store: Store) -> None:
    counts, now = Counts(store.generations), clock.now()
    assert (await counts.count("receipt"), await counts.oldest("receipt", now=now)) == (0, None)
    await store.put("aa", "receipt", "output", created_at=now - 50)
    await store.put("bb", "receipt", "event", created_at=now - 70, tenantId="fabrikam")
    await store.probe()
    counted = [await counts.count(name) for name in ("receipt", "output", "event")]
    oldest = [await counts.oldest(name, now=now) for name in ("receipt", "output", "event")]
    assert (counted, oldest) == ([2, 1, 1], [now - 70, now - 50, now - 70])


async def test_claims_that_lapsed_and_jobs_that_nobody_took_are_counted_apart(store: Store) -> None:
    now = clock.now()
    for job, status, lease, not_before in (
        ("lapsed", "in_progress", -100, -900),
        ("working", "in_progress", +5, -900),
        ("untaken", "queued", -100, -100),
        ("waiting", "queued", -100, +60),
        ("ended", "completed", -100, -100),
    ):
        await store.put(job, "receipt", status=status, lease_until=now + lease, not_before=now + not_before)
    counts = Counts(store.generations)
    assert (await counts.lapsed_claims(before=now - 60), await counts.untaken_jobs(before=now - 60)) == (1, 1)


async def test_a_probe_is_planted_once_measured_when_it_is_gone_and_followed_by_the_next(store: Store) -> None:
    assert await store.probe() == StepReport(step="probe")
    [planted] = await store.names()
    assert await store.probe() == StepReport(step="probe", checked=1)
    assert await store.names() == {planted}
    clock.advance(65)
    late = await store.probe()
    assert (late.found, late.deleted, late.overdue, late.complete) == (0, 0, 0, True)
    assert late.oldest_overdue_seconds == pytest.approx(5, abs=4)
    await store.generations.delete_item("probe", [PROBE, planted.partition("/")[0]])
    gone = await store.probe()
    assert (gone.checked, gone.deleted, gone.overdue, gone.complete) == (1, 1, 0, True)
    [following] = await store.names()
    assert following != planted


async def test_a_probe_that_only_the_store_has_hidden_is_not_called_deleted_in_time(store: Store) -> None:
    await store.probe()
    clock.advance(60 + GRACE + 5)
    report = await store.probe()
    assert (report.deleted, report.complete, report.overdue) == (1, False, 0)
    assert report.oldest_overdue_seconds == 0


async def test_a_probe_that_nothing_hides_is_overdue_and_the_next_one_is_planted(store: Store) -> None:
    await store.probe()
    name = next(iter(await store.names())).partition("/")[0]
    item = await store.generations.read_item("probe", [PROBE, name])
    await store.generations.replace_item("probe", {**item, "ttl": 30 * DAY})
    clock.advance(60 + GRACE + 5)
    report = await store.probe()
    assert (report.found, report.deleted, report.overdue, report.complete) == (1, 0, 1, True)
    assert report.oldest_overdue_seconds > GRACE
    assert len(await store.names()) == 2
