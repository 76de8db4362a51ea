"""Every directive about the content filter, on every endpoint where it means something, read by the official client."""

from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError

from tests.contract.asking import Ask, chat, everywhere, filter_of, generating, respond, text_of


@everywhere
@pytest.mark.parametrize("category", ["hate", "sexual", "violence", "self_harm", "self-harm"])
async def test_a_harmful_prompt_is_blocked_by_severity(client: AsyncOpenAI, ask: Ask, category: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        await ask(client, f"do it [[block:{category}]]")

    body: Any = caught.value.body
    assert (caught.value.code, body["status"], body["param"]) == ("content_filter", 400, "prompt")
    assert body["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    results = body["innererror"]["content_filter_result"]
    assert results[category] == {"filtered": True, "severity": "high"}
    assert [name for name, result in results.items() if result["filtered"]] == [category]
    assert "do it" not in str(caught.value)


@everywhere
async def test_a_jailbreak_is_blocked_by_detection(client: AsyncOpenAI, ask: Ask) -> None:
    with pytest.raises(BadRequestError) as caught:
        await ask(client, "[[block:jailbreak]]")

    body: Any = caught.value.body
    assert body["innererror"]["content_filter_result"]["jailbreak"] == {"filtered": True, "detected": True}


async def test_a_blocked_completion_of_a_response_is_incomplete(client: AsyncOpenAI) -> None:
    answer = await respond(client, "a tale of more words than a filter lets through [[block-completion:hate]]")

    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "content_filter")
    assert filter_of(answer, "completion")["hate"] == {"filtered": True, "severity": "high"}
    assert [entry["blocked"] for entry in answer.content_filters] == [False, True]
    assert answer.output_text == "a tale of more words tha", "what had been generated before the filter stopped it"


async def test_a_blocked_completion_of_a_chat_has_no_content(client: AsyncOpenAI) -> None:
    answer = await chat(client, "a tale [[block-completion:hate]]")

    assert (answer.choices[0].finish_reason, text_of(answer)) == ("content_filter", None)
    assert filter_of(answer, "completion")["hate"] == {"filtered": True, "severity": "high"}
    assert filter_of(answer, "prompt")["hate"] == {"filtered": False, "severity": "safe"}


@generating
async def test_a_classifier_that_is_down_leaves_the_answer_unfiltered(client: AsyncOpenAI, ask: Ask) -> None:
    answer = await ask(client, "hello [[unfiltered]]")

    assert text_of(answer) == "hello"
    for source in ("prompt", "completion"):
        results = filter_of(answer, source)
        assert list(results) == ["error"]
        assert results["error"]["code"] == "content_filter_error"


@generating
@pytest.mark.parametrize(
    ("category", "side", "finding"),
    [
        ("jailbreak", "prompt", {"detected": True, "filtered": False}),
        ("indirect_attack", "prompt", {"detected": True, "filtered": False}),
        ("violence", "completion", {"severity": "low", "filtered": False}),
        ("self-harm", "completion", {"severity": "low", "filtered": False}),
        ("protected_material_text", "completion", {"detected": True, "filtered": False}),
        ("something_of_next_year", "completion", {"detected": True, "filtered": False}),
    ],
)
async def test_what_is_annotated_was_noticed_and_let_through(
    client: AsyncOpenAI, ask: Ask, category: str, side: str, finding: dict[str, object]
) -> None:
    answer = await ask(client, f"hello [[annotate:{category}]]")

    assert text_of(answer) == "hello"
    assert filter_of(answer, side)[category] == finding
    others = [*filter_of(answer, "prompt").items(), *filter_of(answer, "completion").items()]
    assert [name for name, other in others if other.get("detected") or other.get("severity", "safe") != "safe"] == [category]


@generating
async def test_annotations_and_blocklists_add_up(client: AsyncOpenAI, ask: Ask) -> None:
    answer = await ask(client, "[[annotate:jailbreak]] [[annotate:hate]] [[blocklist:names]] hello [[blocklist:products-2.1]]")

    assert text_of(answer) == "hello"
    assert filter_of(answer, "prompt")["jailbreak"]["detected"] is True
    completion = filter_of(answer, "completion")
    assert completion["hate"]["severity"] == "low"
    details = [{"id": name, "filtered": True} for name in ("names", "products-2.1")]
    assert completion["custom_blocklists"] == {"filtered": True, "details": details}


@generating
async def test_a_citation_names_where_quoted_code_comes_from(client: AsyncOpenAI, ask: Ask) -> None:
    found = filter_of(await ask(client, "hello [[citation]]"), "completion")["protected_material_code"]

    assert (found["detected"], found["filtered"]) == (True, False)
    assert found["citation"]["URL"].startswith("https://")
    assert found["citation"]["license"] == "MIT"


@generating
async def test_personal_information_is_reported_by_its_kinds(client: AsyncOpenAI, ask: Ask) -> None:
    found = filter_of(await ask(client, "hello [[pii]]"), "completion")["personally_identifiable_information"]

    assert (found["detected"], found["filtered"]) == (True, False)
    assert [entry["sub_category"] for entry in found["sub_categories"]] == ["Email", "PhoneNumber"]
    assert all(entry["detected"] for entry in found["sub_categories"])


@generating
async def test_without_a_directive_nothing_is_noticed(client: AsyncOpenAI, ask: Ask) -> None:
    answer = await ask(client, "hello")

    for side in ("prompt", "completion"):
        results = filter_of(answer, side)
        assert not results.keys() & {"custom_blocklists", "personally_identifiable_information"}
        assert not [name for name, found in results.items() if found["filtered"] or found.get("detected")]
