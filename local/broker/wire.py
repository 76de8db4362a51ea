"""What the broker reads from an arriving message, and how a stored one is encoded again for a receiver.

Only the header and the message annotations are written anew: they are the broker's. Properties, application properties
and body stay the very bytes that the sender encoded.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from proton import Data, Described, int32, symbol, timestamp, uint, ulong

from local.broker.messages import Message
from local.broker.sections import BODY, MalformedMessageError, Section, data_of, split

SCHEDULED_ENQUEUE_TIME = symbol("x-opt-scheduled-enqueue-time")
UINT_MAX = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A message as a sender gave it: its bytes, and what the broker must know of it. Times in seconds."""

    content: bytes
    message_id: str
    ttl: float | None
    scheduled_at: float | None


def arrivals(transfer: bytes) -> list[Arrival]:
    """Return the message of a transfer, or the messages of a batch; raises ``MalformedMessageError``.

    Service Bus marks a batch by its message format, which proton does not show. So a batch is known by its structure:
    a body of data sections each of which is itself an encoded message.
    """
    parts = split(transfer)
    body = [content for section, content in parts if section in BODY]
    if all(section is Section.DATA for section, _ in parts if section in BODY):
        try:
            inner = [split(data_of(content)) for content in body]
        except MalformedMessageError:
            inner = []
        if inner:
            return [_arrival(message) for message in inner]
    return [_arrival(parts)]


def encode(message: Message) -> bytes:
    """Encode a stored message for a receiver, with the broker's header and annotations."""
    parts = split(message.content)
    header = _fields(parts, Section.HEADER)
    ttl = None if message.ttl is None else uint(min(int(message.ttl * 1000), UINT_MAX))
    durable, priority = (*header, None, None)[:2]
    annotations = _decode(parts, Section.MESSAGE_ANNOTATIONS) or {}
    annotations |= {symbol(f"x-opt-{name}"): value for name, value in _annotations(message).items()}
    kept = [content for section, content in parts if section > Section.MESSAGE_ANNOTATIONS]
    return b"".join(
        [
            _section(Section.HEADER, [durable, priority, ttl, False, uint(message.delivery_count)]),
            _section(Section.MESSAGE_ANNOTATIONS, annotations),
            *kept,
        ]
    )


def with_properties(content: bytes, properties: dict[str, Any]) -> bytes:
    """Return an encoded message with application properties set; the rest of it stays as it was."""
    parts = split(content)
    merged = (_decode(parts, Section.APPLICATION_PROPERTIES) or {}) | properties
    return _replaced(parts, Section.APPLICATION_PROPERTIES, merged)


def milliseconds(seconds: float) -> timestamp:
    """Return a moment as AMQP writes it."""
    return timestamp(round(seconds * 1000))


def owned(value: Any) -> Any:  # noqa: ANN401
    """Copy a decoded value out of proton's memory, where its binaries end with the decoder that made them."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dict):
        return {owned(key): owned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [owned(item) for item in value]
    return value


def _arrival(parts: list[tuple[Section, bytes]]) -> Arrival:
    parts = [part for part in parts if part[0] is not Section.DELIVERY_ANNOTATIONS]
    properties = _fields(parts, Section.PROPERTIES)
    content = b"".join(encoded for _, encoded in parts)
    if not properties or properties[0] is None:
        properties = [str(uuid.uuid4()), *properties[1:]]
        content = _replaced(parts, Section.PROPERTIES, properties)
    ttl = (*_fields(parts, Section.HEADER), None, None, None)[2]
    scheduled = (_decode(parts, Section.MESSAGE_ANNOTATIONS) or {}).get(SCHEDULED_ENQUEUE_TIME)
    return Arrival(
        content=content,
        message_id=str(properties[0]),
        ttl=None if ttl is None else ttl / 1000,
        scheduled_at=None if scheduled is None else scheduled / 1000,
    )


def _annotations(message: Message) -> dict[str, Any]:
    values: dict[str, Any] = {
        "sequence-number": message.sequence,
        "enqueue-sequence-number": message.enqueue_sequence,
        "enqueued-time": milliseconds(message.enqueued_at),
        "message-state": int32(message.state),
    }
    if message.locked_until is not None:
        values["locked-until"] = milliseconds(message.locked_until)
    if message.dead_letter_source is not None:
        values["deadletter-source"] = message.dead_letter_source
    return values


def _replaced(parts: list[tuple[Section, bytes]], section: Section, value: Any) -> bytes:  # noqa: ANN401
    before = [encoded for code, encoded in parts if code < section]
    after = [encoded for code, encoded in parts if code > section]
    return b"".join([*before, _section(section, value), *after])


def _fields(parts: list[tuple[Section, bytes]], section: Section) -> list[Any]:
    """Return the fields of a list section, trailing nulls left out as they were; empty when it is absent."""
    return list(_decode(parts, section) or [])


def _decode(parts: list[tuple[Section, bytes]], section: Section) -> Any:  # noqa: ANN401
    encoded = next((encoded for code, encoded in parts if code is section), None)
    if encoded is None:
        return None
    data = Data()
    data.decode(encoded)
    data.rewind()
    data.next()
    return owned(data.get_object().value)


def _section(section: Section, value: Any) -> bytes:  # noqa: ANN401
    data = Data()
    data.put_object(Described(ulong(section), value))
    return bytes(data.encode())
