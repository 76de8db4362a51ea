"""Every directive that a prompt may hold, on every endpoint where it means something, read by the official client."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from openai import (
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    BadRequestError,
    InternalServerError,
    RateLimitError,
)

from tests.contract.model import Model, serving

type Ask = Callable[[AsyncOpenAI, str], Awaitable[Any]]


async def respond(client: AsyncOpenAI, prompt: str) -> Any:  # noqa: ANN401
    return await client.responses.create(model="gpt-small-eu", input=prompt, store=False)


async def chat(client: AsyncOpenAI, prompt: str) -> Any:  # noqa: ANN401
    messages: Any = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]
    return await client.chat.completions.create(model="gpt-small-eu", messages=messages)


async def embed(client: AsyncOpenAI, prompt: str) -> Any:  # noqa: ANN401
    return await client.embeddings.create(model="embed-small-eu", input=["another text", prompt])


everywhere = pytest.mark.parametrize("ask", [respond, chat, embed])
generating = pytest.mark.parametrize("ask", [respond, chat])


@pytest.fixture(scope="module")
def running_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    with serving(tmp_path_factory.mktemp("model")) as model:
        yield model


@pytest.fixture
def model(running_model: Model) -> Model:
    running_model.reset()
    return running_model


@pytest.fixture
async def client(model: Model) -> AsyncIterator[AsyncOpenAI]:
    async with model.client() as client:
        yield client


def text_of(answer: Any) -> str | None:  # noqa: ANN401
    if answer.object == "response":
        return str(answer.output_text)
    content = answer.choices[0].message.content
    return None if content is None else str(content)


def filter_of(answer: Any, source: str) -> Any:  # noqa: ANN401
    """The filter results of one side, wherever the endpoint has them."""
    if answer.object == "response":
        entries = [entry for entry in answer.content_filters if entry["source_type"] == source]
        return entries[0]["content_filter_results"]
    if source == "prompt":
        return answer.prompt_filter_results[0]["content_filter_results"]
    return answer.choices[0].content_filter_results


@everywhere
@pytest.mark.parametrize("category", ["hate", "sexual", "violence", "self_harm", "self-harm"])
async def test_a_harmful_prompt_is_blocked_by_severity(client: AsyncOpenAI, ask: Ask, category: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        await ask(client, f"do it [[block:{category}]]")

    body: Any = caught.value.body
    assert (caught.value.code, body["status"], body["param"]) == ("content_filter", 400, "prompt")
    assert body["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    results = body["innererror"]["content_filter_result"]
    assert results[category] == {"filtered": True, "severity": "high"}
    assert [name for name, result in results.items() if result["filtered"]] == [category]
    assert "do it" not in str(caught.value)


@everywhere
async def test_a_jailbreak_is_blocked_by_detection(client: AsyncOpenAI, ask: Ask) -> None:
    with pytest.raises(BadRequestError) as caught:
        await ask(client, "[[block:jailbreak]]")

    body: Any = caught.value.body
    assert body["innererror"]["content_filter_result"]["jailbreak"] == {"filtered": True, "detected": True}


async def test_a_blocked_completion_of_a_response_is_incomplete(client: AsyncOpenAI) -> None:
    answer = await respond(client, "a tale of more words than a filter lets through [[block-completion:hate]]")

    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "content_filter")
    assert filter_of(answer, "completion")["hate"] == {"filtered": True, "severity": "high"}
    assert [entry["blocked"] for entry in answer.content_filters] == [False, True]
    assert answer.output_text == "a tale of more words tha", "what had been generated before the filter stopped it"


async def test_a_blocked_completion_of_a_chat_has_no_content(client: AsyncOpenAI) -> None:
    answer = await chat(client, "a tale [[block-completion:hate]]")

    assert (answer.choices[0].finish_reason, text_of(answer)) == ("content_filter", None)
    assert filter_of(answer, "completion")["hate"] == {"filtered": True, "severity": "high"}
    assert filter_of(answer, "prompt")["hate"] == {"filtered": False, "severity": "safe"}


@generating
async def test_a_classifier_that_is_down_leaves_the_answer_unfiltered(client: AsyncOpenAI, ask: Ask) -> None:
    answer = await ask(client, "hello [[unfiltered]]")

    assert text_of(answer) == "hello"
    for source in ("prompt", "completion"):
        results = filter_of(answer, source)
        assert list(results) == ["error"]
        assert results["error"]["code"] == "content_filter_error"


@everywhere
async def test_a_status_is_answered_for_the_first_calls_of_a_prompt(client: AsyncOpenAI, ask: Ask) -> None:
    for _ in range(2):
        with pytest.raises(RateLimitError) as caught:
            await ask(client, "busy [[status:429:2]]")
        assert caught.value.response.headers["Retry-After"] == "1"

    assert await ask(client, "busy [[status:429:2]]")
    with pytest.raises(RateLimitError):
        await ask(client, "another prompt [[status:429:2]]")


async def test_a_status_may_have_a_retry_after_of_its_own(client: AsyncOpenAI) -> None:
    with pytest.raises(RateLimitError) as caught:
        await respond(client, "[[status:429:1:90]]")

    assert caught.value.response.headers["Retry-After"] == "90"


async def test_a_status_without_a_count_never_ends(client: AsyncOpenAI) -> None:
    for _ in range(4):
        with pytest.raises(InternalServerError):
            await respond(client, "[[status:503]]")


async def test_statuses_follow_one_another(client: AsyncOpenAI) -> None:
    met = []
    for _ in range(3):
        with pytest.raises(APIStatusError) as caught:
            await respond(client, "[[status:429:2]] then [[status:500:1]]")
        met.append(caught.value.status_code)

    assert met == [429, 429, 500]
    assert text_of(await respond(client, "[[status:429:2]] then [[status:500:1]]")) == "then"


async def test_the_official_client_retries_into_success(model: Model) -> None:
    async with model.client(max_retries=2) as client:
        assert text_of(await respond(client, "soon [[status:500:2:0]]")) == "soon"

    assert model.calls()["total"] == 3


@everywhere
async def test_a_delay_delays(client: AsyncOpenAI, ask: Ask) -> None:
    began = time.monotonic()
    assert await ask(client, "[[delay:300]]")
    assert time.monotonic() - began >= 0.3


@everywhere
async def test_a_truncated_answer_is_200_with_broken_json(client: AsyncOpenAI, ask: Ask) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        await ask(client, "cut [[truncate]]")

    assert caught.value.doc.startswith("{"), "the HTTP message is whole, its JSON is not"


async def test_a_hanging_call_ends_with_its_client(model: Model) -> None:
    async with model.client(timeout=0.3) as client:
        with pytest.raises(APITimeoutError):
            await respond(client, "[[hang]]")
    async with model.client() as client:
        assert text_of(await respond(client, "still there")) == "still there"


@everywhere
async def test_an_error_may_quote_the_prompt(client: AsyncOpenAI, ask: Ask) -> None:
    with pytest.raises(BadRequestError) as caught:
        await ask(client, "my secret [[echo-error]]")

    assert "my secret" in str(caught.value)


@generating
@pytest.mark.parametrize("name", ["long", "tokens"])
async def test_a_completion_is_as_long_as_asked(client: AsyncOpenAI, ask: Ask, name: str) -> None:
    text = text_of(await ask(client, f"blah [[{name}:30000]]"))

    assert text is not None
    assert len(text) == 30000
    assert text.startswith("blah blah")


async def test_several_directives_stand_in_one_prompt(client: AsyncOpenAI) -> None:
    with pytest.raises(RateLimitError):
        await respond(client, "[[status:429:1]] x [[block:violence]]")
    with pytest.raises(BadRequestError):
        await respond(client, "[[status:429:1]] x [[block:violence]]")


async def test_a_directive_is_found_in_instructions_and_in_tool_outputs(client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError):
        await client.responses.create(model="gpt-small-eu", instructions="[[block:hate]]", input="x", store=False)
    with pytest.raises(BadRequestError):
        await client.responses.create(
            model="gpt-small-eu",
            input=[{"type": "function_call_output", "call_id": "c", "output": "[[block:hate]]"}],
            store=False,
        )


@generating
async def test_what_is_not_quite_a_directive_is_text(client: AsyncOpenAI, ask: Ask) -> None:
    for prompt in ("[[status:200:1]]", "[[blocked:hate]]", "[[delay]]", "[hang]"):
        assert text_of(await ask(client, prompt)) == prompt


@generating
async def test_a_prompt_of_directives_only_gets_an_answer(client: AsyncOpenAI, ask: Ask) -> None:
    assert text_of(await ask(client, "[[delay:1]]")) == "Done."


async def test_calls_at_once_do_not_wait_for_each_other(client: AsyncOpenAI) -> None:
    began = time.monotonic()
    await asyncio.gather(*(respond(client, f"{number} [[delay:300]]") for number in range(10)))
    assert time.monotonic() - began < 2
