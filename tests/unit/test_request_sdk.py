"""The allow-lists against the request types of the installed OpenAI SDK: a new field has to be decided on."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionMessageParam, ChatCompletionToolUnionParam
from openai.types.chat.completion_create_params import CompletionCreateParamsBase, CompletionCreateParamsNonStreaming
from openai.types.embedding_create_params import EmbeddingCreateParams
from openai.types.responses import ResponseInputContentParam, ResponseInputItemParam, ToolParam
from openai.types.responses.response_create_params import ResponseCreateParamsBase, ResponseCreateParamsNonStreaming

from shared.domain.bodies import BODIES, NEVER_FORWARDED, REFUSED, Endpoint
from shared.errors import Reason
from tests.unit.lines import CHAT, RESPONSES, line, refused

SDK_TYPES: dict[Endpoint, list[type]] = {
    Endpoint.RESPONSES: [ResponseCreateParamsBase, ResponseCreateParamsNonStreaming],
    Endpoint.CHAT_COMPLETIONS: [CompletionCreateParamsBase, CompletionCreateParamsNonStreaming],
    Endpoint.EMBEDDINGS: [EmbeddingCreateParams],
}


def sdk_fields(endpoint: Endpoint) -> set[str]:
    return {name for kind in SDK_TYPES[endpoint] for name in get_type_hints(kind)}


def kinds(union: Any, discriminator: str = "type") -> Iterator[str]:  # noqa: ANN401
    """Values of the discriminator over all members of a union of the SDK."""
    for member in get_args(union):
        hint = get_type_hints(member, include_extras=False).get(discriminator)
        for part in (hint, *get_args(hint)):
            if get_origin(part) is Literal:
                yield from get_args(part)


@pytest.mark.parametrize("endpoint", Endpoint)
def test_each_request_field_of_the_sdk_is_allowed_or_refused_by_name(endpoint: Endpoint) -> None:
    assert sdk_fields(endpoint) - set(BODIES[endpoint].model_fields) - REFUSED[endpoint] == set()


@pytest.mark.parametrize("endpoint", Endpoint)
def test_no_field_is_listed_that_the_sdk_does_not_know(endpoint: Endpoint) -> None:
    assert (set(BODIES[endpoint].model_fields) | REFUSED[endpoint]) - sdk_fields(endpoint) == set()


@pytest.mark.parametrize("endpoint", Endpoint)
def test_no_field_is_allowed_and_refused_at_once(endpoint: Endpoint) -> None:
    assert set(BODIES[endpoint].model_fields) & REFUSED[endpoint] == set()


@pytest.mark.parametrize(
    ("endpoint", "name"), [(endpoint, name) for endpoint, names in REFUSED.items() for name in sorted(names)]
)
def test_each_refused_field_is_refused_by_its_name(endpoint: Endpoint, name: str) -> None:
    refusal = refused(line(endpoint, {name: {"any": "value"}}))
    assert (refusal.reason, refusal.field) == (Reason.UNSUPPORTED_FIELD, f"body.{name}")


def test_every_field_that_is_never_forwarded_is_an_accepted_one() -> None:
    assert {name for body in BODIES.values() for name in body.model_fields} >= NEVER_FORWARDED


HOSTED_TOOLS = sorted({*kinds(ToolParam), *kinds(ChatCompletionToolUnionParam)} - {"function"})
STATEFUL_ITEMS = sorted({*kinds(ResponseInputItemParam)} - {"message", "function_call", "function_call_output", "reasoning"})
FOREIGN_PARTS = [
    *[(RESPONSES, kind) for kind in sorted({*kinds(ResponseInputContentParam)} - {"input_text", "input_image", "input_file"})],
    *[(CHAT, kind) for kind in sorted({*kinds(ChatCompletionContentPartParam)} - {"text", "image_url", "file"})],
]


def test_the_walk_over_the_sdk_finds_what_it_should() -> None:
    assert {"web_search", "mcp", "code_interpreter", "file_search", "image_generation", "custom"} <= {*HOSTED_TOOLS}
    assert {"item_reference", "computer_call_output", "mcp_call"} <= {*STATEFUL_ITEMS}
    assert (CHAT, "input_audio") in FOREIGN_PARTS
    assert {"function", "user"} <= {*kinds(ChatCompletionMessageParam, "role")}


@pytest.mark.parametrize("kind", HOSTED_TOOLS)
@pytest.mark.parametrize("url", [RESPONSES, CHAT])
def test_each_tool_of_the_sdk_but_functions_is_refused(url: str, kind: str) -> None:
    refusal = refused(line(url, {"tools": [{"type": "function"}, {"type": kind, "function": {"name": "f"}}]}))
    assert (refusal.reason, refusal.field) == (Reason.UNSUPPORTED_VALUE, "body.tools[1].type")


@pytest.mark.parametrize("kind", STATEFUL_ITEMS)
def test_each_input_item_of_the_sdk_that_needs_state_of_the_service_is_refused(kind: str) -> None:
    refusal = refused(line(RESPONSES, {"input": [{"type": kind, "id": "a", "content": "b", "output": "c"}]}))
    assert (refusal.reason, refusal.field) == (Reason.UNSUPPORTED_VALUE, "body.input[0].type")


@pytest.mark.parametrize(("url", "kind"), FOREIGN_PARTS)
def test_each_content_part_of_the_sdk_that_is_no_text_image_or_file_is_refused(url: str, kind: str) -> None:
    name = "input" if url == RESPONSES else "messages"
    refusal = refused(line(url, {name: [{"role": "user", "content": [{"type": kind, "text": "a"}]}]}))
    assert (refusal.reason, refusal.field) == (Reason.UNSUPPORTED_VALUE, f"body.{name}[0].content[0].type")
