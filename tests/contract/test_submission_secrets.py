"""Submission secrets in a real store and a real file: which count, for how long, and what rotations at once leave."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.azure import remembered
from shared.azure.policies import Policies
from shared.azure.secret_store import FileSecrets
from shared.azure.submission_secrets import CACHE_SECONDS, SubmissionSecrets, _Loaded
from shared.domain.signing import PREVIOUS_SECRET_SECONDS
from shared.domain.submission import secret_name
from shared.errors import KeysUnavailable, StoreUnavailable
from shared.patience import patience
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.contract.webhooks import Now

TENANT = "contoso"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Two processes that share a store and a file of secrets, and the clock of both."""

    one: SubmissionSecrets
    other: SubmissionSecrets
    policies: Policies
    endpoint: Endpoint
    file: Path
    now: Now
    container: Any

    async def document(self) -> dict[str, Any]:
        return dict(await self.container.read_item("submission", TENANT))

    def kept(self) -> str:
        """What stands in the file of secrets."""
        return self.file.read_text()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture
async def desk(endpoint: Endpoint, tmp_path: Path) -> AsyncIterator[Desk]:
    file, now = tmp_path / "keys-webhooks.json", Now()
    async with endpoint.container("policies") as container:
        one, other = (SubmissionSecrets(container, secrets=FileSecrets(file), clock=now) for _ in range(2))
        policies = Policies(container, clock=now)
        yield Desk(one=one, other=other, policies=policies, endpoint=endpoint, file=file, now=now, container=container)
        endpoint.reset()
        await one.delete(TENANT)


async def test_a_tenant_without_a_secret_has_none_and_is_asked_for_once_a_minute(desk: Desk) -> None:
    assert [await desk.one.valid(name) for name in (TENANT, "unknown")] == [(), ()]
    desk.endpoint.reset()
    assert [await desk.one.valid(name) for name in (TENANT, "unknown") * 5] == [()] * 10
    assert desk.endpoint.counts("policies") == {}


async def test_a_first_secret_is_seen_at_once_here_and_within_a_minute_elsewhere(desk: Desk) -> None:
    assert await desk.one.valid(TENANT) == await desk.other.valid(TENANT) == ()
    secret = await desk.one.rotate(TENANT, keep_old=True)
    assert secret.startswith("whsec_")
    assert await desk.one.valid(TENANT) == (secret,)
    assert await desk.other.valid(TENANT) == ()
    desk.now.offset += CACHE_SECONDS
    assert await desk.other.valid(TENANT) == (secret,)


async def test_what_counts_is_kept_for_a_minute(desk: Desk) -> None:
    secret = await desk.one.rotate(TENANT, keep_old=False)
    await desk.one.valid(TENANT)
    desk.endpoint.reset()
    desk.file.unlink()
    assert [await desk.one.valid(TENANT) for _ in range(5)] == [(secret,)] * 5
    assert desk.endpoint.counts("policies") == {}


async def test_the_document_names_the_secrets_and_holds_none(desk: Desk) -> None:
    first, second = [await desk.one.rotate(TENANT, keep_old=True) for _ in range(2)]
    document = {name: value for name, value in (await desk.document()).items() if not name.startswith("_")}
    assert document.keys() == {"id", "tenantId", "current", "previous", "previous_until"}
    assert document["previous_until"] == pytest.approx(desk.now() + PREVIOUS_SECRET_SECONDS, abs=5)
    for secret in (first, second):
        assert secret in desk.kept()
        assert not desk.endpoint.holds(secret.removeprefix("whsec_"))


async def test_an_old_secret_counts_for_a_day_more_and_ends_on_time_whatever_is_cached(desk: Desk) -> None:
    old, new = [await desk.one.rotate(TENANT, keep_old=True) for _ in range(2)]
    assert await desk.one.valid(TENANT) == (new, old)
    desk.now.offset += PREVIOUS_SECRET_SECONDS - 10
    assert await desk.one.valid(TENANT) == (new, old)
    desk.endpoint.reset()
    desk.now.offset += 10
    assert await desk.one.valid(TENANT) == (new,)
    assert desk.endpoint.counts("policies") == {}


async def test_an_old_secret_that_is_not_kept_ends_at_once_and_leaves_the_file(desk: Desk) -> None:
    old = await desk.one.rotate(TENANT, keep_old=True)
    assert await desk.other.valid(TENANT) == (old,)
    new = await desk.one.rotate(TENANT, keep_old=False)
    assert await desk.one.valid(TENANT) == (new,)
    desk.now.offset += CACHE_SECONDS
    assert await desk.other.valid(TENANT) == (new,)
    assert (old in desk.kept(), new in desk.kept()) == (False, True)


async def test_the_secret_before_the_previous_one_leaves_the_file(desk: Desk) -> None:
    first, second, third = [await desk.one.rotate(TENANT, keep_old=True) for _ in range(3)]
    assert await desk.one.valid(TENANT) == (third, second)
    assert first not in desk.kept()


async def test_a_deletion_leaves_no_secret_no_document_and_nothing_that_counts(desk: Desk) -> None:
    secret = await desk.one.rotate(TENANT, keep_old=True)
    for _ in range(2):
        await desk.one.delete(TENANT)
        assert await desk.one.valid(TENANT) == ()
        assert secret not in desk.kept()
    assert [found async for found in desk.container.query_items("SELECT * FROM c", partition_key=TENANT)] == []


async def test_a_deletion_that_stopped_half_way_leaves_nothing_that_counts(desk: Desk) -> None:
    await desk.one.rotate(TENANT, keep_old=True)
    await FileSecrets(desk.file).delete(secret_name(TENANT))
    assert await desk.other.valid(TENANT) == ()
    await desk.one.delete(TENANT)
    secret = await desk.one.rotate(TENANT, keep_old=False)
    assert await desk.one.valid(TENANT) == (secret,)


@pytest.mark.parametrize("is_first", [True, False])
async def test_two_rotations_at_once_leave_both_new_secrets_when_old_ones_are_kept(desk: Desk, *, is_first: bool) -> None:
    old = None if is_first else await desk.one.rotate(TENANT, keep_old=True)
    made = await asyncio.gather(*(secrets.rotate(TENANT, keep_old=True) for secrets in (desk.one, desk.other)))
    assert set(await desk.one.valid(TENANT)) == set(await desk.other.valid(TENANT)) == set(made)
    assert old is None or old not in desk.kept()


async def test_two_rotations_at_once_leave_one_new_secret_when_old_ones_are_not_kept(desk: Desk) -> None:
    old = await desk.one.rotate(TENANT, keep_old=True)
    made = await asyncio.gather(*(secrets.rotate(TENANT, keep_old=False) for secrets in (desk.one, desk.other)))
    [left] = await desk.one.valid(TENANT)
    assert await desk.other.valid(TENANT) == (left,)
    assert [secret in desk.kept() for secret in (old, *made)] == [False, *(secret == left for secret in made)]


async def test_a_secret_that_is_replaced_between_the_reading_of_its_id_and_of_itself_is_read_again(desk: Desk) -> None:
    await desk.one.rotate(TENANT, keep_old=False)
    made: list[str] = []

    class Interrupted(FileSecrets):
        """Another process rotates before the first reading."""

        async def get(self, name: str, kid: str) -> str | None:
            if not made:
                made.append(await desk.one.rotate(TENANT, keep_old=False))
            return await super().get(name, kid)

    reader = SubmissionSecrets(desk.container, secrets=Interrupted(desk.file), clock=desk.now)
    assert await reader.valid(TENANT) == tuple(made)


@pytest.mark.parametrize("operation", ["create", "replace"])
async def test_a_write_that_the_client_repeats_is_known_again(desk: Desk, operation: str) -> None:
    old = await desk.one.rotate(TENANT, keep_old=True) if operation == "replace" else None
    desk.endpoint.fault(container="policies", operation=operation, drop_after_write=True)
    new = await desk.one.rotate(TENANT, keep_old=True)
    assert desk.endpoint.counts("policies")[operation] > 1, "the fault was not met"
    assert await desk.one.valid(TENANT) == ((new,) if old is None else (new, old))


async def test_the_cache_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 3)
    for name in (TENANT, "a", "b", "c"):
        await desk.one.valid(name)
    desk.endpoint.reset()
    await desk.one.valid(TENANT)
    assert desk.endpoint.counts("policies") == {"read": 1}


async def test_a_store_or_a_file_out_of_reach_decides_nothing_and_is_not_kept(desk: Desk) -> None:
    secret = await desk.one.rotate(TENANT, keep_old=True)
    desk.endpoint.fault(container="policies", status=403, count=100)
    with patience(0), pytest.raises(StoreUnavailable):
        await desk.one.valid(TENANT)
    desk.endpoint.reset()
    before = desk.kept()
    desk.file.write_text("{broken")
    with pytest.raises(KeysUnavailable):
        await desk.one.valid(TENANT)
    desk.file.write_text(before)
    assert await desk.one.valid(TENANT) == (secret,)


async def test_the_document_is_no_policy(desk: Desk) -> None:
    await desk.one.rotate(TENANT, keep_old=True)
    assert await desk.policies.get(TENANT) is None
    assert await desk.policies.of_principal(directory="d", client_id="c") is None


def test_a_secret_is_in_no_repr() -> None:
    assert "whsec" not in repr(_Loaded(signing=None, secrets={"1": "whsec_1"}))
