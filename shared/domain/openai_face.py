"""OpenAI's face: a request of the official clients becomes the queue's object."""

from uuid import uuid4

from shared.domain.json_document import Json
from shared.errors import Reason, RequestRefused


def envelope(body: Json, *, idempotency_key: str | None) -> Json:
    """Return the queue's object, without a tenant, for ``POST /responses``.

    Only background mode is served: raises `RequestRefused` otherwise. The job's key is the ``Idempotency-Key``, else
    ``metadata.custom_id``, else a random one: without a key each request is a job of its own.
    """
    if body.get("background") is not True:
        reason = Reason.MISSING_FIELD if body.get("background") is None else Reason.UNSUPPORTED_VALUE
        raise RequestRefused(reason, "body.background")
    return {"custom_id": idempotency_key or _labelled(body) or f"auto-{uuid4()}", "url": "/v1/responses", "body": body}


def models(aliases: list[str]) -> Json:
    """List a tenant's model aliases as OpenAI's ``GET /models`` does."""
    return {
        "object": "list",
        "data": [{"id": alias, "object": "model", "created": 0, "owned_by": "lethe"} for alias in sorted(aliases)],
    }


def deleted(public_id: str) -> Json:
    """Answer of ``DELETE /responses/{id}``."""
    return {"id": public_id, "object": "response", "deleted": True}


def _labelled(body: Json) -> str | None:
    metadata = body.get("metadata")
    label = metadata.get("custom_id") if isinstance(metadata, dict) else None
    return label if isinstance(label, str) else None


def streaming_refused() -> RequestRefused:
    """Return the refusal of ``GET /responses/{id}?stream=true``."""
    return RequestRefused(Reason.UNSUPPORTED_VALUE, "stream")
