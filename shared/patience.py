"""In-place patience with a service that does not answer.

A message that is given back at once comes back at once: twenty deliveries would be spent within a second of an outage. So
every operation that is safe to repeat is repeated here, with growing pauses, before its caller hears of the failure. The
repeating itself is tenacity's.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
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


def patient[**P, T](operation: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Repeat an idempotent operation while it raises `ServiceUnavailable`, as long as `patience` lasts."""

    @wraps(operation)
    async def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        policy = AsyncRetrying(
            retry=retry_if_exception_type(ServiceUnavailable),
            wait=wait_exponential_jitter(multiplier=0.1, max=5, jitter=0.1),
            stop=stop_after_delay(_PATIENCE.get()),
            reraise=True,
        )
        return await policy(operation, *args, **kwargs)

    return repeated
