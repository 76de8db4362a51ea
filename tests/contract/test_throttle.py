"""Several instances and one tenant: what each sees of the others in the store, and how far they can exceed a limit together."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from secrets import token_hex

import pytest
from azure.cosmos.aio import ContainerProxy

from shared.azure.census import Census
from shared.azure.generations import Generations
from shared.domain.bodies import Endpoint as Operation
from shared.domain.generation import Receipt, Status
from shared.domain.stamp import StampLimits
from shared.generation.throttle import Throttle
from tests.contract.cosmos import Endpoint, fresh_endpoint

HOUR = 3600.0
LIMIT = 6


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One process of the app, as far as the throttle goes, and the places that it holds."""

    name: str
    generations: Generations
    throttle: Throttle
    census: Census
    holding: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self, tenant: str, *, lease: float = 60.0) -> Receipt:
        """Store the receipt of a job that this instance begins."""
        return await self.generations.create(receipt(tenant, self.name, lease=lease))

    async def take(self, tenant: str, limits: StampLimits) -> bool:
        """Take a place for good, if there is one."""
        deadline = time.time() + HOUR
        turn = self.throttle.place(tenant, limits, deadline=deadline, has_waited=True, at_once=False)
        place = await self.holding.enter_async_context(turn)
        if place.put_back_at is None:
            await self.start(tenant)
        return place.put_back_at is None


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture
async def container(endpoint: Endpoint) -> AsyncIterator[ContainerProxy]:
    async with endpoint.container() as opened:
        endpoint.reset()
        yield opened


def instance(container: ContainerProxy) -> Instance:
    name = token_hex(4)
    census = Census(container, clock=time.time, instance=name)
    generations = Generations(container, clock=time.time, grace=900)
    return Instance(name=name, generations=generations, census=census, throttle=Throttle(census, clock=time.time))


def receipt(tenant: str, name: str, *, lease: float) -> Receipt:
    now = time.time()
    return Receipt(
        tenant_id=tenant,
        job_id=token_hex(20),
        status=Status.IN_PROGRESS,
        endpoint=Operation.RESPONSES,
        model="gpt-small",
        created_at=now,
        content_expires_at=now + HOUR,
        expires_at=now + HOUR,
        content_mac=None,
        subject=None,
        attempt=1,
        attempt_token=name + token_hex(12),
        lease_until=now + lease,
        not_before=now,
        model_calls=0,
    )


async def test_jobs_of_other_instances_count_while_their_leases_live(container: ContainerProxy) -> None:
    own, other = instance(container), instance(container)
    tenant = f"tenant-{token_hex(4)}"
    await own.start(tenant)
    for _ in range(3):
        await other.start(tenant)
    await other.start(tenant, lease=-1.0)
    await other.start("another-tenant")
    released = await other.start(tenant)
    await other.generations.release(released, not_before=time.time(), model_calls=1)

    assert await own.census.in_flight_elsewhere(tenant) == 3
    assert await other.census.in_flight_elsewhere(tenant) == 1
    assert await own.census.started_elsewhere(tenant) == 5
    assert await own.census.admitted(tenant) == 6


async def test_a_job_that_waits_in_line_has_not_started(container: ContainerProxy) -> None:
    own, other = instance(container), instance(container)
    tenant = f"tenant-{token_hex(4)}"
    queued = replace(receipt(tenant, other.name, lease=0.0), status=Status.QUEUED)
    await other.generations.create(queued)
    assert await own.census.started_elsewhere(tenant) == 0
    await other.generations.claim(queued, attempt_token=other.name + token_hex(12), lease=60)
    assert await own.census.started_elsewhere(tenant) == 1
    assert await own.census.in_flight_elsewhere(tenant) == 1


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (StampLimits(requests_in_flight=LIMIT, requests_per_minute=6000, output_tokens_per_request=100), 12),
        (StampLimits(requests_in_flight=100, requests_per_minute=LIMIT, output_tokens_per_request=100), 12),
    ],
    ids=["in flight", "in a minute"],
)
async def test_three_instances_exceed_a_limit_by_half_of_it_for_each_further_one(
    container: ContainerProxy, limits: StampLimits, most: int
) -> None:
    tenant = f"tenant-{token_hex(4)}"
    taken = []
    for one in [instance(container) for _ in range(3)]:
        taken.append(sum([await one.take(tenant, limits) for _ in range(LIMIT + 2)]))
        await one.holding.aclose()
    assert taken == [LIMIT, LIMIT // 2, LIMIT // 2]
    assert sum(taken) == most


async def test_a_store_that_is_away_stops_no_job(container: ContainerProxy, endpoint: Endpoint) -> None:
    alone = instance(container)
    limits = StampLimits(requests_in_flight=2, requests_per_minute=6000, output_tokens_per_request=100)
    assert await alone.take("lonely", limits)
    endpoint.fault(container="generations", operation="query", status=500, count=50)
    assert await alone.take("lonely", limits)
    endpoint.reset()
    assert not await alone.take("lonely", limits)
    await alone.holding.aclose()


async def test_an_instance_looks_once_a_second_however_many_ask(container: ContainerProxy, endpoint: Endpoint) -> None:
    crowded = instance(container)
    limits = StampLimits(requests_in_flight=20, requests_per_minute=6000, output_tokens_per_request=100)
    began = time.monotonic()
    for _ in range(20):
        assert await crowded.take("looking", limits)
    assert 1 <= endpoint.counts()["query"] <= time.monotonic() - began + 1
    await crowded.holding.aclose()
