"""Service Bus: sending copies and refusals, and looking at what waits. Receiving jobs is the host's business."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from azure.servicebus import ServiceBusMessage, ServiceBusMessageState, ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.amqp import AmqpMessageBodyType
from azure.servicebus.exceptions import MessageNotFoundError

from shared.azure.links import Links
from shared.azure.lying import lying_of
from shared.patience import patient

type Properties = dict[str | bytes, int | float | bytes | bool | str | UUID]

PAGE = 100
SENDERS = 4
"""Links to one queue at once: a link does one thing after the other, each as long as a round trip to the broker."""

SEND_TIMEOUT = 20.0
"""Seconds for one sending with the SDK's own retries."""


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A message of ours: its id decides what duplicate detection drops; ``ttl`` in seconds counts from when it is due."""

    body: bytes = field(repr=False)
    message_id: str
    ttl: float
    correlation_id: str | None = field(default=None, repr=False)
    properties: Properties = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Peeked:
    """A message that was looked at and stays where it is; times in seconds since the epoch."""

    body: bytes = field(repr=False)
    sequence_number: int
    delivery_count: int
    enqueued_at: float
    expires_at: float
    properties: Properties = field(repr=False)
    message_id: str | None = field(repr=False)
    is_active: bool
    """Neither scheduled nor deferred. Whether somebody holds its lock does not show."""


class Queues:
    """The queues of one namespace."""

    def __init__(self, client: ServiceBusClient) -> None:
        self._client = client
        self._senders: Links[ServiceBusSender] = Links(client.get_queue_sender, timeout=SEND_TIMEOUT, at_once=SENDERS)
        self._looking: Links[ServiceBusReceiver] = Links(client.get_queue_receiver, timeout=SEND_TIMEOUT)
        self._live: Links[ServiceBusReceiver] = Links(client.get_queue_receiver)

    @patient
    async def send(self, queue: str, message: Outgoing) -> None:
        """Send; a repeated send of the same message id is absorbed by duplicate detection.

        Raises `MessageTooLarge` and `QueueUnavailable`.
        """
        async with self._senders.use(queue) as sender:
            await sender.send_messages(_native(message))

    @patient
    async def schedule(self, queue: str, message: Outgoing, *, at: float) -> int:
        """Let a message appear at a time (seconds since the epoch); return its sequence number."""
        async with self._senders.use(queue) as sender:
            numbers = await sender.schedule_messages(_native(message), datetime.fromtimestamp(at, UTC))
        return int(numbers[0])

    @patient
    async def cancel_scheduled(self, queue: str, sequence_number: int) -> bool:
        """Take a scheduled message back; False for one that is due or gone already, and is none of ours any more.

        Looks first, because the SDK (azure-servicebus 7.15) asks four times, for 11 s in all, before it says that one is gone.
        """
        async with self._looking.use(queue) as receiver:
            found = await receiver.peek_messages(1, sequence_number=sequence_number)
        if not any(one.sequence_number == sequence_number and one.state is ServiceBusMessageState.SCHEDULED for one in found):
            return False
        async with self._senders.use(queue) as sender:
            try:
                await sender.cancel_scheduled_messages(sequence_number)
            except MessageNotFoundError:
                return False
        return True

    async def peek(self, queue: str, *, after: int) -> list[Peeked]:
        """Look at up to `PAGE` messages behind a sequence number, which locks nothing; raises `QueueUnavailable`."""
        async with self._live.use(queue) as receiver:
            return [_peeked(message) for message in await receiver.peek_messages(PAGE, sequence_number=after + 1)]


def _native(message: Outgoing) -> ServiceBusMessage:
    return ServiceBusMessage(
        message.body,
        message_id=message.message_id,
        correlation_id=message.correlation_id,
        content_type="application/json",
        application_properties=message.properties,
        time_to_live=timedelta(seconds=max(1.0, message.ttl)),
    )


def _peeked(message: ServiceBusReceivedMessage) -> Peeked:
    times = lying_of(message)
    is_binary = message.body_type is AmqpMessageBodyType.DATA
    return Peeked(
        body=b"".join(message.body) if is_binary else b"",
        sequence_number=message.sequence_number or 0,
        delivery_count=message.delivery_count or 0,
        enqueued_at=times.enqueued_at,
        expires_at=times.expires_at,
        properties={_text(name): _text(value) for name, value in (message.application_properties or {}).items()},
        message_id=message.message_id,
        is_active=message.state is ServiceBusMessageState.ACTIVE,
    )


def _text[T](value: T) -> T | str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
