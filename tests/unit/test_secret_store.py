import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from shared.azure.secret_store import KEPT_VERSIONS, FileSecrets, VaultSecrets, open_secrets
from shared.errors import InvalidSettings, KeysUnavailable
from shared.patience import patience
from tests.parts import ROOT

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.keyvault.secrets.aio import SecretClient

NAME = "lethe-contoso-webhook-we-1"
WRITER = """
import asyncio, sys
from pathlib import Path
from shared.azure.secret_store import FileSecrets
async def main():
    secrets = FileSecrets(Path(sys.argv[1]))
    for number in range(20):
        await secrets.put(f"{sys.argv[2]}-{number}", "whsec_x")
asyncio.run(main())
"""


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_a_version_never_changes_and_a_new_one_stands_beside_it(tmp_path: Path) -> None:
    secrets = FileSecrets(tmp_path / "secrets.json")
    first = await secrets.put(NAME, "whsec_1")
    second = await secrets.put(NAME, "whsec_2")
    assert [await secrets.get(NAME, kid) for kid in (first, second, "other")] == ["whsec_1", "whsec_2", None]
    assert await secrets.get("another", first) is None


async def test_versions_that_sign_nothing_any_more_are_forgotten(tmp_path: Path) -> None:
    secrets = FileSecrets(tmp_path / "secrets.json")
    first = await secrets.put(NAME, "whsec_first")
    for number in range(KEPT_VERSIONS):
        await secrets.put(NAME, f"whsec_{number}")
    assert await secrets.get(NAME, first) is None
    assert "whsec_first" not in (tmp_path / "secrets.json").read_text()


async def test_what_is_deleted_is_in_no_file(tmp_path: Path) -> None:
    secrets = FileSecrets(tmp_path / "secrets.json")
    kid = await secrets.put(NAME, "whsec_canary")
    await secrets.delete(NAME)
    await secrets.delete(NAME)
    assert await secrets.get(NAME, kid) is None
    assert b"canary" not in contents(tmp_path)


async def test_secrets_are_listed_by_the_beginning_of_their_names(tmp_path: Path) -> None:
    vault = Vault()
    for secrets in (FileSecrets(tmp_path / "secrets.json"), VaultSecrets(cast("SecretClient", vault))):
        assert await secrets.names("lethe-") == []
        for name in (NAME, "lethe-contoso-submission", "lethe-fabrikam-webhook-we-1"):
            await secrets.put(name, "whsec_1")
        assert await secrets.names("lethe-contoso-webhook-") == [NAME]
        await secrets.delete(NAME)
        assert await secrets.names("lethe-contoso-webhook-") == []
    vault.is_away = True
    with patience(0), pytest.raises(KeysUnavailable):
        await secrets.names("lethe-")


async def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    await FileSecrets(tmp_path / "secrets.json").put(NAME, "whsec_1")
    assert modes(tmp_path) == {0o600}


async def test_writers_of_several_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("a", "b")]  # noqa: ASYNC220, S603
    await asyncio.gather(*(FileSecrets(path).put(f"c-{number}", "whsec_x") for number in range(20)))
    assert [await asyncio.to_thread(writer.wait, 60) for writer in writers] == [0, 0]
    assert len(json.loads(path.read_text())) == 60


async def test_a_file_that_cannot_be_read_is_unavailable_and_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("{broken")
    for attempt in (FileSecrets(path).get(NAME, "1"), FileSecrets(path).put(NAME, "whsec_1")):
        with pytest.raises(KeysUnavailable):
            await attempt
    assert path.read_text() == "{broken"


class Vault:
    """What Key Vault's client does, as far as it is called."""

    def __init__(self) -> None:
        self.versions: dict[str, list[str]] = {}
        self.reads = 0
        self.disabled: list[str] = []
        self.is_away = False

    async def set_secret(self, name: str, value: str) -> SimpleNamespace:
        self.versions.setdefault(name, []).append(value)
        return SimpleNamespace(properties=SimpleNamespace(version=str(len(self.versions[name]))))

    async def get_secret(self, name: str, version: str) -> SimpleNamespace:
        self.reads += 1
        if name not in self.versions or int(version) > len(self.versions[name]):
            raise ResourceNotFoundError
        return SimpleNamespace(value=self.versions[name][int(version) - 1])

    async def update_secret_properties(self, name: str, version: str, *, enabled: bool) -> None:
        if name not in self.versions:
            raise ResourceNotFoundError
        self.disabled += [] if enabled else [version]

    async def list_properties_of_secrets(self) -> AsyncIterator[SimpleNamespace]:
        if self.is_away:
            raise HttpResponseError
        for name in self.versions:
            yield SimpleNamespace(name=name)

    async def delete_secret(self, name: str) -> None:
        if self.versions.pop(name, None) is None:
            raise ResourceNotFoundError


async def test_a_version_in_key_vault_is_read_once_and_gone_when_deleted() -> None:
    vault = Vault()
    secrets = VaultSecrets(cast("SecretClient", vault))
    first = await secrets.put(NAME, "whsec_1")
    second = await secrets.put(NAME, "whsec_2")
    assert [await secrets.get(NAME, kid) for kid in (first, second, first)] == ["whsec_1", "whsec_2", "whsec_1"]
    assert vault.reads == 2
    await secrets.delete(NAME)
    await secrets.delete(NAME)
    assert await secrets.get(NAME, first) is None


async def test_a_version_that_is_retired_leaves_the_file_and_the_others_stay(tmp_path: Path) -> None:
    secrets = FileSecrets(tmp_path / "secrets.json")
    first, second = await secrets.put(NAME, "whsec_1"), await secrets.put(NAME, "whsec_2")
    await secrets.retire(NAME, first)
    await secrets.retire(NAME, first)
    await secrets.retire("unknown", first)
    assert [await secrets.get(NAME, kid) for kid in (first, second)] == [None, "whsec_2"]
    assert "whsec_1" not in (tmp_path / "secrets.json").read_text()


async def test_a_version_that_is_retired_is_disabled_in_key_vault() -> None:
    vault = Vault()
    secrets = VaultSecrets(cast("SecretClient", vault))
    first = await secrets.put(NAME, "whsec_1")
    await secrets.retire(NAME, first)
    await secrets.retire("unknown", first)
    assert vault.disabled == [first]


async def test_the_secrets_lie_beside_the_keys_of_the_url(tmp_path: Path) -> None:
    credential = cast("AsyncTokenCredential", None)
    await open_secrets((tmp_path / "keys.json").as_uri(), credential=credential).put(NAME, "whsec_1")
    assert (tmp_path / "keys-webhooks.json").exists()
    with pytest.raises(InvalidSettings):
        open_secrets("http://vault/", credential=credential)
