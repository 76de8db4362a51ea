"""Posts a signed webhook. One status code comes back, and what the endpoint asks of the next attempt; nothing else is read.

It is httpcore2, the layer below httpx2, on purpose: redirects, cookies, proxies and ``NO_PROXY`` of the environment, and
decompression are things of the layer above, and cannot be switched on here.
"""

import asyncio
import ssl
from dataclasses import dataclass
from functools import cached_property

import httpcore2
import httpx2

from shared.delivery.guard import GuardedBackend, Resolver, resolve
from shared.domain.webhook import Message
from shared.domain.webhook_url import Target

SECONDS = 15.0
"""For everything: name, connection, TLS, request, and the head of the answer."""
USER_AGENT = "Lethe-Webhooks/1"
CONNECTIONS = 100
_LONGEST_RETRY_AFTER = 100


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of a post: the status, None when there was no answer or no permission to ask; ``Retry-After`` as it came."""

    status: int | None
    retry_after: str | None = None


class Sender:
    """Connections for webhooks. None is kept: each post is checked anew, and an unread answer spoils its connection anyway."""

    def __init__(
        self,
        *,
        allow_loopback: bool,
        resolver: Resolver = resolve,
        network: httpcore2.AsyncNetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._backend = GuardedBackend(allow_loopback=allow_loopback, resolver=resolver, network=network)
        self._ssl_context = ssl_context
        self._seconds = seconds

    async def send(self, target: Target, message: Message) -> Sent:
        """Post a message; never raises, and reads neither a body nor a header but ``Retry-After``."""
        url = httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        headers = [*message.headers.items(), ("user-agent", USER_AGENT), ("accept", "*/*"), ("connection", "close")]
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._pool.stream("POST", url, headers=headers, content=message.body) as response,
            ):
                return Sent(status=response.status, retry_after=_retry_after(response))
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError, ValueError):
            return Sent(status=None)

    async def close(self) -> None:
        """Close what is open."""
        await self._pool.aclose()

    @cached_property
    def _pool(self) -> httpcore2.AsyncConnectionPool:
        context = self._ssl_context or httpx2.create_ssl_context(trust_env=False)
        return httpcore2.AsyncConnectionPool(
            ssl_context=context, max_connections=CONNECTIONS, max_keepalive_connections=0, network_backend=self._backend
        )


def _retry_after(response: httpcore2.Response) -> str | None:
    for name, value in response.headers:
        if name.lower() == b"retry-after":
            return value[:_LONGEST_RETRY_AFTER].decode("latin-1")
    return None
