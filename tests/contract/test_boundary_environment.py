"""Attacks by the environment: each works on the official client, and changes no byte of what ours sends."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI

from tests.contract.boundary import (
    BODY,
    CANARY,
    Scene,
    base_url,
    clear_environment,
    official,
    official_call,
    our_call,
    scene,
    undisturbed,
    wire,
)


@dataclass(frozen=True, kw_only=True)
class Attack:
    """Variables (``{elsewhere}`` is the attacker's origin), a client as a user would build it, and the sign of success."""

    environment: dict[str, str]
    works: Callable[[Scene], bool]
    client: Callable[[str], AsyncOpenAI] = official
    call: Callable[[AsyncOpenAI], Awaitable[None]] = official_call

    def __str__(self) -> str:
        return "+".join(f"{name}={value}" for name, value in self.environment.items())

    def set(self, monkeypatch: pytest.MonkeyPatch, at: Scene) -> None:
        """Change the environment."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value.replace("{elsewhere}", at.elsewhere.origin))


def prompt_elsewhere(at: Scene) -> bool:
    """The attacker has the prompt."""
    return any(CANARY.encode() in asked.body for asked in at.elsewhere.asked)


def call_broken(at: Scene) -> bool:
    """The resource never got the prompt as it was."""
    return all(asked.body != BODY for asked in at.listed.asked)


def header(name: str, value: str) -> Callable[[Scene], bool]:
    """The header is on the wire to the listed resource."""
    return lambda at: any(value in asked.header(name) for asked in at.listed.asked)


def custom(header: str, works: Callable[[Scene], bool]) -> Attack:
    return Attack(environment={"OPENAI_CUSTOM_HEADERS": header}, works=works)


def without_address(_: str) -> AsyncOpenAI:
    return AsyncOpenAI(api_key="entra-token", max_retries=0)


def without_key(url: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=url, max_retries=0)


async def administrate(client: AsyncOpenAI) -> None:
    """Use a route of administration: it takes the administrator's key without being told."""
    async with client:
        await client.admin.organization.projects.create(name="name")


def azure(_: str) -> AsyncOpenAI:
    return AsyncAzureOpenAI(max_retries=0)


AZURE = {"AZURE_OPENAI_ENDPOINT": "{elsewhere}", "OPENAI_API_VERSION": "2024-10-21"}

ATTACKS = [
    # the address; guard: the base URL is always given, and is a listed one
    Attack(environment={"OPENAI_BASE_URL": "{elsewhere}/v1"}, works=prompt_elsewhere, client=without_address),
    Attack(environment=AZURE | {"AZURE_OPENAI_API_KEY": "k"}, works=prompt_elsewhere, client=azure),
    Attack(environment=AZURE | {"AZURE_OPENAI_AD_TOKEN": "t"}, works=prompt_elsewhere, client=azure),
    # a proxy gets every prompt that goes to http; guard: `trust_env` is off, and there is a transport
    *[
        Attack(environment={name: "{elsewhere}"}, works=prompt_elsewhere)
        for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy")
    ],
    Attack(environment={"HTTP_PROXY": "{elsewhere}", "NO_PROXY": "example.com"}, works=prompt_elsewhere),
    # who pays and what is accounted; guard: a client of ours without default headers, and a transport that makes its own
    Attack(environment={"OPENAI_ORG_ID": "org-evil"}, works=header("openai-organization", "org-evil")),
    Attack(environment={"OPENAI_PROJECT_ID": "proj-evil"}, works=header("openai-project", "proj-evil")),
    # keys; guard: the key is a placeholder, and the transport puts a token of Entra ID in its place
    Attack(environment={"OPENAI_API_KEY": "sk-evil"}, works=header("authorization", "Bearer sk-evil"), client=without_key),
    Attack(
        environment={"OPENAI_ADMIN_KEY": "sk-admin"},
        works=header("authorization", "Bearer sk-admin"),
        client=without_key,
        call=administrate,
    ),
    # any header; guard: as above
    custom("Authorization: Bearer evil", header("authorization", "Bearer evil")),
    custom("authorization: Bearer evil", header("authorization", "Bearer evil")),
    custom("api-key: evil", header("api-key", "evil")),
    custom("Host: evil.example", header("host", "evil.example")),
    custom("Accept: text/plain", header("accept", "text/plain")),
    custom("Accept-Encoding: identity", header("accept-encoding", "identity")),
    custom("Cookie: a=b", header("cookie", "a=b")),
    custom("Connection: close", header("connection", "close")),
    custom("X-Forwarded-Host: evil.example", header("x-forwarded-host", "evil.example")),
    custom("x-ms-client-request-id: evil", header("x-ms-client-request-id", "evil")),
    custom("X-One: 1\nX-Two: 2", header("x-two", "2")),
    custom("Transfer-Encoding: chunked", header("transfer-encoding", "chunked")),
    custom("Content-Type: text/plain", header("content-type", "text/plain")),
    # headers that reshape or break the call
    custom("Content-Type: multipart/form-data", call_broken),
    custom("content-type: multipart/form-data; boundary=evil", call_broken),
    custom("Content-Length: 5", call_broken),
    custom("Content-Length: 99999", call_broken),
    custom("X-Evil: \u00e9", call_broken),
]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_environment(monkeypatch)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_the_official_client_falls_for_it(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene() as at:
        await official_call(official(base_url(at.listed)))
        assert (attack.works(at), at.elsewhere.asked) == (False, [])
        at.listed.asked.clear()
        attack.set(monkeypatch, at)
        await attack.call(attack.client(base_url(at.listed)))
    assert attack.works(at)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_ours_sends_the_same_bytes_to_the_same_place(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene() as at:
        attack.set(monkeypatch, at)
        assert await our_call(base_url(at.listed)) is None
    assert not attack.works(at)
    assert at.elsewhere.asked == []
    assert [wire(asked) for asked in at.listed.asked] == [undisturbed(at.listed)]
