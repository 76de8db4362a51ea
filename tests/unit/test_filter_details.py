"""What a finding refers to is carried through: typed and bounded, and whatever is of another shape is left out."""

from typing import Any

import pytest

from shared.domain.filter_details import LONGEST, MOST
from shared.domain.filter_outcome import of_blocked_prompt, of_chat_completion, of_response

URL = "https://github.com/contoso/quoted/blob/main/code.py"


def read(finding: dict[str, Any]) -> dict[str, Any]:
    """The details of a finding about a completion; they are the same on both endpoints, and in an error."""
    of_chat = of_chat_completion({"choices": [{"content_filter_results": finding}]}).details
    entry = {"source_type": "completion", "content_filter_results": finding}
    assert of_response({"content_filters": [entry]}).details == of_chat
    assert of_blocked_prompt({"innererror": {"content_filter_result": finding}}).details == of_chat
    return of_chat.as_json()


@pytest.mark.parametrize("category", ["protected_material_code", "protected_material_text"])
@pytest.mark.parametrize(
    ("citation", "kept"),
    [
        ({"URL": URL, "license": "MIT"}, [(URL, "MIT")]),
        ({"url": URL, "license": "MIT"}, [(URL, "MIT")]),
        ({"URL": URL}, [(URL, None)]),
        ({"license": "NOASSERTION"}, [(None, "NOASSERTION")]),
        ([{"URL": URL}, {"license": "MIT"}, {"URL": URL}], [(URL, None), (None, "MIT")]),
        ({"URL": "x" * LONGEST}, [("x" * LONGEST, None)]),
        ({"URL": "x" * (LONGEST + 1)}, []),
        ({"URL": 7, "license": ["MIT"]}, []),
        ({"URL": ""}, []),
        ({}, []),
        (URL, []),
        (None, []),
        ([URL, None, 7], []),
    ],
)
def test_a_citation_names_source_and_license(
    category: str, citation: object, kept: list[tuple[str | None, str | None]]
) -> None:
    details = read({category: {"detected": True, "filtered": False, "citation": citation}})
    expected = [{"category": category, "url": url, "license": license_} for url, license_ in kept]
    assert details == {"citations": expected, "personal_information": [], "blocklists": []}


@pytest.mark.parametrize(
    ("entries", "kept"),
    [
        (
            [{"sub_category": "Email", "detected": True, "filtered": False, "redacted": True}],
            [{"kind": "Email", "detected": True, "filtered": False, "redacted": True}],
        ),
        ([{"sub_category": "Email"}], [{"kind": "Email", "detected": None, "filtered": None, "redacted": None}]),
        (
            [{"sub_category": "Email", "detected": "yes", "filtered": 1}],
            [{"kind": "Email", "detected": None, "filtered": None, "redacted": None}],
        ),
        ([{"sub_category": ["Email"], "detected": True}, {"detected": True}, "Email", None], []),
        ("Email", []),
        (None, []),
    ],
)
def test_personal_information_is_told_by_its_kinds_and_never_by_its_text(entries: object, kept: object) -> None:
    finding = {"detected": True, "filtered": False, "redacted_text": "Write to ****", "sub_categories": entries}
    details = read({"personally_identifiable_information": finding})
    assert details == {"citations": [], "personal_information": kept, "blocklists": []}


@pytest.mark.parametrize(
    ("finding", "kept"),
    [
        ({"filtered": True, "details": [{"id": "names", "filtered": True}]}, [("names", True)]),
        ([{"id": "names", "filtered": True}, {"id": "products", "filtered": False}], [("names", True), ("products", False)]),
        ({"filtered": True, "details": [{"id": "names"}]}, [("names", None)]),
        ({"filtered": True, "details": {"id": "names", "filtered": True}}, [("names", True)]),
        ({"filtered": True, "details": [{"id": 7}, {"filtered": True}, "names", None, []]}, []),
        ({"filtered": True, "details": "names"}, []),
        ({"filtered": False}, []),
        ("names", []),
    ],
)
def test_blocklists_are_told_by_their_ids(finding: object, kept: list[tuple[str, bool | None]]) -> None:
    details = read({"custom_blocklists": finding})
    blocklists = [{"id": name, "filtered": filtered} for name, filtered in kept]
    assert details == {"citations": [], "personal_information": [], "blocklists": blocklists}


def test_entries_are_limited_in_number() -> None:
    many = range(MOST * 10)
    details = read(
        {
            "custom_blocklists": [{"id": f"list-{number}", "filtered": False} for number in many],
            "protected_material_text": {"detected": True, "citation": [{"URL": f"{URL}{number}"} for number in many]},
            "personally_identifiable_information": {"sub_categories": [{"sub_category": f"kind-{number}"} for number in many]},
        }
    )
    assert {name: len(entries) for name, entries in details.items()} == dict.fromkeys(details, MOST)


def test_no_detail_shows_where_an_outcome_is_printed() -> None:
    finding = {
        "custom_blocklists": [{"id": "secret-project", "filtered": True}],
        "protected_material_text": {"detected": True, "citation": {"URL": "https://secret-site", "license": "secret-license"}},
        "personally_identifiable_information": {"sub_categories": [{"sub_category": "secret-kind"}]},
    }
    outcome = of_chat_completion({"choices": [{"content_filter_results": finding}]})
    assert "secret" in str(outcome.as_json())
    assert "secret" not in repr(outcome)
    assert "secret" not in str(outcome.codes())
