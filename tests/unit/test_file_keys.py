import base64
import json
import time
import traceback
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

from shared.azure.keys import FileKeys, VaultKeys, open_store
from shared.domain.macs import Key, Purpose
from shared.errors import InvalidSettings, KeysUnavailable
from shared.patience import patience, patient

OLD, NEW = b"o" * 32, b"n" * 48
OLD_ENTRY, NEW_ENTRY = ({"kid": kid, "secret": base64.b64encode(secret).decode()} for kid, secret in (("1", OLD), ("2", NEW)))


def store(folder: Path, content: object) -> FileKeys:
    """A key store whose file holds this text, or this value as JSON."""
    path = folder / "keys.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return FileKeys(path)


class NobodysCredential(AsyncTokenCredential):
    async def get_token(self, *_: str, **__: object) -> AccessToken:
        raise NotImplementedError

    async def close(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


async def test_the_last_key_of_a_list_is_the_current_one_and_older_ones_are_found_by_id(tmp_path: Path) -> None:
    keys = store(tmp_path, {"contoso": {"content": [OLD_ENTRY, NEW_ENTRY]}})
    assert await keys.current("contoso", Purpose.CONTENT) == Key(kid="2", secret=NEW)
    assert await keys.by_id("contoso", Purpose.CONTENT, "1") == Key(kid="1", secret=OLD)
    assert await keys.by_id("contoso", Purpose.CONTENT, "3") is None


async def test_all_keys_are_the_newest_first_and_none_are_unavailable(tmp_path: Path) -> None:
    keys = store(tmp_path, {"contoso": {"subject": [OLD_ENTRY, NEW_ENTRY], "content": []}})
    assert await keys.all("contoso", Purpose.SUBJECT) == (Key(kid="2", secret=NEW), Key(kid="1", secret=OLD))
    for tenant, purpose in (("contoso", Purpose.CONTENT), ("fabrikam", Purpose.SUBJECT)):
        with pytest.raises(KeysUnavailable):
            await keys.all(tenant, purpose)


async def test_a_rotation_is_seen_without_a_restart(tmp_path: Path) -> None:
    keys = store(tmp_path, {"contoso": {"content": [OLD_ENTRY]}})
    assert (await keys.current("contoso", Purpose.CONTENT)).kid == "1"
    store(tmp_path, {"contoso": {"content": [OLD_ENTRY, NEW_ENTRY]}})
    assert (await keys.current("contoso", Purpose.CONTENT)).kid == "2"


@pytest.mark.parametrize(
    ("tenant", "purpose"), [("fabrikam", Purpose.CONTENT), ("contoso", Purpose.SUBJECT), ("contoso", Purpose.JOB_ID)]
)
async def test_a_tenant_or_purpose_without_a_key_borrows_none(tmp_path: Path, tenant: str, purpose: Purpose) -> None:
    keys = store(tmp_path, {"contoso": {"content": [OLD_ENTRY], "subject": []}})
    with pytest.raises(KeysUnavailable):
        await keys.current(tenant, purpose)
    assert await keys.by_id(tenant, purpose, "1") is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "canary4f1c",
        "[]",
        "null",
        {"contoso": []},
        {"contoso": None},
        {"contoso": {"content": 1}},
        {"contoso": {"content": "canary4f1c"}},
        {"contoso": {"content": ["canary4f1c"]}},
        {"contoso": {"content": [None]}},
        {"contoso": {"content": [{"kid": "1"}]}},
        {"contoso": {"content": [{"secret": OLD_ENTRY["secret"]}]}},
        {"contoso": {"content": [{"kid": "1", "secret": None}]}},
        {"contoso": {"content": [{"kid": "1", "secret": "canary4f1c!"}]}},  # no base64
        {"contoso": {"content": [{"kid": "1", "secret": "canary4f1c\u00e9"}]}},
        {"contoso": {"content": [{"kid": "1", "secret": base64.b64encode(b"s" * 31).decode()}]}},  # too short
        {"contoso": {"content": [{"kid": "1", "secret": ""}, NEW_ENTRY]}},
    ],
)
async def test_a_malformed_file_is_an_unavailable_key_store_and_is_not_quoted(tmp_path: Path, content: object) -> None:
    keys = store(tmp_path, content)
    try:
        await keys.current("contoso", Purpose.CONTENT)
    except KeysUnavailable:
        assert "canary4f1c" not in traceback.format_exc()
    else:
        pytest.fail("a key was found")


async def test_a_missing_file_is_an_unavailable_key_store(tmp_path: Path) -> None:
    with pytest.raises(KeysUnavailable):
        await FileKeys(tmp_path / "none.json").by_id("contoso", Purpose.CONTENT, "1")


async def test_the_url_chooses_the_key_store(tmp_path: Path) -> None:
    store(tmp_path, {"contoso": {"content": [NEW_ENTRY]}})
    opened = open_store((tmp_path / "keys.json").as_uri(), credential=NobodysCredential(), clock=time.time)
    assert (await opened.current("contoso", Purpose.CONTENT)).secret == NEW
    await opened.close()
    vault = open_store("https://lethe.vault.azure.net", credential=NobodysCredential(), clock=time.time)
    assert isinstance(vault, VaultKeys)
    await vault.close()


@pytest.mark.parametrize("url", ["http://lethe.vault.azure.net", "keys.json", "", "env:KEYS"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        open_store(url, credential=NobodysCredential(), clock=time.time)
    assert refused.value.setting == "LETHE_KEY_STORE"


async def test_an_operation_is_repeated_until_its_service_answers_or_patience_ends() -> None:
    calls = 0

    @patient
    async def read(answers_at: int) -> int:
        nonlocal calls
        calls += 1
        if calls < answers_at:
            raise KeysUnavailable
        return calls

    assert await read(2) == 2
    calls = 0
    with pytest.raises(KeysUnavailable), patience(0):
        await read(2)
    assert calls == 1


async def test_what_a_service_decided_is_not_asked_again() -> None:
    calls = 0

    @patient
    async def read() -> None:
        nonlocal calls
        calls += 1
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await read()
    assert calls == 1
