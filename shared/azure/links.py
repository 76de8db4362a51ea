"""Open senders and receivers of Service Bus, kept because opening one takes over half a second.

None of the SDK's objects is safe for concurrent coroutines (azure-servicebus 7.15), so each has one user; one that failed, or
was left in the middle of something, is thrown away, because a half-open link fails again.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from azure.core.exceptions import AzureError
from azure.servicebus.exceptions import MessageSizeExceededError

from shared.errors import MessageTooLarge, QueueUnavailable
from shared.patience import was_away

_CLOSE_SECONDS = 2.0


class _Closable(Protocol):
    async def close(self) -> None: ...


class Links[L: _Closable]:
    """One kind of link, at most ``at_once`` per queue: further ones are opened only while all are in use.

    ``timeout``: seconds for one use, because the SDK waits without end for a broker that takes connections and says nothing.
    """

    def __init__(self, open_link: Callable[[str], L], *, timeout: float | None = None, at_once: int = 1) -> None:
        self._open = open_link
        self._timeout = timeout
        self._at_once = at_once
        self._idle: defaultdict[str, list[L]] = defaultdict(list)
        self._turns: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def use(self, queue: str) -> AsyncIterator[L]:
        """Lend a link of the queue to one user at a time; raises `MessageTooLarge` and `QueueUnavailable`."""
        async with self._turns.setdefault(queue, asyncio.Semaphore(self._at_once)):
            link = self._idle[queue].pop() if self._idle[queue] else self._open(queue)
            try:
                async with asyncio.timeout(self._timeout):
                    yield link
            except MessageSizeExceededError:
                self._idle[queue].append(link)
                raise MessageTooLarge from None
            except (AzureError, OSError, ValueError):
                await asyncio.gather(*map(_discard, [link, *self._idle.pop(queue, [])]))  # what broke one broke all
                was_away(QueueUnavailable)
                raise QueueUnavailable from None
            except BaseException:
                await _discard(link)
                raise
            self._idle[queue].append(link)


async def _discard(link: _Closable) -> None:
    with suppress(AzureError, OSError):  # a TimeoutError is an OSError
        async with asyncio.timeout(_CLOSE_SECONDS):
            await link.close()
