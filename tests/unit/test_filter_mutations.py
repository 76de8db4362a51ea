"""Every shape that Azure documents, mutated at any depth: it is read without an exception, and never passes by mistake.

When a text may be called passed is said here a second time, in other words than the parser's: over the whole answer, place by
place, without knowing how a verdict is made.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.filter_findings import Category
from shared.domain.filter_outcome import FilterOutcome, Verdict, of_blocked_prompt, of_chat_completion, of_response

type Json = dict[str, Any]

THOROUGH = settings(max_examples=250, deadline=None, database=None)

HARMS: Json = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
SHIELDS: Json = {"jailbreak": {"detected": False, "filtered": False}, "indirect_attack": {"detected": False, "filtered": False}}
PROTECTED: Json = {
    "protected_material_text": {"detected": False, "filtered": False},
    "protected_material_code": {"detected": False, "filtered": False},
}
FOUND: Json = {
    "self-harm": {"filtered": True, "severity": "medium"},
    "jailbreak": {"filtered": True, "detected": True},
    "protected_material_code": {
        "detected": True,
        "filtered": False,
        "citation": {"URL": "https://github.com/contoso/quoted", "license": "MIT"},
    },
    "personally_identifiable_information": {
        "detected": True,
        "filtered": False,
        "redacted_text": "Write to *****",
        "sub_categories": [{"sub_category": "Email", "detected": True, "filtered": False, "redacted": True}],
    },
    "custom_blocklists": {"filtered": True, "details": [{"id": "names", "filtered": True}]},
}
DOWN: Json = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}


def chat(prompt: Json, completion: Json, *, name: str = "content_filter_results", finish_reason: str = "stop") -> Json:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": "Hi"}, name: completion}
        ],
        "prompt_filter_results": [{"prompt_index": 0, name: prompt}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    }


def response(
    prompt: Json, completion: Json, *, blocked: str = "", name: str = "content_filter_results", **more: object
) -> Json:
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}],
        "content_filters": [
            {"blocked": blocked == source, "source_type": source, "content_filter_raw": [], name: results}
            for source, results in (("prompt", prompt), ("completion", completion))
        ],
        **more,
    }


def doubled(body: Json) -> Json:
    """The same with each entry of its lists twice: of both, all has to be clean."""
    return {name: value * 2 if isinstance(value, list) else value for name, value in body.items()}


def refused(**places: object) -> Json:
    return {"error": {"code": "content_filter", "message": "The response was filtered", "param": "prompt", **places}}


PASSED = [
    chat(HARMS | SHIELDS, HARMS | PROTECTED),
    chat(HARMS | SHIELDS, HARMS | PROTECTED, name="content_filter_result"),
    chat(HARMS, HARMS | {"custom_blocklists": {"filtered": False, "details": []}}),
    chat(HARMS, HARMS | {"custom_blocklists": [{"id": "names", "filtered": False}]}),
    response(HARMS | SHIELDS, HARMS | PROTECTED),
    response(HARMS | SHIELDS, HARMS | PROTECTED, name="content_filter_result"),
    doubled(chat(SHIELDS, PROTECTED)),
    doubled(response(SHIELDS, PROTECTED)),
]
NOT_PASSED = [
    chat(HARMS | FOUND, HARMS | PROTECTED),
    chat(HARMS, HARMS | FOUND, finish_reason="content_filter"),
    chat(HARMS, DOWN),
    chat(DOWN, HARMS, name="content_filter_result"),
    chat(HARMS, HARMS | DOWN),
    response(HARMS, HARMS | FOUND),
    response(HARMS, HARMS | FOUND, blocked="completion", status="incomplete", incomplete_details={"reason": "content_filter"}),
    response(FOUND, {}, blocked="prompt", status="failed", error={"code": "content_filter"}),
    response(HARMS, HARMS, status="failed", error={"code": "content_filter"}),
    response(DOWN, HARMS),
    response(HARMS, DOWN),
    refused(innererror={"code": "ResponsibleAIPolicyViolation", "content_filter_result": HARMS | FOUND}),
    refused(innererror={"code": "ResponsibleAIPolicyViolation", "content_filter_results": FOUND}),
    refused(inner_error={"code": "ResponsibleAIPolicyViolation", "content_filter_results": FOUND}),
    refused(content_filters=[{"blocked": True, "source_type": "prompt", "content_filter_results": FOUND}]),
]

NAMES = sorted({name for shape in PASSED + NOT_PASSED for name in json.dumps(shape).split('"')[1::2] if len(name) < 40} | {""})
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, "", "safe", "high", "prompt", "completion", "content_filter", "stop", "failed", {}, [], [None]]
) | st.sampled_from([HARMS, FOUND, DOWN, PROTECTED["protected_material_text"], {"detected": True}, [{"filtered": True}]])


@st.composite
def mutated(draw: st.DrawFn, shapes: list[Json]) -> Json:
    """A shape of which up to six members, at any depth, were dropped, replaced, doubled or renamed."""
    body: Json = json.loads(json.dumps(draw(st.sampled_from(shapes))))  # a copy in which no two members are one object
    for _ in range(draw(st.integers(1, 6))):
        places = [*places_of(body)]
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        way = draw(st.sampled_from(["drop", "replace", "double", "rename"]))
        if way == "replace":
            holder[key] = copy.deepcopy(draw(VALUES))
        elif way == "double" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif way == "double":
            holder[draw(st.sampled_from(NAMES))] = copy.deepcopy(holder[key])
        elif way == "rename" and isinstance(holder, dict):
            holder[draw(st.sampled_from(NAMES))] = holder.pop(key)
        else:
            del holder[key]
    return body


def places_of(value: object) -> Iterator[tuple[Any, Any]]:
    """Each member of each object and list: where it is, and its key there."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield value, key
        yield from places_of(inner)


def may_pass(body: Json, sides: tuple[list[Any], list[Any]]) -> bool:
    """The oracle: both sides have results with a finding in them, and all but the content tells of nothing bad."""
    report = {name: value for name, value in body.items() if name not in {"output", "text", "usage", "prompt"}}
    if isinstance(body.get("choices"), list):
        report["choices"] = [one | {"message": None} if isinstance(one, dict) else one for one in body["choices"]]
    told = [(name, holder[name]) for holder, name in places_of(report) if isinstance(holder, dict)]
    return (
        all(side and all(has_results(entry) for entry in side) for side in sides)
        and not [value for name, value in told if name in {"filtered", "detected", "blocked"} and value not in (False, None)]
        and not [value for name, value in told if name == "severity" and value not in ("safe", None)]
        and not [value for name, value in told if name == "error" and value is not None]
        and ("finish_reason", "content_filter") not in told
        and body.get("status") != "failed"
        and body.get("incomplete_details") != {"reason": "content_filter"}
    )


def has_results(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    results = [entry[name] for name in ("content_filter_results", "content_filter_result") if entry.get(name) is not None]
    return bool(results) and all(
        isinstance(found, dict) and found and all(isinstance(finding, dict | list) and finding for finding in found.values())
        for found in results
    )


def sides_of_chat(body: Json) -> tuple[list[Any], list[Any]]:
    prompts, choices = body.get("prompt_filter_results"), body.get("choices")
    return prompts if isinstance(prompts, list) else [], choices if isinstance(choices, list) else []


def sides_of_response(body: Json) -> tuple[list[Any], list[Any]]:
    filters = body.get("content_filters")
    entries = [entry for entry in filters if isinstance(entry, dict)] if isinstance(filters, list) else []
    prompt, completion = ([one for one in entries if one.get("source_type") == side] for side in ("prompt", "completion"))
    return prompt, completion


def check_readable(found: FilterOutcome) -> None:
    """Whatever was read is of our own words, bounded, and can be written."""
    codes = found.codes()
    assert codes == sorted(codes)
    assert len({code.partition(":")[0] for code in codes}) == len(codes) <= len(Category)
    assert all(
        category in {*Category} and way in {"filtered", "detected"} and {*severity} <= {"low", "medium", "high", "unknown"}
        for category, way, *severity in (code.split(":") for code in codes)
    )
    assert json.dumps(found.as_json())


@pytest.mark.parametrize("body", PASSED)
def test_the_oracle_and_the_parser_let_every_clean_shape_pass(body: Json) -> None:
    parse, sides = (of_chat_completion, sides_of_chat) if "choices" in body else (of_response, sides_of_response)
    assert may_pass(body, sides(body))
    assert parse(body).verdict is Verdict.PASSED


@pytest.mark.parametrize("body", NOT_PASSED)
def test_the_oracle_lets_no_other_shape_pass(body: Json) -> None:
    assert not may_pass(body, sides_of_chat(body) if "choices" in body else sides_of_response(body))


@THOROUGH
@given(mutated(PASSED + NOT_PASSED))
def test_no_mutated_shape_raises_or_passes_by_mistake(body: Json) -> None:
    for parse, sides in ((of_chat_completion, sides_of_chat), (of_response, sides_of_response)):
        found = parse(body)
        check_readable(found)
        assert found.verdict is not Verdict.PASSED or may_pass(body, sides(body))


@THOROUGH
@given(mutated(PASSED))
def test_no_clean_shape_passes_by_mistake_once_mutated(body: Json) -> None:
    for parse, sides in ((of_chat_completion, sides_of_chat), (of_response, sides_of_response)):
        assert parse(body).verdict is not Verdict.PASSED or may_pass(body, sides(body))


@THOROUGH
@given(mutated([shape for shape in NOT_PASSED if shape.get("error")]))
def test_a_mutated_400_stays_a_blocked_prompt(body: Json) -> None:
    found = of_blocked_prompt(body.get("error"))
    check_readable(found)
    assert found.verdict is Verdict.PROMPT_BLOCKED


def test_a_report_as_deep_as_any_parser_lets_through_is_read() -> None:
    deep: Any = {"filtered": False}
    for _ in range(50_000):
        deep = {"error": [deep]}
    assert of_chat_completion(chat(HARMS, {"hate": deep})).verdict is Verdict.UNFILTERED
    assert of_response(response(HARMS, {"hate": deep})).verdict is Verdict.UNFILTERED
    assert of_response(response(HARMS, HARMS) | {"content_filters": [{"source_type": deep}]}).verdict is Verdict.UNFILTERED
    assert of_blocked_prompt({"innererror": {"content_filter_result": {"hate": deep}}}).verdict is Verdict.PROMPT_BLOCKED
