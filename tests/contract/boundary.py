"""What the attacks on the boundary share: one prompt, the official client that falls for them, and ours that must not."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpx2
import pytest
from openai import AsyncOpenAI

from shared.azure.model import GuardedTransport, Models
from shared.errors import Failure, ModelFailed
from tests.contract.loopback import Asked, Server, serving

CANARY = "canary4f1c"
PROMPT = {"model": "gpt-small-eu", "input": CANARY}
BODY = b'{"model":"gpt-small-eu","input":"canary4f1c"}'
RESOURCE = "https://lethe.openai.azure.com/openai/v1/"
"""A listed resource for tests without a network."""
AMBIENT = [
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS"),
    *("OPENAI_LOG", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "NETRC"),
]


def clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the machine of the test has of the variables that attacks set."""
    for name in AMBIENT:
        monkeypatch.delenv(name, raising=False)


async def token() -> str:
    return "entra-token"


def base_url(server: Server) -> str:
    """A server's base URL, as a deployment has it."""
    return f"{server.origin}/openai/v1/"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The resource that is listed, and a server of the attacker."""

    listed: Server
    elsewhere: Server


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """Both servers, for the length of a block."""
    async with serving() as listed, serving() as elsewhere:
        yield Scene(listed=listed, elsewhere=elsewhere)


def official(url: str) -> AsyncOpenAI:
    """The official client with its defaults; it tries once, for quick tests."""
    return AsyncOpenAI(base_url=url, api_key="entra-token", max_retries=0)


async def official_call(client: AsyncOpenAI, path: str = "responses") -> None:
    """Post the prompt as a caller would; how it ends does not matter, only who got what."""
    async with client:
        with suppress(Exception):  # some attacks make it fail, with errors of any library
            await client.post(path, body=PROMPT, cast_to=object)


async def our_call(url: str, path: str = "responses") -> Failure | None:
    """Post the prompt through Lethe's client, with this resource as the only listed one; return the failure, None for a 200."""
    models = Models([url], token=token, timeout=5)
    try:
        await models.call(url, path, PROMPT)
    except ModelFailed as failed:
        return failed.failure
    else:
        return None
    finally:
        await models.close()


def undisturbed(server: Server) -> tuple[object, ...]:
    """What a server must have been asked, exactly, whatever the attack."""
    headers = {
        "host": server.origin.partition("://")[2],
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "authorization": "Bearer entra-token",
        "content-type": "application/json",
        "content-length": str(len(BODY)),
    }
    return "POST", "/openai/v1/responses", sorted(headers.items()), BODY


def wire(asked: Asked) -> tuple[object, ...]:
    """What a server was asked, with the names of headers in one spelling."""
    return asked.method, asked.path, sorted((name.lower(), value) for name, value in asked.headers), asked.body


class Network(httpx2.AsyncBaseTransport):
    """Stands where the network would be, and remembers what it was given."""

    def __init__(self) -> None:
        self.sent: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        return httpx2.Response(200, json={})

    @property
    def hosts(self) -> list[str]:
        """The hosts that got the prompt."""
        return [sent.url.raw_host.decode() for sent in self.sent if json.loads(sent.content) == PROMPT]


class Tokens:
    """Makes tokens, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        return "entra-token"


def guarded(network: Network, tokens: Tokens | None = None) -> GuardedTransport:
    """Our guard in front of a network, with `RESOURCE` listed."""
    return GuardedTransport(network, base_urls=frozenset({RESOURCE}), token=tokens or Tokens())
