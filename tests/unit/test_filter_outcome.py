"""The shapes in which Azure OpenAI reports its content filter, each as one verdict."""

import json
from typing import Any

import pytest

from shared.domain.filter_findings import Category
from shared.domain.filter_outcome import Verdict, of_chat_completion, of_response
from tests.unit.filter_shapes import BLOCKED, DOWN, JAILBREAK, LOW, SAFE, chat, response


@pytest.mark.parametrize(
    ("prompt", "completion", "verdict"),
    [
        (SAFE, SAFE, Verdict.PASSED),
        (None, SAFE, Verdict.UNFILTERED),
        (SAFE, {"hate": "safe"}, Verdict.UNFILTERED),
        (SAFE, {"hate": {"error": {"code": "content_filter_error"}}}, Verdict.UNFILTERED),
        (SAFE, SAFE | {"custom_blocklists": [{"id": "b", "filtered": False}]}, Verdict.PASSED),
        (SAFE, SAFE | {"custom_blocklists": [{"id": "b", "filtered": True}]}, Verdict.ANNOTATED),
        (SAFE, SAFE | {"custom_blocklists": ["b"]}, Verdict.UNFILTERED),
        (SAFE, SAFE | {"custom_blocklists": [{"id": "b", "filtered": False}, "b"]}, Verdict.UNFILTERED),
        (SAFE, SAFE | {"hate": {"filtered": "no", "severity": "safe"}}, Verdict.UNFILTERED),  # a flag that nobody can read
        (SAFE, SAFE | {"other": {"filtered": False, "parts": [{"detected": True}]}}, Verdict.ANNOTATED),  # a part says more
        (SAFE, SAFE | {"other": {"filtered": False, "parts": [{"error": {"code": "x"}}]}}, Verdict.UNFILTERED),
        (SAFE, LOW, Verdict.ANNOTATED),
        (LOW, SAFE, Verdict.ANNOTATED),
        (SAFE | JAILBREAK, SAFE, Verdict.ANNOTATED),
        (SAFE, {"protected_material_text": {"detected": True, "filtered": False}}, Verdict.ANNOTATED),
        (SAFE, {"hate": {"filtered": False, "severity": "extreme"}}, Verdict.ANNOTATED),  # unknown is not safe
        (SAFE, {"hate": {"filtered": False, "severity": 7}}, Verdict.ANNOTATED),
        (SAFE, DOWN, Verdict.UNFILTERED),
        (DOWN, SAFE, Verdict.UNFILTERED),
        (SAFE, SAFE | DOWN, Verdict.UNFILTERED),  # one classifier of several was down
        (LOW, DOWN, Verdict.UNFILTERED),
        (None, None, Verdict.UNFILTERED),
        (SAFE, None, Verdict.UNFILTERED),
        (SAFE, {}, Verdict.UNFILTERED),
        (SAFE, [], Verdict.UNFILTERED),
        (SAFE, "safe", Verdict.UNFILTERED),
    ],
)
def test_both_apis_give_the_same_verdict_of_the_same_findings(prompt: object, completion: object, verdict: Verdict) -> None:
    assert of_chat_completion(chat(prompt, completion)).verdict is verdict
    assert of_response(response(prompt, completion)).verdict is verdict


def singular(body: dict[str, Any]) -> dict[str, Any]:
    """The same with the other name of the results."""
    written: dict[str, Any] = json.loads(json.dumps(body).replace("content_filter_results", "content_filter_result"))
    return written


@pytest.mark.parametrize(
    ("prompt", "completion", "verdict"),
    [
        (SAFE, SAFE, Verdict.PASSED),
        (SAFE | JAILBREAK, SAFE, Verdict.ANNOTATED),
        (SAFE, LOW, Verdict.ANNOTATED),
        (SAFE, DOWN, Verdict.UNFILTERED),
        (DOWN, SAFE, Verdict.UNFILTERED),
    ],
)
def test_the_results_may_have_a_singular_name(prompt: object, completion: object, verdict: Verdict) -> None:
    for parse, body in ((of_chat_completion, chat(prompt, completion)), (of_response, response(prompt, completion))):
        assert parse(singular(body)) == parse(body)
        assert parse(body).verdict is verdict


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("choices", {"message": {}}),
        ("choices", None),
        ("prompt_filter_results", {"prompt_index": 1}),
        ("content_filters", {"source_type": "completion"}),
        ("content_filters", {"source_type": "prompt", "content_filter_results": None}),
        ("content_filters", None),
    ],
)
def test_an_entry_without_results_leaves_the_whole_unfiltered(name: str, entry: object) -> None:
    for parse, body in ((of_chat_completion, chat(SAFE, SAFE)), (of_response, response(SAFE, SAFE))):
        if name in body:
            body[name].append(entry)
            assert parse(body).verdict is Verdict.UNFILTERED


def test_results_under_both_names_count_both() -> None:
    body = chat(SAFE, SAFE)
    body["choices"][0]["content_filter_result"] = LOW
    assert of_chat_completion(body).verdict is Verdict.ANNOTATED
    body["choices"][0]["content_filter_result"] = DOWN
    assert of_chat_completion(body).verdict is Verdict.UNFILTERED


@pytest.mark.parametrize("source", [None, "", "tool", 7, ["prompt"]])
def test_an_entry_of_an_unknown_source_is_neither_the_prompt_nor_the_completion(source: object) -> None:
    body = response(SAFE, SAFE)
    assert (
        of_response(
            body | {"content_filters": [*body["content_filters"], body["content_filters"][0] | {"source_type": source}]}
        ).verdict
        is Verdict.PASSED
    )
    body["content_filters"][1]["source_type"] = source
    assert of_response(body).verdict is Verdict.UNFILTERED


def test_a_finding_in_an_unknown_place_is_noticed() -> None:
    body = response(SAFE, SAFE)
    body["content_filters"][0]["content_filter_raw"] = [{"detected": True}]
    assert (of_response(body).verdict, of_response(body).codes()) == (Verdict.ANNOTATED, ["other:detected"])


def test_what_the_caller_and_the_model_say_is_no_finding() -> None:
    """A caller's schema may have a property ``error``; Responses repeats it."""
    words = {"error": {"type": "object"}, "filtered": True, "severity": "high"}
    body = response(SAFE, SAFE) | {
        "tools": [{"parameters": {"properties": words}}],
        "text": {"format": words},
        "metadata": words,
    }
    assert of_response(body | {"output": [words], "error": None}).verdict is Verdict.PASSED
    spoken = chat(SAFE, SAFE)
    spoken["choices"][0]["message"] = words
    assert of_chat_completion(spoken).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("name", "finding", "kept"),
    [
        ("self-harm", {"filtered": False, "severity": "safe"}, {"self_harm": {"filtered": False, "severity": "safe"}}),
        ("self_harm", {"filtered": False, "severity": "low"}, {"self_harm": {"filtered": False, "severity": "low"}}),
        (
            "indirect_attack",
            {"detected": False, "filtered": False},
            {"indirect_attack": {"detected": False, "filtered": False}},
        ),
        (
            "custom_blocklists",
            {"filtered": True, "details": [{"filtered": True, "id": "secret-project-name"}]},
            {"custom_blocklists": {"filtered": True}},
        ),
        (
            "protected_material_code",
            {"detected": True, "filtered": False, "citation": {"URL": "https://example.com/quoted", "license": "MIT"}},
            {"protected_material_code": {"detected": True, "filtered": False}},
        ),
        (
            "a category of next year",
            {"filtered": False, "severity": "safe"},
            {"other": {"filtered": False, "severity": "safe"}},
        ),
        ("hate", {"filtered": "yes", "severity": "free text"}, {"hate": {"severity": "unknown"}}),
        ("hate", "text", {"hate": {}}),
    ],
)
def test_of_a_finding_only_codes_are_kept(name: str, finding: object, kept: object) -> None:
    assert of_chat_completion(chat(None, {name: finding})).categories == kept
    assert of_response(response(None, {name: finding})).categories == kept


@pytest.mark.parametrize(
    ("one", "other", "graver"),
    [
        ("safe", "low", "low"),
        ("high", "low", "high"),
        ("medium", "high", "high"),
        ("high", "unheard-of", "unknown"),
    ],
)
def test_of_two_findings_of_a_category_the_graver_stays(one: str, other: str, graver: str) -> None:
    for first, second in ((one, other), (other, one)):
        body = chat({"hate": {"filtered": False, "severity": first}}, {"hate": {"filtered": False, "severity": second}})
        assert of_chat_completion(body).categories[Category.HATE]["severity"] == graver


def test_what_was_filtered_is_graver_than_any_severity() -> None:
    body = chat({"hate": {"filtered": True, "severity": "low"}}, {"hate": {"filtered": False, "severity": "high"}})
    assert of_chat_completion(body).categories == {"hate": {"filtered": True, "severity": "low"}}


def test_an_outcome_is_written_as_codes() -> None:
    nothing: dict[str, Any] = {"citations": [], "personal_information": [], "blocklists": []}
    assert of_chat_completion(chat(LOW, LOW)).as_json() == {"outcome": "annotated", "categories": LOW, "details": nothing}


@pytest.mark.parametrize(
    ("finding", "code"),
    [
        ({"violence": {"filtered": True, "severity": "high"}}, "violence:filtered:high"),
        ({"violence": {"filtered": False, "severity": "low"}}, "violence:detected:low"),
        ({"self-harm": {"filtered": True, "severity": "safe"}}, "self_harm:filtered"),
        ({"jailbreak": {"filtered": False, "detected": True}}, "jailbreak:detected"),
        ({"indirect_attack": {"filtered": True, "detected": True}}, "indirect_attack:filtered"),
        ({"hate": {"filtered": False, "severity": "free text"}}, "hate:detected:unknown"),
        ({"a category of next year": {"filtered": True}}, "other:filtered"),
        (
            {"custom_blocklists": {"filtered": True, "details": [{"id": "secret", "filtered": True}]}},
            "custom_blocklists:filtered",
        ),
    ],
)
def test_what_was_noticed_is_told_as_a_code_of_our_own_words(finding: dict[str, Any], code: str) -> None:
    assert of_chat_completion(chat(SAFE, SAFE | finding)).codes() == [code]
    assert of_response(response(SAFE | finding, SAFE)).codes() == [code]


def test_codes_are_sorted_and_one_for_each_category() -> None:
    newer = {f"category {number}": {"detected": True} for number in range(1000)}
    found = of_chat_completion(chat(LOW | JAILBREAK | newer, BLOCKED | LOW))
    assert found.codes() == ["hate:detected:low", "jailbreak:detected", "other:detected", "violence:filtered:high"]
    assert of_chat_completion(chat(SAFE, SAFE)).codes() == []
