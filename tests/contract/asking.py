"""The three ways to ask the simulated model, and what its filter said of the answer."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from openai import AsyncOpenAI

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
