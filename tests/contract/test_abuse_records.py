"""Sealed records on a real store: put once or again, never kept for longer, and counted by the key that opens them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from secrets import token_hex

import pytest
from azure.cosmos.aio import ContainerProxy
from cryptography.hazmat.primitives.asymmetric import rsa

from local import clock
from shared.azure.abuse_records import AbuseRecords
from shared.domain.abuse_record import AbuseRecord, key_of
from shared.domain.hold import Mark
from shared.domain.sealing import SealingKey
from shared.errors import OutputTooLarge, StoreUnavailable
from shared.patience import patience
from tests import review
from tests.contract.cosmos import Endpoint, fresh_endpoint

PUBLIC = rsa.generate_private_key(65537, 2048).public_key()
GRACE = 900
DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Store:
    """The container, and what works on it."""

    container: ContainerProxy
    records: AbuseRecords


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("records")) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(running: Endpoint) -> Endpoint:
    running.reset()
    return running


@asynccontextmanager
async def opened(endpoint: Endpoint) -> AsyncIterator[Store]:
    async with endpoint.container("abuse-monitoring") as container:
        yield Store(container=container, records=AbuseRecords(container, clock=clock.now, grace=GRACE))


@pytest.fixture
async def store(endpoint: Endpoint) -> AsyncIterator[Store]:
    async with opened(endpoint) as found:
        yield found


def record(
    content: bytes = b"a prompt", *, kept: float = 21 * DAY, key: str | None = None, held: Mark | None = None
) -> AbuseRecord:
    now = clock.now()
    sealing_key = SealingKey(name=key or key_of(now + kept), version=token_hex(16), public=PUBLIC)
    return review.sealed(content, key=sealing_key, now=now, kept=kept, held=held)


def again(found: AbuseRecord, *, expires_at: float) -> AbuseRecord:
    """The record of a later attempt of the same job."""
    made = record(b"another answer")
    return replace(made, job_id=found.job_id, created_at=found.created_at, expires_at=expires_at)


async def test_a_record_is_read_as_it_was_put(store: Store) -> None:
    made = record()
    await store.records.put(made)
    assert await store.records.read("contoso", made.job_id) == made
    assert await store.records.read("fabrikam", made.job_id) is None
    assert await store.records.read("contoso", token_hex(20)) is None


async def test_its_ttl_reaches_past_its_deadline_by_the_grace(store: Store) -> None:
    made = record(kept=100)
    await store.records.put(made)
    document = await store.container.read_item("record", ["contoso", made.job_id])
    assert document["ttl"] == pytest.approx(100 + GRACE, abs=2)
    assert document["kept_seconds"] == 100


async def test_a_later_attempt_replaces_it(store: Store) -> None:
    first = record()
    second = again(first, expires_at=first.expires_at)
    await store.records.put(first)
    await store.records.put(second)
    found = await store.records.read("contoso", first.job_id)
    assert found == second


async def test_a_later_attempt_keeps_no_record_for_longer_and_takes_no_hold_away(store: Store) -> None:
    mark = Mark(until=int(clock.now() + 60 * DAY), by="hold_1")
    first = record(kept=DAY, held=mark)
    await store.records.put(first)
    await store.records.put(again(first, expires_at=first.expires_at + DAY))
    found = await store.records.read("contoso", first.job_id)
    assert found is not None
    assert (found.expires_at, found.held) == (first.expires_at, mark)
    document = await store.container.read_item("record", ["contoso", first.job_id])
    assert document["ttl"] >= 60 * DAY


@pytest.mark.parametrize("operation", ["create", "replace"])
async def test_a_write_that_the_sdk_repeats_leaves_what_was_put(endpoint: Endpoint, store: Store, operation: str) -> None:
    made = record()
    if operation == "replace":
        await store.records.put(made)
        made = again(made, expires_at=made.expires_at)
    endpoint.fault(operation=operation, container="abuse-monitoring", drop_after_write=True)
    await store.records.put(made)
    assert await store.records.read("contoso", made.job_id) == made


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_record_that_the_store_does_not_take_is_told(store: Store) -> None:
    with pytest.raises(OutputTooLarge):
        await store.records.put(record(b"x" * 1_700_000))


async def test_records_are_counted_by_their_key_over_all_tenants(store: Store) -> None:
    key = "lethe-abuse-2031-01-01"
    await store.records.put(record(key=key))
    await store.records.put(replace(record(key=key), tenant_id="fabrikam"))
    await store.records.put(record(key=key, held=Mark(until=int(clock.now() + DAY), by="hold_1")))
    await store.records.put(record(key=key, held=Mark(until=int(clock.now() - DAY), by="hold_1")))
    await store.records.put(record(key="lethe-abuse-2031-01-02"))
    assert await store.records.sealed_with(key) == (4, 3)
    assert await store.records.sealed_with("lethe-abuse-2031-01-03") == (0, 0)


async def test_a_store_that_is_away_is_unavailable(endpoint: Endpoint, store: Store) -> None:
    endpoint.fault(container="abuse-monitoring", status=500, count=100)
    with patience(0.0):
        for attempt in (store.records.put(record()), store.records.read("contoso", "x"), store.records.sealed_with("x")):
            with pytest.raises(StoreUnavailable):
                await attempt
