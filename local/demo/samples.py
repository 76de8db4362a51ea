"""The sample requests of ``make run``, each with the ending that it must have."""

import json
from dataclasses import dataclass
from typing import Any

BATCH = "sample"
ASKED_TWICE = "Which river separates memory from oblivion?"
"""Prompt of the sample that is sent a second time."""

FORGOTTEN = "secret"
"""Key of the request whose end the demo watches."""

SHORTENED_SECONDS = 3600
FORGOTTEN_SECONDS = 10

_RESPONSES = "/v1/responses"
_CHAT = "/v1/chat/completions"
_EMBEDDINGS = "/v1/embeddings"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a request ends: ``rejected`` or the status of its generation, with the code that says why."""

    status: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One message for the queue, and how it must end."""

    name: str
    key: str
    url: str
    asks: str
    body: bytes
    expected: Ending
    tenant: str = "contoso"
    phase: int = 1
    """Sent when all samples of earlier phases have ended."""


def samples(canary: str) -> list[Sample]:
    """Return all samples; the one of tenant ``adatum`` has the canary in its prompt."""
    answer = _envelope("answer", _responses(ASKED_TWICE))
    streamed = {**_responses("Once upon a time"), "stream": True}
    hosted_tool = {**_responses("What is new?"), "tools": [{"type": "web_search"}]}
    with_tool = {**_responses("[[call:get_weather]] How is the weather in Oslo?"), "tools": [_TOOL]}
    return [
        _sample(answer, "an answer", _PASSED),
        _sample(_envelope("chat", _chat("Say good morning."), url=_CHAT), "an answer in a chat", _PASSED),
        _sample(_envelope("vector", _embedding("a text to compare"), url=_EMBEDDINGS), "an embedding", _COMPLETED),
        _sample(
            _envelope("grounded", _responses("What does the document say?"), grounding=[_DOCUMENT]),
            "an answer from a document",
            _PASSED,
        ),
        _sample(_envelope("tool", with_tool), "a call of its function", _PASSED),
        _sample(
            _envelope("short", _responses("Soon forgotten."), expires_after=SHORTENED_SECONDS),
            f"a deadline in {SHORTENED_SECONDS} s",
            _PASSED,
        ),
        _sample(_envelope("elsewhere", _chat("Good evening."), url=_CHAT, tenant="fabrikam"), "another tenant", _PASSED),
        _sample(
            _envelope(FORGOTTEN, _responses(f"Remember this for ten seconds: {canary}"), tenant="adatum"),
            "to be forgotten after 10 s",
            _PASSED,
            phase=3,
        ),
        _sample(_envelope("busy", _responses("[[status:429:2]] Patience.")), "model busy twice (429), then an answer", _PASSED),
        _sample(
            _envelope("bad-prompt", _responses("[[block:violence]] A prompt.")),
            "prompt blocked by the filter",
            _ended("failed", "content_filter"),
        ),
        _sample(
            _envelope("bad-answer", _chat("[[block-completion:hate]] A prompt."), url=_CHAT),
            "completion blocked by the filter",
            _ended("incomplete", "completion_blocked"),
        ),
        _sample(
            _envelope("unfiltered", _responses("[[unfiltered]] A prompt.")),
            "answered while the filter was down",
            _ended("completed", "unfiltered"),
        ),
        _sample(
            _envelope("garbled", _responses("[[truncate]] A prompt.")),
            "model answers broken JSON, always",
            _ended("failed", "invalid_model_output"),
        ),
        Sample(
            name="no-json",
            key="",
            url="",
            asks="a message that is not JSON",
            body=b"{not JSON",
            expected=_rejected("invalid_json", "message"),
        ),
        _sample(_envelope("stream", streamed), "streaming", _rejected("unsupported_value", "body.stream")),
        _sample(
            _envelope("hosted-tool", hosted_tool),
            "a tool run by the service",
            _rejected("unsupported_value", "body.tools[0].type"),
        ),
        _sample(
            _envelope("other-model", {**_responses("Hello."), "model": "gpt-unheard-of"}),
            "a model that the policy lacks",
            _rejected("unknown_model", "body.model"),
        ),
        _sample(
            _envelope("nobody", _responses("Hello."), tenant="nobody"),
            "an unknown tenant",
            _rejected("unknown_tenant", "tenant"),
        ),
        _sample(answer, "the same once more: the same job", _PASSED, name="answer (again)", phase=2),
        _sample(
            _envelope("answer", _responses("Which river was it?")),
            "the same key, other content",
            _rejected("conflict", "custom_id"),
            name="answer (other)",
            phase=2,
        ),
    ]


def _ended(status: str, detail: str) -> Ending:
    return Ending(status=status, detail=detail)


def _rejected(reason: str, field: str) -> Ending:
    return Ending(status="rejected", detail=f"{reason}: {field}")


_COMPLETED = _ended("completed", "")
_PASSED = _ended("completed", "passed")
_DOCUMENT = {"id": "doc-9", "title": "Rivers", "content": "The Lethe is the river of forgetting."}
_TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def _responses(prompt: str) -> dict[str, Any]:
    return {"model": "gpt-small", "input": prompt, "safety_identifier": "user-42"}


def _chat(prompt: str) -> dict[str, Any]:
    return {"model": "gpt-small", "messages": [{"role": "user", "content": prompt}]}


def _embedding(text: str) -> dict[str, Any]:
    return {"model": "embed-small", "input": text}


def _envelope(
    key: str, body: dict[str, Any], *, url: str = _RESPONSES, tenant: str = "contoso", **more: object
) -> dict[str, Any]:
    return {"tenant": tenant, "batch": BATCH, "custom_id": key, "method": "POST", "url": url, "body": body, **more}


def _sample(envelope: dict[str, Any], asks: str, expected: Ending, *, name: str | None = None, phase: int = 1) -> Sample:
    return Sample(
        name=name or envelope["custom_id"],
        key=envelope["custom_id"],
        url=envelope["url"],
        asks=asks,
        body=json.dumps(envelope).encode(),
        expected=expected,
        tenant=envelope["tenant"],
        phase=phase,
    )
