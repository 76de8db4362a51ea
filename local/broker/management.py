"""The ``$management`` node of an entity: peek, renew, schedule, cancel, settle by lock token, receive by number."""

from collections.abc import Callable
from typing import Any

from proton import UNDESCRIBED, Array, Data, Message

from local import clock
from local.broker.inbox import MAX_MESSAGE_BYTES
from local.broker.messages import LockLostError, MessageNotFoundError
from local.broker.queues import Entity
from local.broker.requests import response_with
from local.broker.sections import MalformedMessageError
from local.broker.settlement import Settlement, renew, settle
from local.broker.store import Store
from local.broker.wire import arrivals, encode, milliseconds, owned

SUFFIX = "/$management"
RECEIVE_AND_DELETE = 0
"""``receiver-settle-mode`` of a receiver that removes what it gets."""

type Body = dict[str, Any]


class TooLargeError(Exception):
    """A message to be scheduled is larger than the queue takes."""


REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    LockLostError: (410, "com.microsoft:message-lock-lost", "The lock has expired or the message is settled."),
    MessageNotFoundError: (404, "com.microsoft:message-not-found", "No such message is here."),
    TooLargeError: (400, "amqp:link:message-size-exceeded", "The message is larger than the queue takes."),
    MalformedMessageError: (400, "com.microsoft:argument-error", "An embedded message cannot be decoded."),
    KeyError: (400, "com.microsoft:argument-error", "A field of the request is missing."),
    TypeError: (400, "com.microsoft:argument-error", "A field of the request has another type."),
    ValueError: (400, "com.microsoft:argument-error", "A field of the request has no such value."),
}


def answer(store: Store, entity: Entity, request: Message) -> Message:
    """Answer one request; a refusal names a code and never what was asked for."""
    operation = OPERATIONS.get((request.properties or {}).get("operation", ""))
    if operation is None:
        return _response(501, "amqp:not-implemented", "This broker has no such operation.")
    try:
        body = operation(store, entity, owned(request.body))
    except tuple(REFUSALS) as refusal:
        known = next(kind for kind in REFUSALS if isinstance(refusal, kind))
        return _response(*REFUSALS[known])
    response = _response(200 if body is not None else 204, None, "OK")
    response.body = body or {}
    return response


def _response(status: int, condition: str | None, description: str) -> Message:
    return response_with("statusCode", status, "statusDescription", description, condition)


def _schedule(store: Store, entity: Entity, body: Body) -> Body:
    batch = [entry["message"] for entry in body["messages"]]
    if any(len(message) > MAX_MESSAGE_BYTES for message in batch):
        raise TooLargeError
    numbers = store.admit(entity, [arrival for message in batch for arrival in arrivals(message)], clock.now())
    return {"sequence-numbers": Array(UNDESCRIBED, Data.LONG, *numbers)}


def _cancel(store: Store, entity: Entity, body: Body) -> Body:
    store.cancel(entity, _elements(body["sequence-numbers"]))
    return {}


def _peek(store: Store, entity: Entity, body: Body) -> Body | None:
    messages = store.peek(entity, body["from-sequence-number"], body["message-count"], clock.now())
    return {"messages": [{"message": encode(message)} for message in messages]} if messages else None


def _renew(store: Store, entity: Entity, body: Body) -> Body:
    ends = renew(store, entity, _elements(body["lock-tokens"]), clock.now())
    return {"expirations": Array(UNDESCRIBED, Data.TIMESTAMP, *map(milliseconds, ends))}


def _settle(store: Store, entity: Entity, body: Body) -> Body:
    settlement = Settlement(body["disposition-status"])
    properties = dict(body.get("properties-to-modify") or {})
    if settlement is Settlement.DEAD_LETTER:
        properties["DeadLetterReason"] = body.get("deadletter-reason")
        properties["DeadLetterErrorDescription"] = body.get("deadletter-description")
    settle(store, entity, _elements(body["lock-tokens"]), settlement, clock.now(), properties)
    return {}


def _receive_deferred(store: Store, entity: Entity, body: Body) -> Body:
    delete = body.get("receiver-settle-mode") == RECEIVE_AND_DELETE
    numbers = _elements(body["sequence-numbers"])
    messages = store.receive_deferred(entity, numbers, clock.now(), delete=delete)
    return {
        "messages": [
            {"message": encode(message)} | ({"lock-token": message.lock_token} if message.lock_token else {})
            for message in messages
        ]
    }


OPERATIONS: dict[str, Callable[[Store, Entity, Body], Body | None]] = {
    "com.microsoft:schedule-message": _schedule,
    "com.microsoft:cancel-scheduled-message": _cancel,
    "com.microsoft:peek-message": _peek,
    "com.microsoft:renew-lock": _renew,
    "com.microsoft:update-disposition": _settle,
    "com.microsoft:receive-by-sequence-number": _receive_deferred,
}


def _elements(value: Any) -> list[Any]:  # noqa: ANN401
    """Return what an AMQP array or list holds."""
    return list(value.elements if isinstance(value, Array) else value)
