"""Every way in which a line is refused: what is changed about a valid line, the reason, and the field that is named."""

from typing import Any

from shared.errors import Reason
from tests.unit.lines import CHAT, EMBEDDINGS, RESPONSES, line

type Refusal = tuple[dict[str, Any], Reason, str]

MISSING, UNKNOWN = Reason.MISSING_FIELD, Reason.UNKNOWN_FIELD
NO_FIELD, NO_VALUE = Reason.UNSUPPORTED_FIELD, Reason.UNSUPPORTED_VALUE
TYPE, VALUE = Reason.INVALID_TYPE, Reason.INVALID_VALUE
HTTP, HTTPS = "http://example.com/a.png", "https://example.com/a.png"


def each(*values: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Values of any type, to be wrong one after the other."""
    return values


def without(name: str) -> dict[str, Any]:
    document = line()
    del document[name]
    return document


def item(part: object) -> dict[str, Any]:
    """A Responses request with this as the only part of its content."""
    return line(RESPONSES, {"input": [{"role": "user", "content": [part]}]})


def message(part: object) -> dict[str, Any]:
    """A chat completion with this as the only part of its content."""
    return line(CHAT, {"messages": [{"role": "user", "content": [part]}]})


ENVELOPE: list[Refusal] = [
    *[(without(name), MISSING, name) for name in ("tenant", "custom_id", "url", "body")],
    (line(surprise=1), UNKNOWN, "message"),
    *[(line(tenant=value), TYPE, "tenant") for value in each(17, None, ["contoso"], {})],
    (line(tenant=""), VALUE, "tenant"),
    (line(tenant="t" * 257), VALUE, "tenant"),
    *[(line(custom_id=value), TYPE, "custom_id") for value in each(17, None, ["a"])],
    *[
        (line(custom_id=value), VALUE, "custom_id")
        for value in each("", "x" * 257, "a\nb", "a\x00", "\x7f", "a\u200bb", "\u202ea")
    ],
    *[(line(batch=value), TYPE, "batch") for value in each(17, [])],
    *[(line(batch=value), VALUE, "batch") for value in each("", "x" * 257, "a\tb")],
    *[(line(method=value), NO_VALUE, "method") for value in each("GET", "post", "", None, 1, ["POST"])],
    *[
        (line() | {"url": value}, NO_VALUE, "url")
        for value in each(
            "/v1/completions",
            "/v1/responses/",
            "v1/responses",
            "/V1/RESPONSES",
            HTTPS,
            "",
            None,
            1,
            ["/v1/responses"],
        )
    ],
    *[(line() | {"body": value}, TYPE, "body") for value in each(None, [], "x", 1)],
    *[(line(expires_after=value), VALUE, "expires_after") for value in each(0, -1)],
    *[(line(expires_after=value), TYPE, "expires_after") for value in each(1.0, 0.5, "60", [60])],
    (line(expires_after=True), TYPE, "expires_after"),
    *[(line(grounding=value), TYPE, "grounding") for value in each(None, "text", {"content": "c"}, 1)],
    (line(grounding=["text"]), TYPE, "grounding[0]"),
    (line(grounding=[{"content": "c"}, {}]), MISSING, "grounding[1].content"),
    (line(grounding=[{"content": 1}]), TYPE, "grounding[0].content"),
    (line(grounding=[{"content": "c", "title": []}]), TYPE, "grounding[0].title"),
    (line(grounding=[{"content": "c", "id": "a\nb"}]), VALUE, "grounding[0].id"),
    (line(grounding=[{"content": "c", "role": "system"}]), UNKNOWN, "grounding[0]"),
    (line(EMBEDDINGS, grounding=[{"content": "c"}]), NO_FIELD, "grounding"),
]

BODY: list[Refusal] = [
    (line() | {"body": {"input": "a"}}, MISSING, "body.model"),
    (line() | {"body": {"model": "m"}}, MISSING, "body.input"),
    (line(CHAT) | {"body": {"model": "m"}}, MISSING, "body.messages"),
    (line(RESPONSES, {"surprise": None}), UNKNOWN, "body"),
    (line(CHAT, {"input": "a"}), UNKNOWN, "body"),
    (line(EMBEDDINGS, {"store": True}), UNKNOWN, "body"),
    *[(line(RESPONSES, {"model": value}), TYPE, "body.model") for value in each(None, 1, [])],
    *[(line(RESPONSES, {"model": value}), VALUE, "body.model") for value in each("", "m" * 65)],
    *[(line(url, {"stream": True}), NO_VALUE, "body.stream") for url in (RESPONSES, CHAT)],
    *[(line(RESPONSES, {"stream": value}), NO_VALUE, "body.stream") for value in each("false", 1)],
    *[(line(RESPONSES, {"store": value}), TYPE, "body.store") for value in each("true", 0)],
    (line(RESPONSES, {"previous_response_id": "resp_1"}), NO_FIELD, "body.previous_response_id"),
    (line(RESPONSES, {"conversation": "conv_1"}), NO_FIELD, "body.conversation"),
    (line(RESPONSES, {"prompt": {"id": "pmpt_1"}}), NO_FIELD, "body.prompt"),
    (line(RESPONSES, {"service_tier": "flex"}), NO_FIELD, "body.service_tier"),
    (line(CHAT, {"web_search_options": {}}), NO_FIELD, "body.web_search_options"),
    (line(CHAT, {"audio": {"voice": "alloy"}}), NO_FIELD, "body.audio"),
    (line(CHAT, {"prompt_cache_key": "k"}), NO_FIELD, "body.prompt_cache_key"),
    (line(RESPONSES, {"include": ["file_search_call.results"]}), NO_VALUE, "body.include[0]"),
    (line(RESPONSES, {"truncation": "middle"}), NO_VALUE, "body.truncation"),
    (line(RESPONSES, {"max_output_tokens": 0}), VALUE, "body.max_output_tokens"),
    *[(line(CHAT, {"n": value}), NO_VALUE, "body.n") for value in each(0, 2, "1")],
    (line(CHAT, {"modalities": ["text", "audio"]}), NO_VALUE, "body.modalities[1]"),
    (line(CHAT, {"messages": []}), VALUE, "body.messages"),
    (line(CHAT, {"messages": "Hello"}), TYPE, "body.messages"),
    (line(CHAT, {"temperature": "0"}), TYPE, "body.temperature"),
    (line(CHAT, {"temperature": True}), TYPE, "body.temperature"),
    *[(line(CHAT, {name: value}), TYPE, f"body.{name}") for name in ("user", "safety_identifier") for value in each(1, {})],
    *[
        (line(CHAT, {name: value}), VALUE, f"body.{name}")
        for name in ("user", "safety_identifier")
        for value in each("", "u" * 257)
    ],
    (line(CHAT, {"metadata": []}), TYPE, "body.metadata"),
    (line(CHAT, {"metadata": {"a": 1}}), TYPE, "body.metadata"),
    (line(CHAT, {"metadata": {f"k{number}": "" for number in range(17)}}), VALUE, "body.metadata"),
    (line(CHAT, {"metadata": {"k" * 65: ""}}), VALUE, "body.metadata"),
    (line(CHAT, {"metadata": {"a": "v" * 513}}), VALUE, "body.metadata"),
    *[(line(EMBEDDINGS, {"input": value}), TYPE, "body.input") for value in each(None, {}, 1)],
    (line(EMBEDDINGS, {"encoding_format": "hex"}), NO_VALUE, "body.encoding_format"),
]

CONTENT: list[Refusal] = [
    *[(line(RESPONSES, {"input": value}), TYPE, "body.input") for value in each(None, {}, 1, ["text"], [None])],
    (line(RESPONSES, {"input": [{"role": "user"}]}), MISSING, "body.input[0].content"),
    (line(RESPONSES, {"input": [{"role": "user", "content": {}}]}), TYPE, "body.input[0].content"),
    (line(RESPONSES, {"input": [{"type": "item_reference", "id": "msg_1"}]}), NO_VALUE, "body.input[0].type"),
    (line(RESPONSES, {"input": [{"id": "msg_1"}]}), MISSING, "body.input[0].content"),  # a reference needs no type
    *[
        (line(RESPONSES, {"input": [{"type": kind, "content": "a"}]}), NO_VALUE, "body.input[0].type")
        for kind in each(None, [], {})
    ],
    (
        line(RESPONSES, {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}),
        MISSING,
        "body.input[0].encrypted_content",
    ),
    (line(RESPONSES, {"input": [{"type": "function_call_output"}]}), MISSING, "body.input[0].output"),
    (item("text"), TYPE, "body.input[0].content[0]"),
    (item({"type": "input_text"}), MISSING, "body.input[0].content[0].text"),
    (item({"type": "input_text", "text": 1}), TYPE, "body.input[0].content[0].text"),
    *[(item({"type": kind}), NO_VALUE, "body.input[0].content[0].type") for kind in each("text", "input_audio", None, [], {})],
    *[
        (item({"type": "input_image", "image_url": url}), NO_VALUE, "body.input[0].content[0].image_url")
        for url in (HTTP, HTTPS, "")
    ],
    (item({"type": "input_image", "image_url": {"url": HTTPS}}), TYPE, "body.input[0].content[0].image_url"),
    (item({"type": "input_image"}), MISSING, "body.input[0].content[0].image_url"),
    (item({"type": "input_image", "file_id": "file_1"}), NO_FIELD, "body.input[0].content[0].file_id"),
    (item({"type": "input_file", "file_id": "file_1"}), NO_FIELD, "body.input[0].content[0].file_id"),
    (item({"type": "input_file", "file_url": HTTPS}), NO_FIELD, "body.input[0].content[0].file_url"),
    (
        line(RESPONSES, {"input": [{"type": "function_call_output", "output": [{"type": "input_image", "image_url": HTTPS}]}]}),
        NO_VALUE,
        "body.input[0].output[0].image_url",
    ),
    *[
        (line(CHAT, {"messages": [{"role": role}]}), VALUE, "body.messages[0].role")
        for role in each("function", "", None, [], {})
    ],
    (line(CHAT, {"messages": [{"role": "user"}]}), MISSING, "body.messages[0].content"),
    (line(CHAT, {"messages": [{"role": "assistant", "audio": {"id": "a"}}]}), NO_FIELD, "body.messages[0].audio"),
    (line(CHAT, {"messages": [{"role": "assistant", "function_call": {}}]}), NO_FIELD, "body.messages[0].function_call"),
    *[
        (message({"type": kind}), NO_VALUE, "body.messages[0].content[0].type")
        for kind in each("input_audio", "input_text", None, [])
    ],
    *[
        (message({"type": "image_url", "image_url": {"url": url}}), NO_VALUE, "body.messages[0].content[0].image_url.url")
        for url in (HTTP, HTTPS, "HTTPS://example.com", "file:///etc/passwd", " data:,")
    ],
    (message({"type": "image_url", "image_url": HTTPS}), TYPE, "body.messages[0].content[0].image_url"),
    (message({"type": "image_url"}), MISSING, "body.messages[0].content[0].image_url"),
    (message({"type": "file", "file": {"file_id": "file_1"}}), NO_FIELD, "body.messages[0].content[0].file.file_id"),
]

TOOLS: list[Refusal] = [
    (line(CHAT, {"tools": [{"type": "custom"}]}), NO_VALUE, "body.tools[0].type"),
    (line(CHAT, {"tools": [{"type": "function"}, {}]}), NO_VALUE, "body.tools[1].type"),
    *[
        (line(RESPONSES, {"tools": [{"type": kind}]}), NO_VALUE, "body.tools[0].type")
        for kind in each(None, [], {}, "Function")
    ],
    (line(RESPONSES, {"tools": {"type": "function"}}), TYPE, "body.tools"),
    (line(RESPONSES, {"tools": ["function"]}), TYPE, "body.tools[0]"),
    *[
        (line(RESPONSES, {"tool_choice": {"type": kind}}), NO_VALUE, "body.tool_choice.type")
        for kind in each("mcp", "web_search_preview", None, [], {})
    ],
    (line(RESPONSES, {"tool_choice": 1}), TYPE, "body.tool_choice"),
    (line(CHAT, {"functions": [{"name": "f"}]}), NO_FIELD, "body.functions"),
]

ALL = [*ENVELOPE, *BODY, *CONTENT, *TOOLS]
