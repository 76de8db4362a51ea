"""Messages that lie in a queue: how old they are, deleting dead letters, and having Service Bus remove what has expired.

A dead-letter queue never expires anything (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues),
so dead letters are taken and completed. A queue does expire its messages, but lazily, "based on whether the entity is in active
use", and peeking may still show them (https://learn.microsoft.com/azure/service-bus-messaging/message-expiration): nobody may
take messages from such a queue to look for old ones, because a message that is given back has been delivered once more, and
twenty deliveries make it a dead letter.
"""

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusReceivedMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver
from azure.servicebus.exceptions import MessageLockLostError

from shared.azure.links import Links
from shared.concurrently import each
from shared.errors import QueueUnavailable
from shared.patience import answering, was_away

PAGE = 100
TAKERS = 4
"""Links to one dead-letter queue at once: completing a message takes a round trip, and a link does one after the other."""

CALL_SECONDS = 20.0
"""Seconds for one call: the SDK waits without end for a broker that takes connections and says nothing."""
_EMPTY_SECONDS = 1.0
"""Seconds without a message after which a queue counts as empty."""


@dataclass(frozen=True, kw_only=True)
class Lying:
    """A message that lies in a queue: when it came and when its time to live ends, in seconds since the epoch."""

    sequence_number: int
    enqueued_at: float
    expires_at: float


@dataclass(kw_only=True)
class _Wanted:
    left: int


class LyingMessages:
    """What lies in the queues of one namespace, for the timer. Every method raises `QueueUnavailable`."""

    def __init__(self, client: ServiceBusClient) -> None:
        self._client = client
        self._live: Links[ServiceBusReceiver] = Links(client.get_queue_receiver)
        self._dead: Links[ServiceBusReceiver] = Links(
            partial(client.get_queue_receiver, sub_queue=ServiceBusSubQueue.DEAD_LETTER), at_once=TAKERS
        )

    async def look(self, queue: str, *, dead_letters: bool, after: int) -> list[Lying]:
        """Look at up to `PAGE` messages behind a sequence number, in their order, which locks nothing."""
        async with (self._dead if dead_letters else self._live).use(queue) as receiver:
            page = await _soon(receiver.peek_messages(PAGE, sequence_number=after + 1))
        return [lying_of(message) for message in page]

    async def delete_dead_letters(
        self, queue: str, *, is_due: Callable[[Lying], bool], count: int, deleted: Callable[[], None]
    ) -> None:
        """Take dead letters, the first ones first, and complete those that are due, until there were ``count``.

        ``deleted`` is called for each. Those that are not due go back; a dead-letter queue has no limit of deliveries. There
        are few: dead letters stand in the order in which they became such, and only as many are taken as are due.
        """
        wanted = _Wanted(left=count)
        takers = min(TAKERS, math.ceil(count / PAGE))
        await each(range(takers), lambda _: self._take(queue, is_due, wanted, deleted), at_once=takers)

    async def listen(self, queue: str) -> None:
        """Be a listener of the queue for a moment, so that Service Bus removes what has expired.

        A new receiver asks for one message at most, and the SDK releases what nobody waits for, which does not count as a
        delivery.
        """
        try:
            async with answering(QueueUnavailable, within=CALL_SECONDS), self._client.get_queue_receiver(queue):
                pass
        except (AzureError, OSError, ValueError):
            was_away(QueueUnavailable)
            raise QueueUnavailable from None

    async def _take(self, queue: str, is_due: Callable[[Lying], bool], wanted: _Wanted, deleted: Callable[[], None]) -> None:
        kept: list[ServiceBusReceivedMessage] = []
        async with self._dead.use(queue) as receiver:
            while wanted.left > 0 and len(kept) <= PAGE:
                count = min(PAGE, wanted.left)
                batch = await _soon(receiver.receive_messages(max_message_count=count, max_wait_time=_EMPTY_SECONDS))
                if not batch:
                    break
                for message in batch:
                    if not is_due(lying_of(message)):
                        kept.append(message)
                        continue
                    await _soon(receiver.complete_message(message))
                    wanted.left -= 1
                    deleted()
            for message in kept:
                with suppress(MessageLockLostError):  # then it is back already
                    await _soon(receiver.abandon_message(message))


def lying_of(message: ServiceBusReceivedMessage) -> Lying:
    """Read what Service Bus says of a message's times."""
    enqueued = message.enqueued_time_utc
    expires = message.expires_at_utc
    return Lying(
        sequence_number=message.sequence_number or 0,
        enqueued_at=enqueued.timestamp() if enqueued else 0.0,
        expires_at=expires.timestamp() if expires else math.inf,
    )


async def _soon[T](call: Awaitable[T]) -> T:
    async with answering(QueueUnavailable, within=CALL_SECONDS):
        return await call
