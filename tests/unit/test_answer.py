"""What an answer of the model service means for a generation."""

from typing import Any

import pytest

from shared.domain.answer import ModelAnswer, Unfiltered, filtered, outcome
from shared.domain.bodies import Endpoint
from shared.domain.filter_outcome import Verdict
from shared.domain.generation import ErrorCode, Status, Usage
from shared.domain.policy import Filtering
from shared.errors import Failure, ModelFailed
from tests.unit.refusals import each

SAFE = {"hate": {"filtered": False, "severity": "safe"}}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}],
    "usage": {"input_tokens": 3, "output_tokens": 5},
    "content_filters": [
        {"blocked": False, "source_type": source, "content_filter_results": SAFE} for source in ("prompt", "completion")
    ],
}
CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": SAFE}],
    "choices": [{"finish_reason": "stop", "message": {"content": "Hi"}, "content_filter_results": SAFE}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5},
}
EMBEDDINGS: dict[str, Any] = {"data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}
WHOLE = {Endpoint.RESPONSES: RESPONSE, Endpoint.CHAT_COMPLETIONS: CHAT, Endpoint.EMBEDDINGS: EMBEDDINGS}
BLOCKED = {"error": {"code": "content_filter", "message": "…", "innererror": {"content_filter_result": SAFE}}}


def answer(body: dict[str, Any], status_code: int = 200, **headers: str) -> ModelAnswer:
    return ModelAnswer(status_code=status_code, request_id=headers.get("request_id"), region=headers.get("region"), body=body)


def test_a_response_that_failed_because_its_completion_was_blocked_is_incomplete() -> None:
    blocked = RESPONSE | {
        "status": "failed",
        "content_filters": [{"blocked": True, "source_type": "completion", "content_filter_results": SAFE}],
    }
    found = outcome(Endpoint.RESPONSES, answer(blocked))
    assert found.content_filter is not None
    assert (found.status, found.content_filter.verdict) == (Status.INCOMPLETE, Verdict.COMPLETION_BLOCKED)


def cut_by_filter(choice: dict[str, Any]) -> dict[str, Any]:
    return choice | {"finish_reason": "content_filter"}


@pytest.mark.parametrize(
    ("endpoint", "usage", "verdict"),
    [
        (Endpoint.RESPONSES, Usage(input_tokens=3, output_tokens=5), Verdict.PASSED),
        (Endpoint.CHAT_COMPLETIONS, Usage(input_tokens=3, output_tokens=5), Verdict.PASSED),
        (Endpoint.EMBEDDINGS, Usage(input_tokens=3, output_tokens=0), None),
    ],
)
def test_a_whole_answer_completes_the_generation(endpoint: Endpoint, usage: Usage, verdict: Verdict | None) -> None:
    found = outcome(endpoint, answer(WHOLE[endpoint], request_id="req-1", region="Sweden Central"))
    assert (found.status, found.error_code, found.status_code) == (Status.COMPLETED, None, 200)
    assert (found.body, found.usage) == (WHOLE[endpoint], usage)
    assert (found.request_id, found.processed_in) == ("req-1", "Sweden Central")
    assert (found.content_filter.verdict if found.content_filter else None) is verdict


@pytest.mark.parametrize(
    ("endpoint", "body", "verdict"),
    [
        (Endpoint.RESPONSES, {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, Verdict.PASSED),
        (Endpoint.RESPONSES, {"incomplete_details": {"reason": "content_filter"}}, Verdict.COMPLETION_BLOCKED),
        (Endpoint.RESPONSES, {"content_filters": [{"blocked": True}]}, Verdict.COMPLETION_BLOCKED),
        (Endpoint.CHAT_COMPLETIONS, {"choices": [cut_by_filter(CHAT["choices"][0])]}, Verdict.COMPLETION_BLOCKED),
    ],
)
def test_a_cut_completion_is_incomplete_and_kept(endpoint: Endpoint, body: dict[str, Any], verdict: Verdict) -> None:
    found = outcome(endpoint, answer(WHOLE[endpoint] | body))
    assert (found.status, found.error_code) == (Status.INCOMPLETE, None)
    assert found.content_filter is not None
    assert found.content_filter.verdict is verdict
    assert found.body is not None


@pytest.mark.parametrize("endpoint", Endpoint)
def test_a_blocked_prompt_fails_the_generation_and_leaves_no_body(endpoint: Endpoint) -> None:
    found = outcome(endpoint, answer(BLOCKED, status_code=400))
    assert (found.status, found.error_code, found.body) == (Status.FAILED, ErrorCode.CONTENT_FILTER, None)
    assert found.content_filter is not None
    assert found.content_filter.verdict is Verdict.PROMPT_BLOCKED


@pytest.mark.parametrize("status", ["failed", "completed", "incomplete"])
def test_a_response_may_report_the_blocked_prompt_with_a_200(status: str) -> None:
    filters = [{"blocked": True, "source_type": "prompt", "content_filter_results": SAFE}]
    found = outcome(Endpoint.RESPONSES, answer({"status": status, "content_filters": filters}))
    assert (found.status, found.error_code, found.body) == (Status.FAILED, ErrorCode.CONTENT_FILTER, None)


def test_a_response_that_failed_by_the_filter_is_blocked_and_not_tried_again() -> None:
    body = {"status": "failed", "error": {"code": "content_filter", "message": "…"}, "output": []}
    found = outcome(Endpoint.RESPONSES, answer(body))
    assert (found.status, found.error_code, found.body) == (Status.FAILED, ErrorCode.CONTENT_FILTER, None)
    assert found.content_filter is not None
    assert found.content_filter.verdict is Verdict.PROMPT_BLOCKED


@pytest.mark.parametrize("output", [None, []])
def test_a_completion_that_was_blocked_before_its_first_word_is_incomplete(output: object) -> None:
    filtered_out = {"violence": {"filtered": True, "severity": "high"}}
    filters = [RESPONSE["content_filters"][0], {"source_type": "completion", "content_filter_results": filtered_out}]
    body = {"status": "failed", "error": {"code": "content_filter"}, "output": output, "content_filters": filters}
    found = outcome(Endpoint.RESPONSES, answer(body))
    assert found.content_filter is not None
    assert (found.status, found.content_filter.verdict) == (Status.INCOMPLETE, Verdict.COMPLETION_BLOCKED)


@pytest.mark.parametrize(
    "places",
    [
        {"innererror": {"content_filter_result": {"jailbreak": {"detected": True, "filtered": True}}}},
        {"inner_error": {"content_filter_results": {"jailbreak": {"detected": True, "filtered": True}}}},
        {"content_filters": [{"content_filter_results": {"jailbreak": {"detected": True, "filtered": True}}}]},
    ],
)
def test_findings_of_a_blocked_prompt_are_kept_from_wherever_the_400_has_them(places: dict[str, Any]) -> None:
    found = outcome(Endpoint.RESPONSES, answer({"error": {"code": "content_filter", **places}}, status_code=400))
    assert found.content_filter is not None
    assert found.content_filter.codes() == ["jailbreak:filtered"]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"code": "rate_limit_exceeded", "message": "…"}, Failure.RATE_LIMITED),
        ({"code": "invalid_prompt"}, Failure.REJECTED),
        ({"code": "server_error"}, Failure.UNAVAILABLE),
        ({"code": ["odd"]}, Failure.UNAVAILABLE),
        ("text", Failure.UNAVAILABLE),
        (None, Failure.UNAVAILABLE),
    ],
)
def test_a_response_that_says_it_failed_is_a_failed_call(error: object, failure: Failure) -> None:
    with pytest.raises(ModelFailed) as failed:
        outcome(Endpoint.RESPONSES, answer({"status": "failed", "error": error}))
    assert failed.value.failure is failure


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        *[(endpoint, {}) for endpoint in Endpoint],
        *[(endpoint, {"error": {"code": "content_filter"}}) for endpoint in Endpoint],
        *[
            (Endpoint.RESPONSES, RESPONSE | {"status": status})
            for status in each("queued", "in_progress", "cancelled", None, [], {})
        ],
        *[(Endpoint.RESPONSES, RESPONSE | {"output": output}) for output in each(None, {}, "text")],
        *[
            (Endpoint.CHAT_COMPLETIONS, {"choices": choices})
            for choices in each(None, [], {}, "text", [None], ["text"], [{}, 1])
        ],
        *[(Endpoint.EMBEDDINGS, {"data": data}) for data in each(None, {}, "text")],
        (Endpoint.RESPONSES, CHAT),
        (Endpoint.CHAT_COMPLETIONS, RESPONSE),
        (Endpoint.EMBEDDINGS, CHAT),
    ],
)
def test_what_is_no_answer_of_its_endpoint_is_invalid_output(endpoint: Endpoint, body: dict[str, Any]) -> None:
    with pytest.raises(ModelFailed) as failed:
        outcome(endpoint, answer(body))
    assert failed.value.failure is Failure.INVALID_OUTPUT


def test_fields_that_repeat_the_prompt_are_not_kept() -> None:
    echoes = {"instructions": "secret", "input": ["secret"], "user": "alice", "safety_identifier": "alice"}
    assert outcome(Endpoint.RESPONSES, answer(RESPONSE | echoes)).body == RESPONSE


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("Sweden Central", "Sweden Central"),
        ("3f0c-11.x_y", "3f0c-11.x_y"),
        ("x" * 64, "x" * 64),
        ("x" * 65, None),
        ("", None),
        ("a\nb", None),
        ("<script>", None),
        ("tell me about café", None),
        (None, None),
    ],
)
def test_a_header_is_kept_only_as_a_short_technical_name(header: str | None, kept: str | None) -> None:
    found = outcome(Endpoint.EMBEDDINGS, ModelAnswer(status_code=200, request_id=header, region=header, body=EMBEDDINGS))
    assert (found.request_id, found.processed_in) == (kept, kept)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ([], None),
        ({}, Usage(input_tokens=0, output_tokens=0)),
        ({"prompt_tokens": -1, "completion_tokens": "5"}, Usage(input_tokens=0, output_tokens=0)),
        ({"prompt_tokens": True, "completion_tokens": 1.5}, Usage(input_tokens=0, output_tokens=0)),
    ],
)
def test_an_odd_count_of_tokens_counts_as_none(usage: object, expected: Usage | None) -> None:
    assert outcome(Endpoint.CHAT_COMPLETIONS, answer(CHAT | {"usage": usage})).usage == expected


def test_an_answer_never_prints_its_body() -> None:
    assert "secret" not in repr(answer({"output": "secret"}))


DOWN = {"error": {"code": "content_filter_error", "message": "The content filter is down."}}
UNSEEN: list[tuple[Endpoint, dict[str, Any]]] = [
    # The classifier was down, for the completion or for the prompt; or nobody says that there was one
    (Endpoint.RESPONSES, RESPONSE | {"content_filters": [RESPONSE["content_filters"][0], {"content_filter_results": DOWN}]}),
    (Endpoint.RESPONSES, RESPONSE | {"content_filters": RESPONSE["content_filters"][:1]}),
    (Endpoint.RESPONSES, RESPONSE | {"content_filters": RESPONSE["content_filters"][1:]}),
    (Endpoint.RESPONSES, RESPONSE | {"content_filters": []}),
    (Endpoint.RESPONSES, RESPONSE | {"content_filters": None, "status": "incomplete"}),
    (Endpoint.CHAT_COMPLETIONS, CHAT | {"choices": [CHAT["choices"][0] | {"content_filter_results": DOWN}]}),
    (Endpoint.CHAT_COMPLETIONS, CHAT | {"prompt_filter_results": [{"content_filter_results": DOWN}]}),
    (Endpoint.CHAT_COMPLETIONS, CHAT | {"prompt_filter_results": []}),
]
SEEN: list[tuple[Endpoint, ModelAnswer]] = [
    (Endpoint.RESPONSES, answer(RESPONSE)),
    (Endpoint.CHAT_COMPLETIONS, answer(CHAT)),
    (Endpoint.CHAT_COMPLETIONS, answer(CHAT | {"choices": [cut_by_filter(CHAT["choices"][0])]})),  # blocked is seen
    (Endpoint.RESPONSES, answer(BLOCKED, status_code=400)),
    (Endpoint.EMBEDDINGS, answer(EMBEDDINGS)),  # numbers have no filter
]


@pytest.mark.parametrize(("endpoint", "body"), UNSEEN)
def test_an_unfiltered_completion_is_a_failed_call_where_the_filter_is_required(
    endpoint: Endpoint, body: dict[str, Any]
) -> None:
    with pytest.raises(Unfiltered) as failed:
        filtered(outcome(endpoint, answer(body)), Filtering.REQUIRED)
    assert (failed.value.failure, failed.value.found.verdict) == (Failure.UNFILTERED, Verdict.UNFILTERED)


@pytest.mark.parametrize(("endpoint", "body"), UNSEEN)
def test_an_unfiltered_completion_says_so_where_the_filter_is_reported(endpoint: Endpoint, body: dict[str, Any]) -> None:
    found = filtered(outcome(endpoint, answer(body)), Filtering.REPORT)
    assert found.content_filter is not None
    assert found.content_filter.verdict is Verdict.UNFILTERED
    assert found.body is not None


@pytest.mark.parametrize("filtering", Filtering)
@pytest.mark.parametrize(("endpoint", "seen"), SEEN)
def test_what_the_filter_saw_is_handed_out_as_it_is(endpoint: Endpoint, seen: ModelAnswer, filtering: Filtering) -> None:
    found = outcome(endpoint, seen)
    assert filtered(found, filtering) is found
