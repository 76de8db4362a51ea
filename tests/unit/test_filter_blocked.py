"""What the filter stopped: a prompt, by a 400 or a failed response, or a completion."""

import pytest

from shared.domain.filter_outcome import Verdict, of_blocked_prompt, of_chat_completion, of_response
from tests.unit.filter_shapes import BLOCKED, DOWN, JAILBREAK, SAFE, chat, response


def test_a_response_whose_prompt_was_blocked_says_so_whatever_its_status() -> None:
    for status in ("completed", "failed", "incomplete"):
        found = of_response(response(BLOCKED, None, blocked="prompt") | {"status": status})
        assert found.verdict is Verdict.PROMPT_BLOCKED
        assert found.categories == {"violence": {"filtered": True, "severity": "high"}}


@pytest.mark.parametrize(
    ("results", "categories"),
    [
        (BLOCKED, BLOCKED),
        (
            {"self-harm": {"filtered": True, "severity": "low"}},
            {"self_harm": {"filtered": True, "severity": "low"}},
        ),
        (JAILBREAK, JAILBREAK),
        (DOWN, {}),
        ("text", {}),
        (None, {}),
    ],
)
@pytest.mark.parametrize("name", ["content_filter_result", "content_filter_results"])
def test_a_400_is_a_blocked_prompt_with_its_findings_wherever_they_stand(
    name: str, results: object, categories: object
) -> None:
    inner = {"code": "ResponsibleAIPolicyViolation", name: results}
    source = {"blocked": True, "source_type": "prompt", name: results}
    for error in (
        {"innererror": inner},
        {"inner_error": inner},
        {"content_filters": [source]},
        {"code": "content_filter", name: results},
    ):
        found = of_blocked_prompt(error)
        assert (found.verdict, found.categories) == (Verdict.PROMPT_BLOCKED, categories)


@pytest.mark.parametrize("error", [{}, None, "text", [], {"innererror": None}, {"content_filters": "text"}])
def test_a_400_without_findings_is_a_blocked_prompt(error: object) -> None:
    assert (of_blocked_prompt(error).verdict, of_blocked_prompt(error).codes()) == (Verdict.PROMPT_BLOCKED, [])


def test_a_blocked_prompt_with_findings_in_two_places_has_both() -> None:
    found = of_blocked_prompt(
        {"innererror": {"content_filter_result": JAILBREAK}, "content_filters": [{"content_filter_results": BLOCKED}]}
    )
    assert found.codes() == ["jailbreak:detected", "violence:filtered:high"]


@pytest.mark.parametrize(
    ("prompt", "completion", "error", "verdict", "codes"),
    [
        (None, None, {"code": "content_filter", "message": "…"}, Verdict.PROMPT_BLOCKED, []),
        (BLOCKED, None, {"code": "content_filter"}, Verdict.PROMPT_BLOCKED, ["violence:filtered:high"]),
        (SAFE, BLOCKED, {"code": "content_filter"}, Verdict.COMPLETION_BLOCKED, ["violence:filtered:high"]),
        (BLOCKED, BLOCKED, {"code": "content_filter"}, Verdict.PROMPT_BLOCKED, ["violence:filtered:high"]),
        (
            None,
            None,
            {"code": "content_filter", "innererror": {"content_filter_result": JAILBREAK}},
            Verdict.PROMPT_BLOCKED,
            ["jailbreak:detected"],
        ),
        (
            None,
            None,
            {"code": "content_filter", "content_filters": [{"content_filter_results": BLOCKED}]},
            Verdict.PROMPT_BLOCKED,
            ["violence:filtered:high"],
        ),
        (SAFE, SAFE, {"code": "server_error"}, Verdict.UNFILTERED, []),
        (SAFE, SAFE, None, Verdict.UNFILTERED, []),
    ],
)
def test_a_response_that_failed_is_blocked_or_nothing_that_a_filter_saw(
    prompt: object, completion: object, error: object, verdict: Verdict, codes: list[str]
) -> None:
    found = of_response(response(prompt, completion) | {"status": "failed", "error": error})
    assert (found.verdict, found.codes()) == (verdict, codes)


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
