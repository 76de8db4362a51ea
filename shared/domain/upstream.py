"""The request as the model service sees it, and its answer as Lethe keeps it.

``store`` is always false upstream, the data subject travels as its MAC only, and what echoes the prompt is cut off an
answer before it is stored.
"""

import json
from typing import Any

from shared.domain.bodies import NEVER_FORWARDED, Endpoint
from shared.domain.json_document import Json
from shared.domain.macs import Mac
from shared.domain.request import Document, GenerationRequest
from shared.errors import Reason, RequestRefused

PROMPT_ECHOES = frozenset({"instructions", "input", "user", "safety_identifier", "prompt", "prompt_cache_key"})

PATHS: dict[Endpoint, str] = {
    Endpoint.RESPONSES: "responses",
    Endpoint.CHAT_COMPLETIONS: "chat/completions",
    Endpoint.EMBEDDINGS: "embeddings",
}
"""Paths below the base URL of a resource (``…/openai/v1/``)."""


_TOKEN_FIELDS: dict[Endpoint, tuple[str, ...]] = {
    Endpoint.RESPONSES: ("max_output_tokens",),
    Endpoint.CHAT_COMPLETIONS: ("max_completion_tokens", "max_tokens"),
    Endpoint.EMBEDDINGS: (),
}
"""Fields that limit an answer's tokens; the first is the one of today."""


def check_output_tokens(request: GenerationRequest, limit: int) -> None:
    """Raise `RequestRefused` when a request asks for more output tokens than the tenant may use."""
    for name in _TOKEN_FIELDS[request.url]:
        if (request.body.get(name) or 0) > limit:
            raise RequestRefused(Reason.OUTPUT_LIMIT, f"body.{name}")


def payload(request: GenerationRequest, *, deployment: str, subject: Mac | None, output_tokens: int) -> Json:
    """Build the body of the model call; ``output_tokens`` is the limit of a request that names none itself."""
    body = {name: value for name, value in request.body.items() if name not in NEVER_FORWARDED and value is not None}
    body["model"] = deployment
    for name in ("safety_identifier", "user"):
        if body.pop(name, None) is not None and subject is not None:
            body[name] = subject.mac
    if request.url is not Endpoint.EMBEDDINGS:
        body["store"] = False
    limits = _TOKEN_FIELDS[request.url]
    if limits and body.keys().isdisjoint(limits):
        body[limits[0]] = output_tokens
    if request.grounding:
        _add_grounding(body, request)
    return body


def kept(body: Json) -> Json:
    """Return an answer without the fields that repeat the prompt."""
    return {name: value for name, value in body.items() if name not in PROMPT_ECHOES}


def _add_grounding(body: Json, request: GenerationRequest) -> None:
    text = _delimited(request.grounding)
    if request.url is Endpoint.CHAT_COMPLETIONS:
        body["messages"] = [*body["messages"], {"role": "user", "content": text}]
        return
    items: list[dict[str, Any]] = (
        [{"role": "user", "content": body["input"]}] if isinstance(body["input"], str) else body["input"]
    )
    body["input"] = [*items, {"role": "user", "content": text}]


def _delimited(documents: tuple[Document, ...]) -> str:
    """Azure's documented delimiter for embedded documents, with JSON-escaped contents.

    ``<`` and ``>`` are escaped too, so that a document cannot close the delimiter; this reduces indirect prompt injection,
    it does not prevent it. Source: Azure OpenAI documentation, "Prompt Shields: embed documents in your prompt".
    """
    plain = json.dumps([document.model_dump(exclude_none=True) for document in documents], ensure_ascii=True)
    escaped = plain.replace("<", "\\u003c").replace(">", "\\u003e")
    return f'"""\n<documents>\n{escaped}\n</documents>\n"""'
