"""The management endpoint as tests meet it: a running part, and the pipeline of Azure's own management libraries for it."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
from azure.core import AsyncPipelineClient
from azure.core.credentials import AccessToken
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core import AsyncARMPipelineClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from tests.parts import running

SCOPE = "https://management.azure.com/.default"
VERSION = "2024-01-01"


class Token:
    """A credential with a token that nobody looks into."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:  # noqa: ANN401
        return AccessToken("token", int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Nothing is open."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """The official pipeline on a running endpoint; it never repeats a request."""

    client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse]

    async def ask(self, path: str, *, method: str = "GET", version: str | None = VERSION) -> tuple[int, Any]:
        """Send a request; return status and body."""
        params = {} if version is None else {"api-version": version}
        request = HttpRequest(method, self.client.format_url(path), params=params)
        answer = await self.client.send_request(request, enforce_https=False)
        return answer.status_code, json.loads(await answer.read() or b"null")

    async def get(self, path: str) -> Any:  # noqa: ANN401
        """Read what is there."""
        status, body = await self.ask(path)
        assert status == 200, body
        return body


@dataclass(frozen=True, kw_only=True)
class Management:
    """Where a running management endpoint listens."""

    url: str

    @asynccontextmanager
    async def arm(self) -> AsyncIterator[Arm]:
        policy = AsyncARMChallengeAuthenticationPolicy(Token(), SCOPE)
        async with AsyncARMPipelineClient[HttpRequest, AsyncHttpResponse](self.url, policies=[policy]) as client:
            yield Arm(client=client)

    def control(self, method: str, what: str, **body: object) -> httpx2.Response:
        """A call of the control URL."""
        return httpx2.request(method, f"{self.url}/_control/{what}", json=body, timeout=10)

    def override(self, resource: str, **changes: object) -> None:
        """Let a resource be read otherwise."""
        self.control("POST", "overrides", id=resource, **changes).raise_for_status()

    def fault(self, **fault: object) -> None:
        """Arm a fault."""
        self.control("POST", "faults", **fault).raise_for_status()

    def reset(self) -> None:
        """No overrides, no faults."""
        for what in ("overrides", "faults"):
            self.control("DELETE", what).raise_for_status()


@contextmanager
def managing(state: Path, **environment: str) -> Iterator[Management]:
    """Run a management endpoint beside the broker whose state folder is given."""
    with running("management", state, **environment) as part:
        yield Management(url=f"http://127.0.0.1:{part.port}")
