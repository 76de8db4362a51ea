import hashlib
import math
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from shared.domain.evidence import (
    BEGINNING,
    Chain,
    Head,
    Kind,
    Problem,
    Record,
    Unreadable,
    Verification,
    next_record,
    verify,
)

TOKEN = "0123456789abcdef" * 2
MAC = "ab" * 32


def record(head: Head | None = None, **fields: Any) -> Record:  # noqa: ANN401
    return next_record(head, chain=Chain.POLICIES, kind=Kind.POLICY_APPLIED, at=1_700_000_000.25, token=TOKEN, fields=fields)


def chain(length: int) -> list[Record]:
    records: list[Record] = []
    for number in range(length):
        records.append(record(records[-1].head if records else None, number=number))
    return records


def with_its_hash(changed: Record) -> Record:
    return replace(changed, hash=changed.content_hash())


def test_a_chain_begins_with_number_one_behind_64_zeros() -> None:
    first = record()
    assert (first.sequence, first.previous) == (1, BEGINNING)
    assert BEGINNING == "0" * 64


def test_a_record_follows_the_head_that_it_was_given() -> None:
    first = record()
    second = record(first.head)
    assert (second.sequence, second.previous) == (2, first.hash)


def test_a_hash_is_the_same_for_ever() -> None:
    """Whoever verifies without this code computes it from the document."""
    canonical = (
        '{"at":1700000000.25,"chain":"policies","fields":{"actor":"a:b","names":["retention","models[0]"],"ok":true,"rows":2},'
        f'"kind":"policy_applied","previous":"{BEGINNING}","sequence":1,"token":"{TOKEN}"}}'
    )
    made = record(rows=2, ok=True, names=("retention", "models[0]"), actor="a:b")
    assert made.hash == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(("one", "same"), [(1.0, 1), (-0.0, 0), (1e15, 10**15), ((2.0, 0.5), (2, 0.5))])
def test_numbers_that_the_store_does_not_tell_apart_have_one_hash(one: Any, same: Any) -> None:  # noqa: ANN401
    assert record(number=one).hash == record(number=same).hash


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (1, "1"), ("a", ("a",)), (0.1, 0.1000000000000001)])
def test_values_that_the_store_tells_apart_have_two(one: Any, other: Any) -> None:  # noqa: ANN401
    assert record(value=one).hash != record(value=other).hash


def test_appends_with_the_same_fields_at_the_same_time_differ_by_their_token() -> None:
    made = record()
    assert with_its_hash(replace(made, token="f" * 32)).hash != made.hash


def test_a_record_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        record().sequence = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence": 0},
        {"sequence": True},
        {"sequence": 1.5},
        {"sequence": "1"},
        {"at": math.nan},
        {"at": "now"},
        {"token": "short"},
        {"token": TOKEN.upper()},
        {"previous": "0"},
        {"hash": MAC + "\n"},
        {"fields": {"note": "two words"}},
    ],
)
def test_a_record_of_wrong_parts_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="evidence"):
        replace(record(), **wrong)


@pytest.mark.parametrize(("sequence", "own"), [(0, MAC), (1, "ab"), (True, MAC), ("1", MAC), (1, None)])
def test_a_head_is_a_sequence_number_and_a_hash(sequence: Any, own: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match="head"):
        Head(sequence=sequence, hash=own)


def test_a_chain_as_it_was_made_holds_to_its_end() -> None:
    records = chain(5)
    for expected in (None, records[2].head, records[-1].head):
        assert verify(records, expected=expected) == Verification(verified=records[-1].head, problem=None)


def test_an_empty_chain_holds_unless_a_head_is_known() -> None:
    assert verify([]) == Verification(verified=None, problem=None)
    assert verify([], expected=record().head) == Verification(verified=None, problem=Problem.END_MISSING)


@pytest.mark.parametrize(
    ("order", "verified", "problem"),
    [
        ([1, 2, 4, 5], 2, Problem.MISSING),
        ([1, 5], 1, Problem.MISSING),
        ([2, 3, 4, 5], 0, Problem.BEGINNING_MISSING),
        ([5], 0, Problem.BEGINNING_MISSING),
        ([1, 3, 2, 4, 5], 1, Problem.MISPLACED),
        ([2, 1, 3, 4, 5], 0, Problem.MISPLACED),
        ([1, 2, 2, 3, 4, 5], 2, Problem.MISPLACED),
        ([1, 2, 3, 4, 5, 1], 5, Problem.MISPLACED),
    ],
)
def test_what_is_missing_or_misplaced_is_found_at_its_place(order: list[int], verified: int, problem: Problem) -> None:
    records = chain(5)
    found = verify([records[sequence - 1] for sequence in order])
    assert found == Verification(verified=records[verified - 1].head if verified else None, problem=problem)


def test_an_end_that_was_cut_off_is_found_by_an_expected_head_only() -> None:
    records = chain(5)
    assert verify(records[:3]).problem is None
    assert verify(records[:3], expected=records[4].head) == Verification(verified=records[2].head, problem=Problem.END_MISSING)


def test_a_changed_record_is_found_where_it_stands() -> None:
    records = chain(3)
    records[1] = replace(records[1], fields={"number": 7})
    assert verify(records) == Verification(verified=records[0].head, problem=Problem.CHANGED)


def test_a_changed_record_with_its_new_hash_is_found_at_the_record_behind_it() -> None:
    records = chain(3)
    records[1] = with_its_hash(replace(records[1], fields={"number": 7}))
    assert verify(records) == Verification(verified=records[1].head, problem=Problem.CHANGED)


def test_a_changed_last_record_with_its_new_hash_is_found_by_an_expected_head_only() -> None:
    records = chain(3)
    known = records[2].head
    records[2] = with_its_hash(replace(records[2], fields={"number": 7}))
    assert verify(records).problem is None
    assert verify(records, expected=known) == Verification(verified=records[1].head, problem=Problem.CHANGED)


def test_a_chain_written_anew_is_found_by_an_expected_head_only() -> None:
    """There is no signature: this is what the chain cannot show by itself."""
    known = chain(3)[1].head
    forged = [record(number=7)]
    for _ in range(4):
        forged.append(record(forged[-1].head))
    assert verify(forged).problem is None
    assert verify(forged, expected=known) == Verification(verified=forged[0].head, problem=Problem.CHANGED)


def test_a_record_of_another_chain_does_not_fit_in() -> None:
    records = chain(3)
    records[1] = with_its_hash(replace(records[1], chain=Chain.CONFIGURATION))
    assert verify(records).problem is Problem.CHANGED


def test_what_cannot_be_read_is_a_problem_of_its_own() -> None:
    records = chain(3)
    assert verify([records[0], Unreadable(), records[2]]) == Verification(verified=records[0].head, problem=Problem.UNREADABLE)
