"""Open senders and receivers of Service Bus, kept because opening one takes over half a second.

None of the SDK's objects is safe for concurrent coroutines (azure-servicebus 7.15), so each has a lock; one that failed, or
was left in the middle of something, is thrown away, because a half-open link fails again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from azure.core.exceptions import AzureError
from azure.servicebus.exceptions import MessageSizeExceededError

from shared.errors import MessageTooLarge, QueueUnavailable

_CLOSE_SECONDS = 2.0


class _Closable(Protocol):
    async def close(self) -> None: ...


class Links[L: _Closable]:
    """One kind of link, at most one per queue.

    ``timeout``: seconds for one use, because the SDK waits without end for a broker that takes connections and says nothing.
    """

    def __init__(self, open_link: Callable[[str], L], *, timeout: float | None = None) -> None:
        self._open = open_link
        self._timeout = timeout
        self._links: dict[str, L] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def use(self, queue: str) -> AsyncIterator[L]:
        """Lend the queue's link to one user at a time; raises `MessageTooLarge` and `QueueUnavailable`."""
        async with self._locks.setdefault(queue, asyncio.Lock()):
            if queue not in self._links:
                self._links[queue] = self._open(queue)
            try:
                async with asyncio.timeout(self._timeout):
                    yield self._links[queue]
            except MessageSizeExceededError:
                raise MessageTooLarge from None
            except (AzureError, OSError, ValueError):
                await self._discard(queue)
                raise QueueUnavailable from None
            except asyncio.CancelledError:
                await self._discard(queue)
                raise

    async def _discard(self, queue: str) -> None:
        with suppress(AzureError, OSError):  # a TimeoutError is an OSError
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._links.pop(queue).close()
