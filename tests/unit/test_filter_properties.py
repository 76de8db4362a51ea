"""Whatever shape a filter's report takes: it is read without an exception, and nothing doubtful is called safe."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.filter_findings import Category
from shared.domain.filter_outcome import Verdict, of_blocked_prompt, of_chat_completion, of_response

QUICK = settings(max_examples=150, deadline=None, database=None)

NAMES = st.sampled_from(["hate", "self-harm", "jailbreak", "custom_blocklists", "filtered", "detected", "severity", "x"])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["safe", "low", "high", "content_filter", "prompt", "text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
FINDING = st.fixed_dictionaries(
    {},
    optional={
        "filtered": ANY_JSON,
        "detected": ANY_JSON,
        "severity": st.sampled_from(["safe", "low", "medium", "high"]) | ANY_JSON,
    },
)
RESULTS = st.dictionaries(NAMES, FINDING | ANY_JSON, max_size=4) | ANY_JSON
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "content_filter_results": RESULTS,
        "source_type": st.sampled_from(["prompt", "completion"]) | ANY_JSON,
        "blocked": ANY_JSON,
        "finish_reason": ANY_JSON,
    },
)
ENTRIES = st.lists(ENTRY | ANY_JSON, max_size=3) | ANY_JSON
BODY = st.fixed_dictionaries(
    {},
    optional={
        "choices": ENTRIES,
        "prompt_filter_results": ENTRIES,
        "content_filters": ENTRIES,
        "incomplete_details": ANY_JSON | st.fixed_dictionaries({"reason": ANY_JSON}),
    },
)
DOWN = st.just({"error": {"code": "content_filter_error"}})
ONLY_CODES = {"safe", "low", "medium", "high", "unknown", True, False}


def with_entry(body: dict[str, Any], name: str, entry: object) -> dict[str, Any]:
    """The body with one more entry of a list."""
    entries = body.get(name)
    return {**body, name: [*(entries if isinstance(entries, list) else []), entry]}


@QUICK
@given(BODY, ANY_JSON)
def test_any_shape_is_read_into_known_categories_and_codes(body: dict[str, Any], innererror: object) -> None:
    for found in (of_chat_completion(body), of_response(body), of_blocked_prompt(innererror)):
        assert {*found.categories} <= {*Category}
        assert all(code in ONLY_CODES for codes in found.categories.values() for code in codes.values())


@QUICK
@given(BODY, DOWN, st.sampled_from(["prompt", "completion"]))
def test_nothing_passes_where_a_classifier_was_down(body: dict[str, Any], down: dict[str, Any], source: str) -> None:
    entry = {"content_filter_results": down, "source_type": source}
    for name in ("choices", "prompt_filter_results"):
        assert of_chat_completion(with_entry(body, name, entry)).verdict is not Verdict.PASSED
    assert of_response(with_entry(body, "content_filters", entry)).verdict is not Verdict.PASSED


@QUICK
@given(BODY, RESULTS, st.sampled_from(["prompt", "completion"]))
def test_nothing_passes_that_was_blocked(body: dict[str, Any], results: object, source: str) -> None:
    chat = with_entry(body, "choices", {"finish_reason": "content_filter", "content_filter_results": results})
    assert of_chat_completion(chat).verdict is Verdict.COMPLETION_BLOCKED
    response = with_entry(body, "content_filters", {"blocked": True, "source_type": source, "content_filter_results": results})
    assert of_response(response).verdict in {Verdict.COMPLETION_BLOCKED, Verdict.PROMPT_BLOCKED}
    stopped = {**body, "incomplete_details": {"reason": "content_filter"}}
    assert of_response(stopped).verdict in {Verdict.COMPLETION_BLOCKED, Verdict.PROMPT_BLOCKED}


@QUICK
@given(BODY, st.sampled_from(["filtered", "detected"]))
def test_nothing_passes_in_which_something_was_found(body: dict[str, Any], flag: str) -> None:
    results = {"hate": {flag: True}}
    assert of_chat_completion(with_entry(body, "choices", {"content_filter_results": results})).verdict is not Verdict.PASSED
    assert of_response(with_entry(body, "content_filters", {"content_filter_results": results})).verdict is not Verdict.PASSED


@QUICK
@given(BODY)
def test_nothing_passes_without_results_for_the_completion(body: dict[str, Any]) -> None:
    bare = {name: value for name, value in body.items() if name not in {"choices", "content_filters"}}
    assert of_chat_completion({**bare, "choices": [{"message": {}}]}).verdict is Verdict.UNFILTERED
    assert of_response(bare).verdict in {Verdict.UNFILTERED, Verdict.COMPLETION_BLOCKED}
