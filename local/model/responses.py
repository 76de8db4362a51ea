"""The answer of ``POST responses``."""

import secrets

from local import clock
from local.model import filters
from local.model.completion import Completion
from local.model.prompt import Json

PARTIAL_CHARACTERS = 24
"""What is left of a completion that the filter stopped: this much had been generated."""


def build(body: Json, said: Completion) -> dict[str, object]:
    """Build a Response with Azure's ``content_filters``. Ids are random, so that no id says anything of a prompt."""
    reason = "content_filter" if said.blocked else "max_output_tokens" if said.cut else None
    status = "incomplete" if reason else "completed"
    return {
        "id": f"resp_{secrets.token_hex(24)}",
        "object": "response",
        "created_at": int(clock.now()),
        "completed_at": None if reason else int(clock.now()),
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "metadata": body.get("metadata") or {},
        "model": body["model"],
        "output": [_item(said, status)],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": None,
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_logprobs": body.get("top_logprobs", 0),
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation", "disabled"),
        "usage": {
            "input_tokens": said.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": said.tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": said.prompt_tokens + said.tokens,
        },
        "user": body.get("user"),
        "content_filters": [
            filters.source(
                "prompt",
                filters.prompt_results(unfiltered=said.unfiltered, noticed=said.noticed),
                characters=said.prompt_characters,
            ),
            filters.source(
                "completion",
                filters.completion_results(blocked=said.blocked, unfiltered=said.unfiltered, noticed=said.noticed),
                blocked=said.blocked is not None,
                characters=len(said.text),
            ),
        ],
    }


def _item(said: Completion, status: str) -> dict[str, object]:
    if said.call:
        return {
            "id": f"fc_{secrets.token_hex(24)}",
            "type": "function_call",
            "status": status,
            "call_id": f"call_{secrets.token_hex(12)}",
            "name": said.call,
            "arguments": said.text,
        }
    text = said.text[:PARTIAL_CHARACTERS] if said.blocked else said.text
    return {
        "id": f"msg_{secrets.token_hex(24)}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }
