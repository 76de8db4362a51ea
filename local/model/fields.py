"""What a request may hold: the fields of each endpoint, and what the simulator refuses although Azure knows it."""

from local.model import errors
from local.model.prompt import Json

_COMMON = {
    "metadata", "model", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
    "service_tier", "store", "stream", "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p",
    "user",
}  # fmt: skip
_RESPONSES = {
    "background", "conversation", "include", "input", "instructions", "max_output_tokens", "max_tool_calls",
    "previous_response_id", "prompt", "reasoning", "text", "truncation",
}  # fmt: skip
_CHAT = {
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens",
    "max_tokens", "messages", "modalities", "n", "prediction", "presence_penalty", "reasoning_effort",
    "response_format", "seed", "stop", "verbosity",
}  # fmt: skip

FIELDS = {
    "responses": frozenset(_COMMON | _RESPONSES),
    "chat/completions": frozenset(_COMMON | _CHAT),
    "embeddings": frozenset({"dimensions", "encoding_format", "input", "model", "user"}),
}
"""Operation: its top-level fields (Azure OpenAI v1 reference; fields that only OpenAI serves are unknown to Azure)."""

PROMPT_FIELD = {"responses": "input", "chat/completions": "messages", "embeddings": "input"}

_NOT_SIMULATED = ("stream", "background", "previous_response_id", "conversation", "prompt", "functions", "audio")
"""Azure takes these; a simulator that keeps nothing, answers at once and knows only function tools cannot."""


def check(operation: str, body: Json) -> None:
    """Raise ModelError for what Azure, or this simulator, does not take."""
    for name in body:
        if name not in FIELDS[operation]:
            raise errors.invalid("unknown_parameter", f"Unknown parameter: '{name}'.", name)
    for name in ("model", PROMPT_FIELD[operation]):
        if not body.get(name):
            raise errors.invalid("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
    if not isinstance(body["model"], str):
        raise errors.invalid("invalid_type", "Invalid type for 'model': expected a string.", "model")
    said = body[PROMPT_FIELD[operation]]
    if not isinstance(said, list if operation == "chat/completions" else (str, list)):
        raise errors.invalid("invalid_type", "The prompt has the wrong type.", PROMPT_FIELD[operation])
    _check_simulated(body)


def _check_simulated(body: Json) -> None:
    for name in _NOT_SIMULATED:
        if body.get(name):
            raise errors.invalid("not_simulated", f"The local simulator does not serve '{name}'.", name)
    if body.get("n") not in (None, 1):
        raise errors.invalid("not_simulated", "The local simulator generates one choice.", "n")
    tools = body.get("tools") or []
    if not isinstance(tools, list) or any(not isinstance(tool, dict) or tool.get("type") != "function" for tool in tools):
        raise errors.invalid("not_simulated", "The local simulator knows tools of type 'function' only.", "tools")
    if not all(isinstance(tool.get("function", {}), dict) for tool in tools):
        raise errors.invalid("invalid_type", "Invalid type for 'tools': expected functions.", "tools")
