"""What a test does with the queues beyond `local.demo.client`: messages with properties, and all that a peek shows."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceivedMessage, ServiceBusSubQueue
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType, AmqpMessageProperties

from tests.privacy.cases import Case

REQUESTS, REJECTED = "generation-requests", "generation-rejected"
DEAD = ", dead letters"
"""Behind the name of a queue: its dead-letter queue."""


@dataclass(frozen=True, kw_only=True)
class Peeked:
    """A message that lies in a queue."""

    body: bytes = field(repr=False)
    reason: str
    """Why it was rejected or dead-lettered."""
    own: str = field(repr=False)
    """What Lethe or the broker made: ids, annotations, reasons."""
    properties: str = field(repr=False)
    """What else stands around the body."""


def send(connection: str, cases: Iterable[Case]) -> None:
    """Send each case's message to the queue of requests."""
    with ServiceBusClient.from_connection_string(connection) as client, client.get_queue_sender(REQUESTS) as sender:
        for case in cases:
            sender.send_messages(_message(case))


def peek(connection: str, queue: str, *, dead_letters: bool = False) -> list[Peeked]:
    """Look at the messages of a queue; they stay there."""
    sub_queue = ServiceBusSubQueue.DEAD_LETTER if dead_letters else None
    client = ServiceBusClient.from_connection_string(connection)
    with client, client.get_queue_receiver(queue, sub_queue=sub_queue) as receiver:
        messages: list[ServiceBusReceivedMessage] = []
        while page := receiver.peek_messages(100, sequence_number=_behind(messages)):
            messages += page
        return [_peeked(message) for message in messages]


def peek_everything(connection: str, queues: Iterable[str]) -> dict[str, list[Peeked]]:
    """Look at the messages of several queues and of their dead-letter queues, all at once: each look is a second of waiting."""
    wanted = {f"{queue}{DEAD if dead else ''}": (queue, dead) for queue in queues for dead in (False, True)}
    with ThreadPoolExecutor(len(wanted)) as pool:
        found = pool.map(lambda one: peek(connection, one[0], dead_letters=one[1]), wanted.values())
        return dict(zip(wanted, found, strict=True))


def _message(case: Case) -> ServiceBusMessage | AmqpAnnotatedMessage:
    if not case.is_amqp_value:
        return ServiceBusMessage(case.body, **case.properties)
    own = {name: value for name, value in case.properties.items() if name != "application_properties"}
    return AmqpAnnotatedMessage(
        value_body=case.body.decode(),
        properties=AmqpMessageProperties(**own),
        application_properties=case.properties["application_properties"],
    )


def _peeked(message: ServiceBusReceivedMessage) -> Peeked:
    properties: dict[Any, Any] = {_text(name): _text(value) for name, value in (message.application_properties or {}).items()}
    has_data = message.body_type is AmqpMessageBodyType.DATA
    reasons = message.dead_letter_reason, message.dead_letter_error_description
    return Peeked(
        body=b"".join(bytes(part) for part in message.body) if has_data else str(message.body).encode(),
        reason=str(properties.get("reason") or message.dead_letter_reason or ""),
        own=repr((message.message_id, message.session_id, message.raw_amqp_message.annotations, reasons)),
        properties=repr(
            (message.subject, message.correlation_id, message.content_type, message.to, message.reply_to, properties)
        ),
    )


def _behind(messages: list[ServiceBusReceivedMessage]) -> int:
    return (messages[-1].sequence_number or 0) + 1 if messages else 1


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value
