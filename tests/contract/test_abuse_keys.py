"""The keys of abuse review against the local vault with its rules: the app makes, seals, deletes, and opens nothing."""

from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from itertools import count

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys.crypto import KeyWrapAlgorithm

from local import clock
from shared.azure.abuse_keys import KEY_BITS, AbuseKeys
from shared.domain.abuse_record import authenticated
from shared.domain.sealing import seal
from shared.errors import KeysUnavailable
from tests.contract.vault import Running, fresh_vault

DAY = 86_400
WRAP = KeyWrapAlgorithm.rsa_oaep_256
MINE = authenticated("contoso", "a" * 40, 1)
DAYS = count(1)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with fresh_vault(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
async def keys(vault: Running) -> AsyncIterator[AbuseKeys]:
    async with vault.abuse_keys() as found:
        yield found


@pytest.fixture
def name() -> str:
    """A day of the test's own."""
    number = next(DAYS)
    return f"lethe-abuse-2027-{1 + number // 28:02}-{1 + number % 28:02}"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.patience._PATIENCE", ContextVar("patience", default=0.0))


async def test_a_days_key_is_made_once_and_known_by_its_version(vault: Running, keys: AbuseKeys, name: str) -> None:
    made = await keys.sealing_key(name)
    assert (made.name, made.public.key_size) == (name, KEY_BITS)
    assert await keys.sealing_key(name) is made
    async with vault.abuse_keys() as another:
        assert (await another.sealing_key(name)).version == made.version
    assert name in await keys.names()


async def test_what_is_sealed_with_it_the_app_cannot_open_by_anything_it_may_do(
    vault: Running, keys: AbuseKeys, name: str
) -> None:
    sealed = seal(b"a prompt", key=await keys.sealing_key(name), authenticated=MINE, sealed_until=1)
    async with vault.client() as client:
        key = client.get_cryptography_client(name, key_version=sealed.version)
        with pytest.raises(HttpResponseError) as refused:
            await key.unwrap_key(WRAP, sealed.wrapped_key)
        assert refused.value.status_code == 403
    assert not await keys.may_unwrap(name)


async def test_an_identity_that_may_unwrap_is_noticed(vault: Running, keys: AbuseKeys, name: str) -> None:
    await keys.sealing_key(name)
    async with vault.abuse_keys("review_app") as reviewing:
        assert await reviewing.may_unwrap(name)


async def test_only_keys_of_days_are_listed(vault: Running, keys: AbuseKeys, name: str) -> None:
    await keys.sealing_key(name)
    async with vault.client() as client:
        assert "lethe-evidence" in [each.name async for each in client.list_properties_of_keys()]
    listed = await keys.names()
    assert name in listed
    assert all(each.startswith("lethe-abuse-") for each in listed)


async def test_a_deleted_key_can_be_recovered_until_its_days_are_over_and_is_gone_then(keys: AbuseKeys, name: str) -> None:
    await keys.sealing_key(name)
    assert await keys.recovery_days(name) == 7
    await keys.delete(name)
    await keys.delete(name)
    assert name not in await keys.names()
    assert (await keys.recoverable())[name] == pytest.approx(clock.now() + 7 * DAY, abs=60)
    assert not await keys.is_gone(name)
    assert await keys.recovery_days(name) is None
    clock.advance(7 * DAY - 3600)
    assert not await keys.is_gone(name)
    clock.advance(3700)
    assert name not in await keys.recoverable()
    assert await keys.is_gone(name)


async def test_the_app_cannot_destroy_a_key_before_that(vault: Running, keys: AbuseKeys, name: str) -> None:
    await keys.sealing_key(name)
    await keys.delete(name)
    async with vault.client() as client:
        with pytest.raises(HttpResponseError) as refused:
            await client.purge_deleted_key(name)
    assert refused.value.status_code == 403


async def test_a_deleted_key_seals_no_more_in_the_process_that_deleted_it(keys: AbuseKeys, name: str) -> None:
    await keys.sealing_key(name)
    await keys.delete(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.patience._PATIENCE", ContextVar("patience", default=0.0))
        with pytest.raises(KeysUnavailable):  # its name is held until it is gone
            await keys.sealing_key(name)


@pytest.mark.usefixtures("impatient")
async def test_whoever_may_nothing_learns_nothing_but_that(vault: Running) -> None:
    async with vault.abuse_keys("contoso") as stranger:
        for attempt in (
            stranger.sealing_key("lethe-abuse-2026-01-01"),
            stranger.names(),
            stranger.recoverable(),
            stranger.is_gone("lethe-abuse-2026-01-01"),
            stranger.delete("lethe-abuse-2026-01-01"),
        ):
            with pytest.raises(KeysUnavailable):
                await attempt


async def test_a_short_outage_is_waited_out(vault: Running, keys: AbuseKeys, name: str) -> None:
    made = await keys.sealing_key(name)
    vault.crash_and_restart()
    async with vault.abuse_keys() as another:
        assert (await another.sealing_key(name)).version == made.version
