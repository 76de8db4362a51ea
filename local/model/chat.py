"""The answer of ``POST chat/completions``."""

import secrets

from local import clock
from local.model import filters
from local.model.completion import Completion
from local.model.prompt import Json


def build(body: Json, said: Completion) -> dict[str, object]:
    """Build a ChatCompletion with Azure's annotations of the prompt and of the choice."""
    message: dict[str, object] = {"role": "assistant", "content": said.text, "refusal": None, "annotations": []}
    if said.blocked:
        message["content"] = None
    elif said.call:
        function = {"name": said.call, "arguments": said.text}
        message["content"] = None
        message["tool_calls"] = [{"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}]
    return {
        "id": f"chatcmpl-{secrets.token_hex(14)}",
        "object": "chat.completion",
        "created": int(clock.now()),
        "model": body["model"],
        "system_fingerprint": "fp_local",
        "choices": [
            {
                "index": 0,
                "finish_reason": _finish_reason(said),
                "logprobs": None,
                "message": message,
                "content_filter_results": filters.completion_results(
                    blocked=said.blocked, unfiltered=said.unfiltered, noticed=said.noticed
                ),
            }
        ],
        "usage": {
            "prompt_tokens": said.prompt_tokens,
            "completion_tokens": said.tokens,
            "total_tokens": said.prompt_tokens + said.tokens,
            "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
            "completion_tokens_details": {
                "accepted_prediction_tokens": 0,
                "audio_tokens": 0,
                "reasoning_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "prompt_filter_results": [
            {
                "prompt_index": 0,
                "content_filter_results": filters.prompt_results(unfiltered=said.unfiltered, noticed=said.noticed),
            }
        ],
    }


def _finish_reason(said: Completion) -> str:
    if said.blocked:
        return "content_filter"
    if said.cut:
        return "length"
    return "tool_calls" if said.call else "stop"
