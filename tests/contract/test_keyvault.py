"""Keys in Azure Key Vault: the real client against a server that speaks the vault's wire protocol."""

import base64
import json
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.keyvault.secrets.aio import SecretClient

from shared.azure.keys import VaultKeys
from shared.domain.macs import Key, Purpose
from shared.errors import KeysUnavailable
from shared.patience import patience
from tests.contract.loopback import Answer, Asked, Server, serving
from tests.contract.vault import VAULT, ToLoopback

OLD, NEW = b"o" * 32, b"n" * 32
CANARY = "canary4f1c"


class AnyCredential(AsyncTokenCredential):
    """A token for everybody who asks."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401
        return AccessToken("vault-token", int(time.time()) + 3600)

    async def close(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


@dataclass(kw_only=True)
class Vault:
    """Secrets as ``{name: {version: value}}``, the last version is the newest; ``fails`` is the status of every answer."""

    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    """Versions that are listed, and whose value nobody is given."""
    fails: int | None = None

    def answer(self, asked: Asked) -> Answer:
        if not asked.header("authorization"):
            challenge = 'Bearer authorization="https://login.microsoftonline.com/tid", resource="https://vault.azure.net"'
            return Answer(status=401, headers={"WWW-Authenticate": challenge})
        if self.fails:
            return self._error(self.fails)
        _, kind, name, version = asked.path.partition("?")[0].split("/")
        versions = self.secrets.get(name, {})
        if version == "versions":
            return self._versions(name, after=asked.path.partition("after=")[2])
        version = version or next(reversed(versions), "")
        if version in self.disabled:
            return self._error(403)
        if kind != "secrets" or version not in versions:
            return self._error(404)
        secret = {"value": versions[version], "id": f"{VAULT}/secrets/{name}/{version}", "attributes": {"enabled": True}}
        return Answer(body=json.dumps(secret).encode(), headers={"Content-Type": "application/json"})

    def _versions(self, name: str, *, after: str) -> Answer:
        """One version a page, as no order says: by their names."""
        versions = self.secrets.get(name, {})
        created = {version: 1000 + number for number, version in enumerate(versions)}
        left = sorted(version for version in versions if version > after)
        attributes = [{"enabled": version not in self.disabled, "created": created[version]} for version in left[:1]]
        page = [{"id": f"{VAULT}/secrets/{name}/{left[0]}", "attributes": found} for found in attributes]
        more = f"{VAULT}/secrets/{name}/versions?after={left[0]}" if len(left) > 1 else None
        body = json.dumps({"value": page, "nextLink": more}).encode()
        return Answer(body=body, headers={"Content-Type": "application/json"}) if versions else self._error(404)

    def _error(self, status: int) -> Answer:
        body = {"error": {"code": "Any", "message": f"{CANARY} {self.secrets}"}}
        return Answer(status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


@dataclass(kw_only=True)
class Opened:
    """An open key store, the vault behind it, and the clock that it looks at."""

    keys: VaultKeys
    vault: Vault
    server: Server
    now: float = 1000.0

    def reads(self) -> list[str]:
        """Paths of the authorised reads so far."""
        return [asked.path.partition("?")[0] for asked in self.server.asked if asked.header("authorization")]


@asynccontextmanager
async def opened(secrets: dict[str, dict[str, str]]) -> AsyncIterator[Opened]:
    vault = Vault(secrets=secrets)
    async with serving(vault.answer) as server:
        client = SecretClient(VAULT, AnyCredential(), transport=ToLoopback(server.origin), retry_total=0)
        found = Opened(keys=VaultKeys(client, clock=lambda: found.now), vault=vault, server=server)
        try:
            yield found
        finally:
            await found.keys.close()


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.patience._PATIENCE", ContextVar("patience", default=0.0))


def encoded(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


def both() -> dict[str, dict[str, str]]:
    return {"lethe-contoso-job-id": {"v1": encoded(OLD), "v2": encoded(NEW)}}


async def test_the_newest_version_is_the_current_key_and_its_version_the_key_id() -> None:
    async with opened(both()) as store:
        assert await store.keys.current("contoso", Purpose.JOB_ID) == Key(kid="v2", secret=NEW)
        assert store.reads() == ["/secrets/lethe-contoso-job-id/"]


async def test_an_older_version_is_found_by_its_id() -> None:
    async with opened(both()) as store:
        assert await store.keys.by_id("contoso", Purpose.JOB_ID, "v1") == Key(kid="v1", secret=OLD)
        assert store.reads() == ["/secrets/lethe-contoso-job-id/v1"]


async def test_all_versions_are_the_newest_first_without_those_that_are_disabled() -> None:
    secrets = {"lethe-contoso-subject": {"c": encoded(OLD), "a": encoded(b"d" * 32), "b": encoded(NEW)}}
    async with opened(secrets) as store:
        store.vault.disabled.add("a")
        assert await store.keys.all("contoso", Purpose.SUBJECT) == (Key(kid="b", secret=NEW), Key(kid="c", secret=OLD))
        secrets["lethe-contoso-subject"]["z"] = encoded(OLD)
        assert [key.kid for key in await store.keys.all("contoso", Purpose.SUBJECT)] == ["z", "b", "c"]


async def test_a_list_without_a_version_or_without_an_answer_is_unavailable_and_never_empty() -> None:
    async with opened({"lethe-contoso-subject": {"a": encoded(OLD)}}) as store:
        with pytest.raises(KeysUnavailable):
            await store.keys.all("fabrikam", Purpose.SUBJECT)
        store.vault.disabled.add("a")
        with pytest.raises(KeysUnavailable):
            await store.keys.all("contoso", Purpose.SUBJECT)
        store.vault.fails = 503
        with pytest.raises(KeysUnavailable):
            await store.keys.all("contoso", Purpose.SUBJECT)


async def test_the_vault_gets_the_token_and_no_secret() -> None:
    async with opened(both()) as store:
        await store.keys.current("contoso", Purpose.JOB_ID)
        assert store.server.asked[-1].header("authorization") == ["Bearer vault-token"]
        assert all(asked.method == "GET" and not asked.body for asked in store.server.asked)


async def test_a_key_is_read_again_after_an_hour_of_the_clock() -> None:
    async with opened(both()) as store:
        for _ in range(3):
            await store.keys.current("contoso", Purpose.JOB_ID)
        store.vault.secrets["lethe-contoso-job-id"]["v3"] = encoded(OLD)
        store.now += 3599
        assert (await store.keys.current("contoso", Purpose.JOB_ID)).kid == "v2"
        assert len(store.reads()) == 1
        store.now += 1
        assert (await store.keys.current("contoso", Purpose.JOB_ID)).kid == "v3"
        assert len(store.reads()) == 2


async def test_a_clock_that_was_set_back_trusts_no_cache() -> None:
    async with opened(both()) as store:
        await store.keys.current("contoso", Purpose.JOB_ID)
        store.now -= 1
        await store.keys.current("contoso", Purpose.JOB_ID)
        assert len(store.reads()) == 2


@pytest.mark.parametrize(("tenant", "purpose"), [("fabrikam", Purpose.JOB_ID), ("contoso", Purpose.CONTENT)])
async def test_another_tenant_or_purpose_has_a_secret_of_its_own(tenant: str, purpose: Purpose) -> None:
    async with opened(both()) as store:
        await store.keys.current("contoso", Purpose.JOB_ID)
        with pytest.raises(KeysUnavailable):
            await store.keys.current(tenant, purpose)
        assert store.reads()[-1] == f"/secrets/lethe-{tenant}-{purpose}/"


async def test_a_version_that_is_no_more_is_none_and_not_asked_for_again() -> None:
    async with opened(both()) as store:
        for _ in range(2):
            assert await store.keys.by_id("contoso", Purpose.JOB_ID, "v0") is None
        assert len(store.reads()) == 1


async def failure(store: Opened) -> str:
    """Ask for a key that cannot be had; return all that a log could get."""
    try:
        await store.keys.current("contoso", Purpose.JOB_ID)
    except KeysUnavailable as error:
        return f"{error} {error!r} {traceback.format_exc()}"
    raise AssertionError("a key was found")


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_vault_that_refuses_or_fails_is_unavailable_and_is_not_quoted(status: int) -> None:
    async with opened(both()) as store:
        store.vault.fails = status
        told = await failure(store)
        assert CANARY not in told
        store.vault.fails = None
        assert (await store.keys.current("contoso", Purpose.JOB_ID)).kid == "v2"  # a failure is not cached


@pytest.mark.parametrize("value", ["", "no base64: canary4f1c", encoded(b"s" * 31), "canary4f1c\u00e9"])
async def test_a_secret_that_is_no_key_is_unavailable_and_is_not_quoted(value: str) -> None:
    async with opened({"lethe-contoso-job-id": {"v1": value}}) as store:
        assert CANARY not in await failure(store)


async def test_a_vault_out_of_reach_is_unavailable() -> None:
    async with serving() as gone:
        pass
    client = SecretClient(VAULT, AnyCredential(), transport=ToLoopback(gone.origin), retry_total=0)
    keys = VaultKeys(client, clock=time.time)
    with pytest.raises(KeysUnavailable):
        await keys.current("contoso", Purpose.JOB_ID)
    await keys.close()


async def test_a_short_outage_is_waited_out() -> None:
    async with opened(both()) as store:
        refusals = [503, 503]

        def answers(asked: Asked) -> Answer:
            refused = asked.header("authorization") and refusals
            return Answer(status=refusals.pop()) if refused else store.vault.answer(asked)

        store.server.answers = answers
        with patience(10):
            assert (await store.keys.current("contoso", Purpose.JOB_ID)).kid == "v2"
