"""What Azure Functions tells a function about a Service Bus message, and nothing beyond it.

Source: the AddBindingData method of the host's Service Bus extension 5.x. Not in it, so not here: time to live, end of
the lock, dead-letter reason, scheduled time. Nulls are left out, and the ``…Utc`` dates carry no time zone.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from azure.servicebus.amqp import AmqpMessageBodyType

from local.host import runtime
from local.host.runtime import Value

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusReceivedMessage

_NO_EXPIRY = "9999-12-31T23:59:59.9999999"
"""What .NET makes of a message without a time to live."""


def of(message: "ServiceBusReceivedMessage") -> dict[str, Value]:
    """Trigger metadata of a message: text as string, everything else as JSON."""
    properties = {_decoded(key): _decoded(value) for key, value in (message.application_properties or {}).items()}
    values: dict[str, object] = {
        "DeliveryCount": (message.delivery_count or 0) + 1,
        "DeadLetterSource": message.dead_letter_source,
        "LockToken": str(message.lock_token),
        **_dates("ExpiresAt", message.expires_at_utc),
        **_dates("EnqueuedTime", message.enqueued_time_utc),
        "MessageId": message.message_id,
        "ContentType": message.content_type,
        "ReplyTo": message.reply_to,
        "SequenceNumber": message.sequence_number,
        "To": message.to,
        "Subject": message.subject,
        "Label": message.subject,
        "CorrelationId": message.correlation_id,
        "ApplicationProperties": properties,
        "UserProperties": properties,
        "SessionId": message.session_id,
    }
    return {
        name: runtime.text(value) if isinstance(value, str) else runtime.document(value)
        for name, value in values.items()
        if value is not None
    }


def body_of(message: "ServiceBusReceivedMessage") -> bytes:
    """Bytes of a message's body; ValueError for an AMQP value or sequence, which Azure Functions cannot bind either."""
    if message.body_type is not AmqpMessageBodyType.DATA:
        raise ValueError("the body of the message is not in data sections")
    return b"".join(message.body)


def details_of(message: "ServiceBusReceivedMessage") -> str:
    """Trigger details that the host logs with each run."""
    enqueued, locked = message.enqueued_time_utc, message.locked_until_utc
    return (
        f"MessageId: {message.message_id}, SequenceNumber: {message.sequence_number}, "
        f"DeliveryCount: {(message.delivery_count or 0) + 1}, "
        f"EnqueuedTimeUtc: {enqueued.isoformat() if enqueued else '(null)'}, "
        f"LockedUntilUtc: {locked.isoformat() if locked else '(null)'}, SessionId: {message.session_id or '(null)'}"
    )


def _dates(name: str, moment: datetime | None) -> dict[str, object]:
    naive = moment.astimezone(UTC).replace(tzinfo=None).isoformat() if moment else _NO_EXPIRY
    return {f"{name}Utc": naive, name: f"{naive}+00:00"}


def _decoded(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.isoformat() if isinstance(value, datetime) else value
