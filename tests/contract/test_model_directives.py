"""Directives of a prompt, but for those about the filter, wherever they mean something, read by the official client."""

import asyncio
import json
import time

import pytest
from openai import (
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    BadRequestError,
    InternalServerError,
    RateLimitError,
)

from tests.contract.asking import Ask, everywhere, generating, respond, text_of
from tests.contract.model import Model


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
    for prompt in (
        "[[status:200:1]]",
        "[[blocked:hate]]",
        "[[delay]]",
        "[hang]",
        "[[blocklist]]",
        "[[annotate:]]",
        "[[pii:x]]",
    ):
        assert text_of(await ask(client, prompt)) == prompt


@generating
async def test_a_prompt_of_directives_only_gets_an_answer(client: AsyncOpenAI, ask: Ask) -> None:
    assert text_of(await ask(client, "[[delay:1]]")) == "Done."


async def test_calls_at_once_do_not_wait_for_each_other(client: AsyncOpenAI) -> None:
    began = time.monotonic()
    await asyncio.gather(*(respond(client, f"{number} [[delay:300]]") for number in range(10)))
    assert time.monotonic() - began < 2
