"""Keeps the lock of a message while its function runs, by the stack's clock.

The SDK's own AutoLockRenewer counts real time, stops for good after one error and cannot renew locks of a few seconds.
"""

import asyncio
from collections.abc import Callable

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusReceiver
from azure.servicebus.exceptions import MessageLockLostError

from local import clock
from local.host import logs

_TICK = 0.1
_RENEWAL_SECONDS = 5.0


def end(message: ServiceBusReceivedMessage) -> float:
    """Moment at which the lock runs out, in seconds since the epoch."""
    until = message.locked_until_utc
    return until.timestamp() if until else clock.now()


async def keep(
    message: ServiceBusReceivedMessage,
    *,
    receiver: Callable[[], ServiceBusReceiver | None],
    turn: asyncio.Lock,
    limit: float,
) -> None:
    """Renew at half time, again and again, for at most ``limit`` seconds; returns when the lock is lost.

    One renewal of a receiver at a ``turn``: of many at once the SDK loses answers, and the receiver is stuck for a minute.
    """
    started = clock.now()
    while end(message) > (now := clock.now()):
        due = now + (end(message) - now) / 2
        while clock.now() < due:  # noqa: ASYNC110  # no event tells that a test moved the clock
            await asyncio.sleep(_TICK)
        if clock.now() - started > limit:
            return
        try:
            async with turn:
                if current := receiver():
                    await current.renew_message_lock(message, timeout=_RENEWAL_SECONDS)
        except MessageLockLostError:
            break
        except Exception:  # noqa: BLE001, S110  # the connection may be down: half of what is left, then again
            pass
    logs.write("Host.ServiceBus", f"The lock of a message was lost. MessageId: {message.message_id}", level=logs.WARNING)
