"""A webhook: its event types, its thin body, and its headers.

The id stays the same for all attempts of an event, the timestamp is the attempt's own.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.signing import signature

_OUTCOMES = ("completed", "failed", "cancelled", "incomplete")
ENDPOINT_DISABLED = "webhook_endpoint.disabled"
ALERT_CREATED = "safety.alert.created"
SUBJECT_BLOCKED = "safety_identifier.blocked"
OF_ALERTS = frozenset({ALERT_CREATED, SUBJECT_BLOCKED})
EVENT_TYPES = (
    frozenset({f"{family}.{outcome}" for family in ("response", "generation") for outcome in _OUTCOMES})
    | OF_ALERTS
    | {ENDPOINT_DISABLED}
)
"""Every type that a tenant's endpoint can subscribe to."""
PROMISE_VIOLATED = "privacy.promise.violated"
OPERATOR_EVENT_TYPES = frozenset({PROMISE_VIOLATED, ENDPOINT_DISABLED})
"""Those for the endpoints of those who run the service, who hear nothing of a tenant's jobs."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is posted: headers and body; never printed, because a signature is made of a secret."""

    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        return "Message()"


def body_of(*, event_id: str, event_type: str, created_at: float, data_id: str) -> bytes:
    """Write the thin body that the OpenAI client's ``webhooks.unwrap()`` reads: ids and a type, no content."""
    event = {
        "id": event_id,
        "object": "event",
        "type": event_type,
        "created_at": int(created_at),
        "data": {"id": data_id},
    }
    return json.dumps(event, separators=(",", ":")).encode("ascii")


def data_id_of(event_type: str, source_id: str) -> str:
    """Return the public id of what an event is about: a job under its face's prefix, an endpoint, or a promise.

    The source of `ENDPOINT_DISABLED` is ``<endpointId>.<second>``, that of `PROMISE_VIOLATED` ``<promiseId>.<name>``, that of
    `OF_ALERTS` ``<alertId>.<type>-<opening>``: each can happen more than once.
    """
    if event_type in OPERATOR_EVENT_TYPES | OF_ALERTS:
        return source_id.partition(".")[0]
    return f"{'resp' if event_type.startswith('response.') else 'gen'}_{source_id}"


def sign(body: bytes, *, event_id: str, at: float, signing_secrets: Sequence[str]) -> Message:
    """Sign a body for one attempt, at a time in seconds since the epoch.

    Several secrets (while one is being rotated out) give several signatures, separated by spaces: a receiver accepts any.
    """
    moment, text = math.floor(at), body.decode("ascii")
    signatures = [signature(text, message_id=event_id, at=moment, secret=secret) for secret in signing_secrets]
    headers = {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(signatures),
    }
    return Message(headers=headers, body=body)
