"""The shapes in which Azure OpenAI reports its content filter, each as one verdict."""

from typing import Any

import pytest

from shared.domain.filter_outcome import Verdict, of_blocked_prompt, of_chat_completion, of_response

SAFE = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": False, "severity": "safe"}}
LOW = {"hate": {"filtered": False, "severity": "low"}}
JAILBREAK = {"jailbreak": {"detected": True, "filtered": False}}
BLOCKED = {"violence": {"filtered": True, "severity": "high"}}
DOWN = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}


def chat(prompt: object, completion: object, finish_reason: str = "stop") -> dict[str, Any]:
    """A chat completion; None leaves the results out."""
    body: dict[str, Any] = {"choices": [{"finish_reason": finish_reason, "message": {"content": "text"}}]}
    if prompt is not None:
        body["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": prompt}]
    if completion is not None:
        body["choices"][0]["content_filter_results"] = completion
    return body


def response(prompt: object, completion: object, *, blocked: str = "") -> dict[str, Any]:
    """A Responses answer; ``blocked`` is the source type of the filter that blocked."""
    return {
        "status": "completed",
        "content_filters": [
            {"blocked": blocked == source, "source_type": source, "content_filter_results": results}
            for source, results in (("prompt", prompt), ("completion", completion))
            if results is not None
        ],
    }


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


def test_a_completion_that_was_cut_by_the_filter_is_blocked() -> None:
    assert of_chat_completion(chat(SAFE, BLOCKED, "content_filter")).verdict is Verdict.COMPLETION_BLOCKED
    assert of_chat_completion(chat(SAFE, DOWN, "content_filter")).verdict is Verdict.COMPLETION_BLOCKED
    assert of_chat_completion(chat(None, None, "content_filter")).verdict is Verdict.COMPLETION_BLOCKED
    assert of_response(response(SAFE, BLOCKED, blocked="completion")).verdict is Verdict.COMPLETION_BLOCKED
    cut = response(SAFE, SAFE) | {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    assert of_response(cut).verdict is Verdict.COMPLETION_BLOCKED


def test_an_answer_cut_at_its_length_was_not_blocked() -> None:
    assert of_chat_completion(chat(SAFE, SAFE, "length")).verdict is Verdict.PASSED
    cut = response(SAFE, SAFE) | {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert of_response(cut).verdict is Verdict.PASSED


def test_a_response_whose_prompt_was_blocked_says_so_whatever_its_status() -> None:
    for status in ("completed", "failed", "incomplete"):
        found = of_response(response(BLOCKED, None, blocked="prompt") | {"status": status})
        assert found.verdict is Verdict.PROMPT_BLOCKED
        assert found.categories == {"violence": {"filtered": True, "severity": "high"}}


@pytest.mark.parametrize(
    ("innererror", "categories"),
    [
        ({"code": "ResponsibleAIPolicyViolation", "content_filter_result": BLOCKED}, BLOCKED),
        ({"code": "ResponsibleAIPolicyViolation", "content_filter_results": BLOCKED}, BLOCKED),
        (
            {"content_filter_result": {"self-harm": {"filtered": True, "severity": "low"}}},
            {"self_harm": {"filtered": True, "severity": "low"}},
        ),
        ({"content_filter_result": JAILBREAK}, JAILBREAK),
        ({"content_filter_result": DOWN}, {}),
        ({"content_filter_result": "text"}, {}),
        ({}, {}),
        (None, {}),
        ("text", {}),
    ],
)
def test_a_400_is_a_blocked_prompt_with_whatever_findings_it_has(innererror: object, categories: object) -> None:
    found = of_blocked_prompt(innererror)
    assert (found.verdict, found.categories) == (Verdict.PROMPT_BLOCKED, categories)


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
        assert of_chat_completion(body).categories["hate"]["severity"] == graver


def test_what_was_filtered_is_graver_than_any_severity() -> None:
    body = chat({"hate": {"filtered": True, "severity": "low"}}, {"hate": {"filtered": False, "severity": "high"}})
    assert of_chat_completion(body).categories == {"hate": {"filtered": True, "severity": "low"}}


def test_an_outcome_is_written_as_codes() -> None:
    assert of_chat_completion(chat(LOW, LOW)).as_json() == {"outcome": "annotated", "categories": LOW}
