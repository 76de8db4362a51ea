"""What the model answers when all is well, read by the official client."""

import base64
import math
import struct
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.contract.model import Model, serving

MODEL = "gpt-small-eu"
FUNCTION: Any = {"name": "find", "description": "Finds.", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    with serving(tmp_path_factory.mktemp("model")) as model:
        yield model


@pytest.fixture
async def client(model: Model) -> AsyncIterator[AsyncOpenAI]:
    async with model.client(_strict_response_validation=True) as client:
        yield client


async def test_a_response_repeats_the_last_words_of_the_prompt(client: AsyncOpenAI) -> None:
    words = [f"w{number}" for number in range(20)]

    response = await client.responses.create(model=MODEL, input=" ".join(words), store=False)

    assert response.status == "completed"
    assert response.output_text == " ".join(words[-12:])


async def test_a_response_has_the_filter_annotations_of_azure(client: AsyncOpenAI) -> None:
    extras = (await client.responses.create(model=MODEL, input="hello", store=False)).model_extra

    assert extras is not None
    prompt, completion = extras["content_filters"]
    assert (prompt["source_type"], prompt["blocked"]) == ("prompt", False)
    assert (completion["source_type"], completion["blocked"]) == ("completion", False)
    for harm in ("hate", "sexual", "violence", "self_harm"):
        assert prompt["content_filter_results"][harm] == {"filtered": False, "severity": "safe"}
        assert completion["content_filter_results"][harm] == {"filtered": False, "severity": "safe"}
    assert prompt["content_filter_results"]["jailbreak"] == {"detected": False, "filtered": False}
    assert completion["content_filter_results"]["protected_material_code"] == {"detected": False, "filtered": False}


async def test_usage_adds_up(client: AsyncOpenAI) -> None:
    response = await client.responses.create(model=MODEL, input="four words of prompt", store=False)
    chat = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hello"}])

    assert response.usage is not None
    assert chat.usage is not None
    assert response.usage.input_tokens > 0
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    assert chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens


async def test_the_same_request_gets_the_same_words_under_another_id(client: AsyncOpenAI) -> None:
    first, second = [await client.responses.create(model=MODEL, input="again", store=False) for _ in range(2)]

    assert first.output_text == second.output_text
    assert first.id != second.id


async def test_the_last_words_of_a_conversation_are_the_users(client: AsyncOpenAI) -> None:
    response = await client.responses.create(
        model=MODEL,
        instructions="Be brief.",
        input=[
            {"role": "user", "content": "the first question"},
            {"role": "assistant", "content": "the first answer"},
            {"role": "user", "content": [{"type": "input_text", "text": "the second question"}]},
        ],
        store=False,
    )

    assert response.output_text == "the second question"


async def test_grounding_is_not_repeated(client: AsyncOpenAI) -> None:
    grounding = '<documents>\n{"id": "doc-1", "content": "secret of the document"}\n</documents>'

    chat = await client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": f"my question\n{grounding}"}, {"role": "user", "content": grounding}],
    )

    assert chat.choices[0].message.content == "my question"


async def test_a_chat_completion_has_the_filter_annotations_of_azure(client: AsyncOpenAI) -> None:
    chat = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hello"}])

    assert chat.choices[0].finish_reason == "stop"
    assert chat.choices[0].message.content == "hello"
    assert chat.model_extra is not None
    assert chat.choices[0].model_extra is not None
    of_prompt = chat.model_extra["prompt_filter_results"][0]
    assert of_prompt["prompt_index"] == 0
    assert of_prompt["content_filter_results"]["violence"] == {"filtered": False, "severity": "safe"}
    of_choice = chat.choices[0].model_extra["content_filter_results"]
    assert of_choice["protected_material_text"] == {"detected": False, "filtered": False}


@pytest.mark.parametrize("kind", ["json_object", "json_schema"])
async def test_a_json_format_gets_a_json_object(client: AsyncOpenAI, kind: str) -> None:
    schema: dict[str, Any] = {"name": "echo", "schema": {"type": "object"}}
    text: Any = {"format": {"type": kind, **(schema if kind == "json_schema" else {})}}
    of_chat: Any = {"type": kind, **({"json_schema": schema} if kind == "json_schema" else {})}

    response = await client.responses.create(model=MODEL, input="in JSON é", text=text, store=False)
    chat = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "in JSON é"}], response_format=of_chat
    )

    assert response.output_text == chat.choices[0].message.content == '{"echo": "in JSON é"}'


async def test_a_response_calls_the_function_that_the_prompt_names(client: AsyncOpenAI) -> None:
    tools: Any = [{"type": "function", "strict": None, **FUNCTION}]
    response = await client.responses.create(model=MODEL, input="look [[call:find]]", tools=tools, store=False)

    assert response.output[0].type == "function_call"
    assert (response.output[0].name, response.output[0].arguments) == ("find", '{"echo": "look"}')


async def test_a_chat_completion_calls_the_function_that_the_prompt_names(client: AsyncOpenAI) -> None:
    chat = await client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "look [[call:find]]"}],
        tools=[{"type": "function", "function": FUNCTION}],
    )

    assert chat.choices[0].finish_reason == "tool_calls"
    assert chat.choices[0].message.tool_calls is not None
    call = chat.choices[0].message.tool_calls[0]
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("find", '{"echo": "look"}')


async def test_a_function_that_is_not_on_offer_is_not_called(client: AsyncOpenAI) -> None:
    response = await client.responses.create(model=MODEL, input="look [[call:find]]", store=False)

    assert response.output_text == "look"


async def test_a_token_limit_cuts_the_completion(client: AsyncOpenAI) -> None:
    response = await client.responses.create(model=MODEL, input="[[long:500]] a", max_output_tokens=16, store=False)
    chat = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "[[long:500]] a"}], max_completion_tokens=16
    )

    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert chat.choices[0].finish_reason == "length"


async def test_embeddings_are_the_same_vectors_in_numbers_and_in_base64(model: Model) -> None:
    asked: Any = {"model": "embed-small-eu", "input": ["one", "two"], "dimensions": 8}
    async with model.client() as client:  # the SDK's strict validation does not know its own default, base64
        numbers = await client.embeddings.create(**asked, encoding_format="float")
        decoded = await client.embeddings.create(**asked)
        packed: Any = await client.post("/embeddings", body={**asked, "encoding_format": "base64"}, cast_to=dict[str, object])

    assert [one.index for one in numbers.data] == [0, 1]
    assert math.hypot(*numbers.data[0].embedding) == pytest.approx(1)
    assert numbers.data[0].embedding != numbers.data[1].embedding
    for one, other, raw in zip(numbers.data, decoded.data, packed["data"], strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
        assert list(struct.unpack("<8f", base64.b64decode(raw["embedding"]))) == pytest.approx(other.embedding)
    assert numbers.usage.prompt_tokens == numbers.usage.total_tokens > 0


async def test_embeddings_have_1536_dimensions_and_take_tokens(model: Model) -> None:
    async with model.client() as client:
        answer = await client.embeddings.create(model="embed-small-eu", input=[[1, 2], [3]])

    assert [len(one.embedding) for one in answer.data] == [1536, 1536]


async def test_the_deployments_are_listed(client: AsyncOpenAI) -> None:
    listed = [model.id async for model in client.models.list()]

    of_primary = ["gpt-small-eu", "gpt-small-eu-2", "gpt-small-world", "embed-small-eu"]
    assert listed == [*of_primary, "gpt-small-unlogged", "embed-small-unlogged"]
