import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from shared.domain.request import parse
from shared.errors import Reason, RequestRefused
from tests.unit.lines import CHAT, EMBEDDINGS, MAX_BYTES, RESPONSES, encoded, line, refused
from tests.unit.refusals import ALL

CANARY = "canary4f1c"


@pytest.mark.parametrize(("document", "reason", "field"), ALL, ids=[f"{field}-{reason}" for _, reason, field in ALL])
def test_a_line_is_refused_with_its_reason_and_field(document: dict[str, Any], reason: Reason, field: str) -> None:
    refusal = refused(document)
    assert (refusal.reason, refusal.field) == (reason, field)


def test_a_request_over_the_size_limit_is_refused_as_too_large() -> None:
    data = encoded(line())
    with pytest.raises(RequestRefused) as refusal:
        parse(data, max_bytes=len(data) - 1)
    assert (refusal.value.reason, refusal.value.field) == (Reason.REQUEST_TOO_LARGE, "message")


def told(refusal: RequestRefused) -> str:
    """Everything that a log or a rejected message could get of a refusal."""
    trace = "".join(traceback.format_exception(refusal))
    return f"{refusal.reason} {refusal.field} {refusal} {refusal!r} {trace}"


def poisoned(value: object) -> Iterator[object]:
    """The document with the canary in place of each value, in place of each key, and as a further key, at every depth."""
    yield CANARY
    yield {CANARY: CANARY}
    yield [CANARY]
    yield [{CANARY: [CANARY]}]
    if isinstance(value, dict):
        yield {**value, CANARY: 1}
        for name, inner in value.items():
            others = {other: kept for other, kept in value.items() if other != name}
            yield {**others, CANARY: inner}
            for change in poisoned(inner):
                yield {**others, name: change}
    if isinstance(value, list):
        for position, inner in enumerate(value):
            for change in poisoned(inner):
                yield [*value[:position], change, *value[position + 1 :]]


RICH = [
    line(
        RESPONSES,
        {
            "input": [
                {
                    "role": "user",
                    "content": [{"type": "input_image", "image_url": "data:,"}, {"type": "input_text", "text": "a"}],
                },
                {"type": "function_call_output", "call_id": "c", "output": "o"},
            ],
            "metadata": {"a": "b"},
            "tools": [{"type": "function"}],
            "tool_choice": {"type": "function"},
            "include": ["reasoning.encrypted_content"],
            "max_output_tokens": 1,
            "user": "u",
            "store": True,
            "stream": False,
            "previous_response_id": None,
        },
        batch="b",
        grounding=[{"id": "i", "title": "t", "content": "c"}],
        expires_after=60,
    ),
    line(
        CHAT,
        {
            "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "data:,"}}]}],
            "logit_bias": {"1": 1},
            "stop": ["a"],
            "n": 1,
        },
    ),
    line(EMBEDDINGS, {"input": [[1, 2], [3]], "dimensions": 1}),
]


@pytest.mark.parametrize("document", RICH, ids=["responses", "chat", "embeddings"])
def test_no_refusal_repeats_what_the_sender_wrote_in_a_value_or_a_key(document: dict[str, Any]) -> None:
    refusals: list[RequestRefused] = []
    for bad in poisoned(document):
        try:
            parse(encoded(bad), max_bytes=MAX_BYTES)
        except RequestRefused as refusal:
            refusals.append(refusal)
    assert len(refusals) > 30
    assert [refusal.field for refusal in refusals if CANARY in told(refusal)] == []


@pytest.mark.parametrize(
    "data", [b"canary4f1c", b'{"canary4f1c": 1', b'{"canary4f1c": NaN}', b'{"canary4f1c": 1, "canary4f1c": 2}']
)
def test_no_refusal_repeats_an_unreadable_message(data: bytes) -> None:
    with pytest.raises(RequestRefused) as refusal:
        parse(data, max_bytes=MAX_BYTES)
    assert CANARY not in told(refusal.value)


def test_the_text_of_a_refusal_is_static() -> None:
    assert str(RequestRefused(Reason.CONFLICT, "custom_id")) == "The request cannot be accepted; see its reason and field."
