"""The request fields of the three endpoints: each field of OpenAI's API is allowed here, or refused by name.

A test walks the request types of the installed SDK and fails on a field that stands in neither list.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

type Number = StrictInt | StrictFloat
type Fields = dict[str, Any]
type Subject = Annotated[StrictStr, Field(min_length=1, max_length=256)]
type Metadata = Annotated[
    dict[Annotated[StrictStr, Field(max_length=64)], Annotated[StrictStr, Field(max_length=512)]], Field(max_length=16)
]


class Endpoint(StrEnum):
    """The three endpoints, by the ``url`` of a request."""

    RESPONSES = "/v1/responses"
    CHAT_COMPLETIONS = "/v1/chat/completions"
    EMBEDDINGS = "/v1/embeddings"


class Body(BaseModel):
    """What all three have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    model: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    user: Subject | None = None


class GenerationBody(Body):
    """What the two generating endpoints have in common."""

    safety_identifier: Subject | None = None
    metadata: Metadata | None = None
    store: StrictBool | None = None
    stream: Literal[False] | None = None
    temperature: Number | None = None
    top_p: Number | None = None
    top_logprobs: StrictInt | None = None
    parallel_tool_calls: StrictBool | None = None
    tools: list[Fields] | None = None
    tool_choice: StrictStr | Fields | None = None


class ResponsesBody(GenerationBody):
    """Fields of ``POST /v1/responses``. ``background`` says what is so anyway and goes no further."""

    input: StrictStr | list[Fields]
    instructions: StrictStr | None = None
    background: StrictBool | None = None
    include: list[Literal["reasoning.encrypted_content", "message.output_text.logprobs"]] | None = None
    max_output_tokens: Annotated[StrictInt, Field(ge=1)] | None = None
    reasoning: Fields | None = None
    text: Fields | None = None
    truncation: Literal["auto", "disabled"] | None = None


class ChatCompletionsBody(GenerationBody):
    """Fields of ``POST /v1/chat/completions``."""

    messages: Annotated[list[Fields], Field(min_length=1)]
    frequency_penalty: Number | None = None
    logit_bias: dict[str, StrictInt] | None = None
    logprobs: StrictBool | None = None
    max_completion_tokens: Annotated[StrictInt, Field(ge=1)] | None = None
    max_tokens: Annotated[StrictInt, Field(ge=1)] | None = None
    modalities: list[Literal["text"]] | None = None
    n: Literal[1] | None = None
    presence_penalty: Number | None = None
    reasoning_effort: StrictStr | None = None
    response_format: Fields | None = None
    seed: StrictInt | None = None
    stop: StrictStr | list[StrictStr] | None = None
    verbosity: StrictStr | None = None


class EmbeddingsBody(Body):
    """Fields of ``POST /v1/embeddings``."""

    input: StrictStr | list[StrictStr] | list[StrictInt] | list[list[StrictInt]]
    dimensions: Annotated[StrictInt, Field(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None


BODIES: dict[Endpoint, type[Body]] = {
    Endpoint.RESPONSES: ResponsesBody,
    Endpoint.CHAT_COMPLETIONS: ChatCompletionsBody,
    Endpoint.EMBEDDINGS: EmbeddingsBody,
}

_CACHES = {"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"}
_ELSEWHERE = {"service_tier", "moderation"}

REFUSED: dict[Endpoint, frozenset[str]] = {
    Endpoint.RESPONSES: frozenset(
        {"previous_response_id", "conversation", "prompt", "context_management", "background_options"}  # stored state
        | {"access_programs", "image", "max_tool_calls"}  # hosted tools and programs
        | {"stream_options"}
        | _CACHES
        | _ELSEWHERE
    ),
    Endpoint.CHAT_COMPLETIONS: frozenset(
        {"audio", "web_search_options", "functions", "function_call", "prediction", "stream_options"} | _CACHES | _ELSEWHERE
    ),
    Endpoint.EMBEDDINGS: frozenset(),
}
"""Fields that OpenAI's API knows and Lethe refuses: state kept elsewhere, tools run elsewhere, or a cache with a key."""

NEVER_FORWARDED = frozenset({"store", "stream", "background", "metadata", "n"})
"""Accepted fields that the model service never sees: we set ``store`` ourselves, and ``metadata`` is the caller's label."""
