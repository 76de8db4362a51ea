"""What a sender's transfers become: stored messages, or a rejection that says why without quoting anything."""

from proton import Condition, Delivery, Link, symbol

from local import clock
from local.broker.queues import Entity
from local.broker.sections import MalformedMessageError
from local.broker.store import Store
from local.broker.wire import arrivals

MAX_MESSAGE_BYTES = 262_144
"""Service Bus Standard takes 256 KB a message, and a batch."""

CREDIT = 500


def open_inbox(link: Link) -> None:
    """Tell a sender how large a message may be and that it may send."""
    link.max_message_size = MAX_MESSAGE_BYTES
    link.open()
    link.flow(CREDIT)


def receive(store: Store, entity: Entity, delivery: Delivery, transfer: bytes) -> None:
    """Store the message or the batch of a transfer, all or nothing, and settle it."""
    if len(transfer) > MAX_MESSAGE_BYTES:
        reject(delivery, "amqp:link:message-size-exceeded", "The message is larger than the queue takes.")
        return
    try:
        store.admit(entity, arrivals(transfer), clock.now())
    except MalformedMessageError:
        reject(delivery, "amqp:decode-error", "The transfer is not an AMQP message.")
        return
    delivery.update(Delivery.ACCEPTED)
    delivery.settle()


def reject(delivery: Delivery, condition: str, description: str) -> None:
    """Refuse a delivery. The Python SDK waits for ever unless all three fields of the error are there."""
    delivery.local.condition = Condition(condition, description, {symbol("source"): "broker"})
    delivery.update(Delivery.REJECTED)
    delivery.settle()
