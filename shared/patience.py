"""In-place patience with a service that does not answer.

A message that is given back at once comes back at once: twenty deliveries would be spent within a second of an outage. So
every operation that is safe to repeat is repeated here, with growing pauses, before its caller hears of the failure. The
repeating itself is tenacity's.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from shared.errors import ServiceUnavailable

_PATIENCE = ContextVar("patience", default=60.0)
"""Seconds; below the host's ``maxAutoLockRenewalDuration`` (5 minutes), so that the message stays locked meanwhile."""


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Have less patience inside this block: somebody waits for the answer, or it does not matter enough."""
    before = _PATIENCE.set(seconds)
    try:
        yield
    finally:
        _PATIENCE.reset(before)


_AWAY: ContextVar[set[type[ServiceUnavailable]] | None] = ContextVar("away", default=None)
ONCE_AWAY = 1.0
"""Seconds for an operation on a service that did not answer the last time."""


@contextmanager
def remembering_who_is_away() -> Iterator[None]:
    """Be patient with each service once inside this block: one that did not answer gets short shrift until it does.

    For many operations on several services, of which one that is away must not take the time of the others.
    """
    before = _AWAY.set(set())
    try:
        yield
    finally:
        _AWAY.reset(before)


@asynccontextmanager
async def answering(service: type[ServiceUnavailable], *, within: float) -> AsyncIterator[None]:
    """Give one operation on a service its time, in seconds; raises `TimeoutError`. A failure is told by `was_away`."""
    away = _AWAY.get() or set()
    async with asyncio.timeout(min(within, ONCE_AWAY) if service in away else within):
        yield
    away.discard(service)


def was_away(service: type[ServiceUnavailable]) -> None:
    """Tell that a service did not answer."""
    if (away := _AWAY.get()) is not None:
        away.add(service)


def patient[**P, T](operation: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Repeat an idempotent operation while it raises `ServiceUnavailable`, as long as `patience` lasts."""

    @wraps(operation)
    async def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        known = frozenset(_AWAY.get() or ())
        over = stop_after_delay(_PATIENCE.get())
        policy = AsyncRetrying(
            retry=retry_if_exception_type(ServiceUnavailable),
            wait=wait_exponential_jitter(multiplier=0.1, max=5, jitter=0.1),
            stop=lambda state: over(state) or (state.outcome is not None and type(state.outcome.exception()) in known),
            reraise=True,
        )
        return await policy(operation, *args, **kwargs)

    return repeated
