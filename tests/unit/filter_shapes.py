"""Findings of Azure's content filter, and the answers that carry them."""

from typing import Any

SAFE = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": False, "severity": "safe"}}
LOW = {"hate": {"filtered": False, "severity": "low"}}
JAILBREAK = {"jailbreak": {"detected": True, "filtered": False}}
BLOCKED = {"violence": {"filtered": True, "severity": "high"}}
DOWN = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}


def chat(prompt: object, completion: object, finish_reason: str = "stop") -> dict[str, Any]:
    """A chat completion; None leaves the results out."""
    body: dict[str, Any] = {"choices": [{"finish_reason": finish_reason, "message": {"content": "text"}}]}
    if prompt is not None:
        body["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": prompt}]
    if completion is not None:
        body["choices"][0]["content_filter_results"] = completion
    return body


def response(prompt: object, completion: object, *, blocked: str = "") -> dict[str, Any]:
    """A Responses answer; ``blocked`` is the source type of the filter that blocked."""
    return {
        "status": "completed",
        "content_filters": [
            {"blocked": blocked == source, "source_type": source, "content_filter_results": results}
            for source, results in (("prompt", prompt), ("completion", completion))
            if results is not None
        ],
    }
