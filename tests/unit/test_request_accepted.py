"""What `shared.domain.request` takes: lines of OpenAI Batch input files, and what Lethe adds to them."""

from typing import Any

import pytest

from shared.domain.bodies import Endpoint
from shared.domain.request import Document, claimed_tenant
from tests.unit.lines import BODIES, CHAT, EMBEDDINGS, MAX_BYTES, RESPONSES, accepted, encoded, line

IMAGE = "data:image/png;base64,AAAA"
FUNCTION = {"type": "function", "name": "find", "parameters": {"type": "object", "properties": {}}}
CHAT_FUNCTION = {"type": "function", "function": {"name": "find", "parameters": {}}}


@pytest.mark.parametrize("url", BODIES)
def test_a_batch_line_is_accepted_and_its_body_kept_as_sent(url: str) -> None:
    request = accepted(line(url))
    assert (request.url, request.body, request.method) == (Endpoint(url), BODIES[url], "POST")
    assert (request.batch, request.expires_after, request.grounding, request.subject) == (None, None, (), None)


@pytest.mark.parametrize(
    "body",
    [
        {"store": True},
        {"store": False},
        {"stream": False},
        {"stream": None},
        {"background": True},
        {"previous_response_id": None},  # a client that writes every field
        {"instructions": "Be brief.", "temperature": 0, "top_p": 0.5, "max_output_tokens": 1, "truncation": "auto"},
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}}}, "reasoning": {"effort": "low"}},
        {"include": ["reasoning.encrypted_content", "message.output_text.logprobs"]},
        {"tools": []},
        {"tools": [FUNCTION], "tool_choice": "auto", "parallel_tool_calls": False},
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "find"}},
        {"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [FUNCTION]}},
        {"safety_identifier": "u" * 256, "user": "user-42"},
        {"metadata": {"k" * 64: "v" * 512} | {f"k{number}": "" for number in range(15)}},
        {"input": []},
        {"input": [{"role": "user", "content": "Hello"}]},  # the short form has no type
        {"input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}]},
        {
            "input": [
                {"role": "assistant", "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}]}
            ]
        },
        {
            "input": [
                {"role": "user", "content": [{"type": "input_image", "image_url": IMAGE, "detail": "low", "file_id": None}]}
            ]
        },
        {
            "input": [
                {"role": "user", "content": [{"type": "input_file", "filename": "a.pdf", "file_data": "data:text/plain,a"}]}
            ]
        },
        {"input": [{"type": "function_call", "call_id": "c", "name": "find", "arguments": "{}"}]},
        {"input": [{"type": "function_call_output", "call_id": "c", "output": "found"}]},
        {"input": [{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": IMAGE}]}]},
        {"input": [{"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "sealed"}]},
    ],
)
def test_a_responses_body_of_allowed_fields_is_accepted(body: dict[str, Any]) -> None:
    assert accepted(line(RESPONSES, body)).body == BODIES[RESPONSES] | body


@pytest.mark.parametrize(
    "body",
    [
        {"store": True, "stream": False, "n": 1, "seed": 7, "stop": ["a"], "logprobs": True, "top_logprobs": 2},
        {"frequency_penalty": 0.1, "presence_penalty": -1, "logit_bias": {"50256": -100}, "modalities": ["text"]},
        {"max_tokens": 1, "max_completion_tokens": 1, "reasoning_effort": "low", "verbosity": "low"},
        {"response_format": {"type": "json_object"}, "stop": "x", "metadata": {}},
        {"tools": [CHAT_FUNCTION], "tool_choice": {"type": "function", "function": {"name": "find"}}},
        {"messages": [{"role": "system", "content": "s"}, {"role": "developer", "content": "d"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}], "name": "n"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/plain,a"}}]}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function"}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}], "audio": None}]},
        {"messages": [{"role": "tool", "tool_call_id": "c", "content": "found"}]},
    ],
)
def test_a_chat_body_of_allowed_fields_is_accepted(body: dict[str, Any]) -> None:
    assert accepted(line(CHAT, body)).body == BODIES[CHAT] | body


@pytest.mark.parametrize("given", ["a", ["a", "b"], [1, 2], [[1, 2], [3]]])
def test_an_embeddings_body_takes_texts_and_tokens(given: object) -> None:
    body = {"input": given, "dimensions": 8, "encoding_format": "base64", "user": "user-42"}
    request = accepted(line(EMBEDDINGS, body))
    assert (request.body["input"], request.subject) == (given, "user-42")


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"custom_id": "x" * 256}, "custom_id", "x" * 256),
        ({"custom_id": "é/?#"}, "custom_id", "é/?#"),
        ({"batch": "orders-2026-11"}, "batch", "orders-2026-11"),
        ({"batch": None}, "batch", None),
        ({"expires_after": 1}, "expires_after", 1),
        ({"expires_after": 10**12}, "expires_after", 10**12),  # the policy clamps it
        ({"grounding": []}, "grounding", ()),
        ({"grounding": [{"content": ""}]}, "grounding", (Document(content=""),)),
        (
            {"grounding": [{"id": "doc-9", "title": "t", "content": "c"}]},
            "grounding",
            (Document(id="doc-9", title="t", content="c"),),
        ),
    ],
)
def test_the_fields_around_the_body_are_read(changes: dict[str, Any], field: str, value: object) -> None:
    assert getattr(accepted(line(**changes)), field) == value


def test_the_method_may_be_absent() -> None:
    document = line()
    del document["method"]
    assert accepted(document).method == "POST"


@pytest.mark.parametrize(
    ("body", "subject"),
    [
        ({}, None),
        ({"user": "u"}, "u"),
        ({"safety_identifier": "s"}, "s"),
        ({"safety_identifier": "s", "user": "u"}, "s"),
        ({"safety_identifier": None, "user": "u"}, "u"),
    ],
)
def test_the_subject_is_the_safety_identifier_else_the_user(body: dict[str, Any], subject: str | None) -> None:
    assert accepted(line(CHAT, body)).subject == subject


@pytest.mark.parametrize(
    "changes",
    [{"expires_after": 7}, {"grounding": [{"content": "c"}]}, {"body": {"input": "Other"}}, {"url": EMBEDDINGS}],
)
def test_everything_but_the_key_is_the_content_of_a_request(changes: dict[str, Any]) -> None:
    assert accepted(line(**changes)).content != accepted(line()).content


def test_the_key_is_no_part_of_the_content() -> None:
    other = line(tenant="fabrikam", custom_id="other", batch="b")
    assert accepted(other).content == accepted(line()).content


@pytest.mark.parametrize(
    ("data", "tenant"),
    [
        (encoded({"tenant": "contoso", "nonsense": 1}), "contoso"),
        (encoded({"tenant": 17}), None),
        (encoded({}), None),
        (b"no json", None),
    ],
)
def test_the_claimed_tenant_of_a_refused_message_is_read_if_it_can_be(data: bytes, tenant: str | None) -> None:
    assert claimed_tenant(data, max_bytes=MAX_BYTES) == tenant
