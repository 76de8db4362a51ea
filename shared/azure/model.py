"""The only way to a model: the customer's listed Azure OpenAI resources, with Entra ID, over a guarded transport.

The client never retries (the job's own decision does), follows no redirect (a 307 would post the prompt again, to another
host), and takes nothing from the environment: no address, no proxy, no certificate authority, no header, no key. This is the
only module that imports ``openai``; ``tests/contract/test_boundary_*.py`` shows what each guard stops.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn, override

import httpx2
from azure.core.exceptions import AzureError
from openai import APIStatusError, APITimeoutError, AsyncOpenAI, Omit, OpenAIError

from shared.domain.answer import ModelAnswer
from shared.domain.json_document import Json
from shared.errors import Failure, ModelFailed

_NO_KEY = "none"
"""The client wants a key; the guard puts the token in its place."""
_LONGEST_ANSWER = 16_000_000
"""Bytes of an answer that are read; anything a store takes is far smaller."""


class _Client(AsyncOpenAI):
    """The official client without ``OPENAI_CUSTOM_HEADERS``: they could also reshape the body, or break every call."""

    @property
    @override
    def default_headers(self) -> dict[str, str | Omit]:
        return {"Content-Type": "application/json"}


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Lets requests through to the listed hosts only, each made anew: nothing else of the client's request gets out.

    Dropped are all its headers (cookies, ``Authorization`` and ``Host`` too) and the extensions that rename the TLS server or
    replace the target of the request line.
    """

    def __init__(
        self, inner: httpx2.AsyncBaseTransport, *, base_urls: frozenset[str], token: Callable[[], Awaitable[str]]
    ) -> None:
        self._inner = inner
        self._allowed = frozenset(_origin(httpx2.URL(url)) for url in base_urls)
        self._token = token

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request's method, URL and body; raises `ModelFailed` for a host that is not listed."""
        if _origin(request.url) not in self._allowed:
            raise ModelFailed(Failure.ACCESS_DENIED)
        anew = httpx2.Request(
            request.method,
            request.url,
            headers={
                "accept": "application/json",
                "accept-encoding": "gzip, deflate",
                "authorization": f"Bearer {await self._token()}",
                "content-type": "application/json",
            },
            content=await request.aread(),
            extensions={"timeout": request.extensions["timeout"]},
        )
        return await self._inner.handle_async_request(anew)

    async def aclose(self) -> None:
        """Close the pool."""
        await self._inner.aclose()


class Models:
    """Clients of the listed resources (base URLs), one each, made on first use."""

    def __init__(self, endpoints: Iterable[str], *, token: Callable[[], Awaitable[str]], timeout: float) -> None:
        self._endpoints = frozenset(endpoints)
        self._timeout = timeout
        transport = httpx2.AsyncHTTPTransport(trust_env=False, limits=httpx2.Limits(max_connections=200))
        self._http = httpx2.AsyncClient(
            transport=GuardedTransport(transport, base_urls=self._endpoints, token=token),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(timeout, connect=min(10.0, timeout)),
        )
        self._clients: dict[str, _Client] = {}

    async def call(self, endpoint: str, path: str, payload: Json) -> ModelAnswer:
        """Post a payload to a path below a resource's base URL; raises `ModelFailed` for every answer that is no result.

        Nothing of a foreign exception survives: its text may quote the prompt or the completion.
        """
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client(endpoint).post(path, body=payload, cast_to=httpx2.Response)
        except ModelFailed as failed:
            raise ModelFailed(failed.failure) from None
        except (APITimeoutError, TimeoutError):
            raise ModelFailed(Failure.TIMEOUT) from None
        except APIStatusError as error:
            return _of_error(error.response)
        except (OpenAIError, AzureError, httpx2.HTTPError, OSError):  # `AzureError`: there was no token
            raise ModelFailed(Failure.UNAVAILABLE) from None
        if response.status_code != httpx2.codes.OK:
            raise ModelFailed(Failure.INVALID_OUTPUT)
        return ModelAnswer(
            status_code=response.status_code,
            request_id=response.headers.get("apim-request-id") or response.headers.get("x-request-id"),
            region=response.headers.get("x-ms-region"),
            body=_parse(response),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def _client(self, endpoint: str) -> _Client:
        if endpoint not in self._endpoints:
            raise ModelFailed(Failure.ACCESS_DENIED)
        if endpoint not in self._clients:
            self._clients[endpoint] = _Client(
                base_url=endpoint, api_key=_NO_KEY, http_client=self._http, max_retries=0, timeout=self._timeout
            )
        return self._clients[endpoint]


def _of_error(response: httpx2.Response) -> ModelAnswer:
    """Return the 400 of a blocked prompt as an answer; raise `ModelFailed` for every other status."""
    status = response.status_code
    if status == httpx2.codes.BAD_REQUEST:
        body = _parse(response)
        error = body.get("error")
        if isinstance(error, dict) and error.get("code") == "content_filter":
            return ModelAnswer(status_code=status, request_id=None, region=None, body=body)
    raise ModelFailed(_failure(status), retry_after=_retry_after(response.headers)) from None


def _failure(status: int) -> Failure:
    match status:
        case 401 | 403:
            return Failure.ACCESS_DENIED
        case 404:
            return Failure.DEPLOYMENT_NOT_FOUND
        case 408:
            return Failure.TIMEOUT
        case 429:
            return Failure.RATE_LIMITED
        case _ if status < httpx2.codes.BAD_REQUEST or status >= httpx2.codes.INTERNAL_SERVER_ERROR:
            return Failure.UNAVAILABLE
        case _:
            return Failure.REJECTED


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds asked for by the service; a date or nonsense counts as not asked."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        if value.isascii() and value.replace(".", "", 1).isdigit():
            return float(value) * scale
    return None


def _parse(response: httpx2.Response) -> Json:
    """Read an answer strictly; half a surrogate pair (a completion cut inside an emoji) becomes a question mark."""
    if len(response.content) > _LONGEST_ANSWER:
        raise ModelFailed(Failure.INVALID_OUTPUT) from None
    try:
        text = response.content.decode("utf-8")
        body = json.loads(text, parse_constant=_no_number, parse_float=_finite)
        if "\\ud" in text or "\\uD" in text:
            body = json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise ModelFailed(Failure.INVALID_OUTPUT) from None
    if not isinstance(body, dict):
        raise ModelFailed(Failure.INVALID_OUTPUT) from None
    return body


def _no_number(_: str) -> NoReturn:
    raise ValueError


def _finite(literal: str) -> float:
    """Read a number; ``1e999`` would become an Infinity that no store takes."""
    number = float(literal)
    return number if math.isfinite(number) else _no_number(literal)


def _origin(url: httpx2.URL) -> tuple[str, bytes, int | None]:
    """Scheme, host and port as the connection reads them: another parser, or a decoded name, could read another host."""
    return url.scheme, url.raw_host, url.port
