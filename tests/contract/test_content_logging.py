"""What resources showed of ``ContentLogging``, as processes remember it, with a real store and a real management endpoint."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from local.management import ids
from shared.azure.content_logging import PLACE, ContentLogging
from shared.azure.management import Management
from shared.azure.stamp_state import StampState
from shared.domain.policy import STAMP
from shared.errors import StoreUnavailable
from shared.patience import patience
from tests.contract import management
from tests.contract.cosmos import DATABASE, Endpoint, fresh_endpoint
from tests.contract.management import Token, managing

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86_400.0
LATE = 600.0
RESOURCES = ("primary", "unlogged")
ABSENT: dict[str, object] = {"capabilities": [{"name": "VirtualNetworks"}]}


@dataclass(kw_only=True)
class Desk:
    """A clock that a test moves, the state of the timer, and processes that share it."""

    container: ContainerProxy
    reads: Management
    azure: management.Management
    now: float = NOW
    process: Callable[..., ContentLogging] = field(init=False)

    def __post_init__(self) -> None:
        self.process = lambda *resources: ContentLogging(
            StampState(self.container),
            self.reads,
            resources=resources or RESOURCES,
            late_after=LATE,
            clock=lambda: self.now,
        )

    def away(self) -> None:
        """Azure says nothing about resources any more."""
        self.azure.fault(status=403, path="Microsoft.CognitiveServices")

    def absent(self) -> None:
        """The resource logs content."""
        self.azure.override(ids.account("unlogged"), properties=ABSENT)


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[management.Management]:
    with managing(tmp_path_factory.mktemp("management"), LETHE_MODEL_PORT="8082", LETHE_COSMOS_PORT="1") as part:
        yield part


@pytest.fixture
async def desk(cosmos: Endpoint, endpoint: management.Management) -> AsyncIterator[Desk]:
    endpoint.reset()
    cosmos.reset()
    reads = Management(
        endpoint=endpoint.url,
        credential=Token(),
        service_bus_id=ids.SERVICE_BUS,
        cosmos_id=ids.COSMOS,
        cosmos_database=DATABASE,
        accounts={name: ids.account(name) for name in RESOURCES},
    )
    async with cosmos.container("privacy") as container:
        with suppress(CosmosResourceNotFoundError):
            await container.delete_item(PLACE, STAMP)
        yield Desk(container=container, reads=reads, azure=endpoint)
    await reads.close()


async def test_what_a_check_saw_is_known_to_every_process_without_asking_azure(desk: Desk) -> None:
    await desk.process().remember({"primary": True, "unlogged": False}, at=NOW)
    desk.away()
    assert await desk.process().confirmed() == {"unlogged"}


async def test_on_a_fresh_install_the_worker_asks_azure_and_the_others_know(desk: Desk) -> None:
    assert await desk.process().confirmed() == {"unlogged"}
    desk.away()
    assert await desk.process().confirmed() == {"unlogged"}


async def test_a_worker_asks_azure_itself_when_the_timer_is_late_and_not_before(desk: Desk) -> None:
    await desk.process().remember({"primary": True, "unlogged": False}, at=NOW)
    desk.absent()
    desk.now += LATE
    assert await desk.process().confirmed() == {"unlogged"}
    desk.now += 1
    assert await desk.process().confirmed() == frozenset()


async def test_a_worker_asks_about_a_resource_that_no_check_knows(desk: Desk) -> None:
    await desk.process().remember({"primary": True}, at=NOW)
    assert await desk.process().confirmed() == {"unlogged"}


async def test_a_process_asks_once_a_minute_at_most(desk: Desk) -> None:
    worker = desk.process()
    desk.away()
    assert await worker.confirmed() == frozenset()
    desk.azure.reset()
    desk.now += 59
    assert await worker.confirmed() == frozenset()
    # it looked at NOW and saw nothing, which is not late yet: the next look is the timer's, or the worker's when that is late
    desk.now = NOW + LATE + 1
    assert await worker.confirmed() == {"unlogged"}


async def test_jobs_that_come_at_once_wait_for_one_answer(desk: Desk) -> None:
    worker = desk.process()
    desk.azure.fault(delay_ms=500, path="accounts/unlogged", count=1)
    assert await asyncio.gather(*(worker.confirmed() for _ in range(8))) == [frozenset({"unlogged"})] * 8


async def test_what_cannot_be_read_changes_nothing_for_a_day(desk: Desk) -> None:
    worker = desk.process()
    await worker.remember({"primary": True, "unlogged": False}, at=NOW)
    desk.away()
    for hours in (1, 12, 24):
        desk.now = NOW + hours * HOUR
        await worker.remember(dict.fromkeys(RESOURCES), at=desk.now)
        assert await worker.confirmed() == {"unlogged"}
    desk.now = NOW + DAY + 1
    assert await worker.confirmed() == await desk.process().confirmed() == frozenset()


async def test_absence_is_seen_by_another_process_within_a_minute(desk: Desk) -> None:
    timer, worker = desk.process(), desk.process()
    await timer.remember({"primary": True, "unlogged": False}, at=NOW)
    assert await worker.confirmed() == {"unlogged"}
    await timer.remember({"primary": True, "unlogged": True}, at=NOW)  # a second look at the same moment decides nothing
    assert await desk.process().confirmed() == {"unlogged"}
    await timer.remember({"primary": True, "unlogged": True}, at=NOW + 1)
    assert await worker.confirmed() == {"unlogged"}
    desk.now += 60
    assert await worker.confirmed() == frozenset()


async def test_an_older_look_that_is_written_last_does_not_win(desk: Desk) -> None:
    await desk.process().remember({"unlogged": True}, at=NOW + 5)
    await desk.process().remember({"unlogged": False}, at=NOW)
    desk.now += 5
    assert await desk.process("unlogged").confirmed() == frozenset()


async def test_without_the_store_nothing_is_decided(desk: Desk, cosmos: Endpoint) -> None:
    cosmos.fault(container="privacy", status=503, count=1000)
    with patience(0.2), pytest.raises(StoreUnavailable):
        await desk.process().confirmed()


async def test_a_worker_that_cannot_write_what_it_was_told_goes_by_it(desk: Desk, cosmos: Endpoint) -> None:
    cosmos.fault(container="privacy", operation="create", status=503, count=1000)
    worker = desk.process()
    assert await worker.confirmed() == {"unlogged"}
    cosmos.reset()
    assert await StampState(desk.container).read(PLACE) is None


async def test_a_document_that_is_none_is_asked_for_and_written_anew(desk: Desk) -> None:
    await desk.container.upsert_item({"id": PLACE, "tenantId": STAMP, "resources": {"unlogged": ["what"]}})
    assert await desk.process().confirmed() == {"unlogged"}
    found = await StampState(desk.container).read(PLACE)
    assert found is not None
    assert found["resources"]["unlogged"] == {"logs": False, "at": NOW, "looked_at": NOW}


async def test_the_statement_is_told_what_was_remembered_and_asks_nobody(desk: Desk) -> None:
    assert await desk.process().said() == {}
    await desk.process().remember({"primary": True, "unlogged": False}, at=NOW)
    assert await desk.process().said() == {"primary": True, "unlogged": False}
