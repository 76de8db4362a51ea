"""Requests as tests build them: a valid line for each endpoint, and changes to it."""

import json
from typing import Any

from shared.domain.request import GenerationRequest, parse
from shared.errors import RequestRefused

MAX_BYTES = 200_000

BODIES: dict[str, dict[str, Any]] = {
    "/v1/responses": {"model": "gpt-small", "input": "Hello"},
    "/v1/chat/completions": {"model": "gpt-small", "messages": [{"role": "user", "content": "Hello"}]},
    "/v1/embeddings": {"model": "embedding-small", "input": "Hello"},
}
RESPONSES, CHAT, EMBEDDINGS = BODIES


def line(url: str = RESPONSES, body: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A valid line; ``body`` is laid over the endpoint's own, ``changes`` over the line."""
    return {
        "tenant": "contoso",
        "custom_id": "order-17",
        "method": "POST",
        "url": url,
        "body": BODIES[url] | (body or {}),
        **changes,
    }


def encoded(document: object) -> bytes:
    """The line as it lies in a message."""
    return json.dumps(document).encode()


def accepted(document: object) -> GenerationRequest:
    """Parse a line that must be accepted."""
    return parse(encoded(document), max_bytes=MAX_BYTES)


def refused(document: object) -> RequestRefused:
    """Parse a line that must be refused, and return how."""
    try:
        parse(encoded(document), max_bytes=MAX_BYTES)
    except RequestRefused as refusal:
        return refusal
    raise AssertionError(f"accepted: {document}")
