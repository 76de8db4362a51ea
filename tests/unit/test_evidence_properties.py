"""Whatever is done once to a chain that holds: it is found, and where."""

from dataclasses import replace
from string import ascii_letters, digits
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.domain.evidence import Chain, Head, Kind, Problem, Record, Verification, next_record, verify

QUICK = settings(max_examples=60, deadline=None, database=None)

LARGEST = 2**53 - 1
NUMBERS = st.integers(-LARGEST, LARGEST) | st.floats(-LARGEST, LARGEST)
TEXTS = st.text(f"{ascii_letters}{digits}._:/$[]-", min_size=1, max_size=8)
SCALARS = st.booleans() | NUMBERS | TEXTS
FIELDS = st.dictionaries(
    st.sampled_from(["actor", "names", "mac", "checked", "complete"]),
    SCALARS | st.lists(SCALARS, max_size=4).map(tuple),
    max_size=4,
)
TIMES = st.floats(0, 4e9)
TOKENS = st.binary(min_size=16, max_size=16).map(bytes.hex)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
CHANGES = st.one_of(
    st.fixed_dictionaries({"fields": FIELDS}),
    st.fixed_dictionaries({"at": TIMES}),
    st.fixed_dictionaries({"token": TOKENS}),
    st.fixed_dictionaries({"previous": HASHES}),
    st.fixed_dictionaries({"hash": HASHES}),
    st.fixed_dictionaries({"chain": st.sampled_from(Chain)}),
    st.fixed_dictionaries({"kind": st.sampled_from(Kind)}),
    st.fixed_dictionaries({"sequence": st.integers(1, LARGEST)}),
)


@st.composite
def chains(draw: st.DrawFn, *, least: int = 1) -> list[Record]:
    """Chains that hold."""
    about = draw(st.sampled_from(Chain))
    records: list[Record] = []
    for _ in range(draw(st.integers(least, 8))):
        head = records[-1].head if records else None
        fields, at, token = draw(FIELDS), draw(TIMES), draw(TOKENS)
        records.append(next_record(head, chain=about, kind=draw(st.sampled_from(Kind)), at=at, token=token, fields=fields))
    return records


@st.composite
def chains_with_a_place(draw: st.DrawFn, *, least: int = 1) -> tuple[list[Record], int]:
    """A chain and an index in it."""
    records = draw(chains(least=least))
    return records, draw(st.integers(0, len(records) - 1))


def verified(records: list[Record], count: int) -> Head | None:
    return records[count - 1].head if count else None


@QUICK
@given(chains_with_a_place())
def test_a_chain_holds_to_its_end_and_leads_to_each_of_its_heads(given_chain: tuple[list[Record], int]) -> None:
    records, index = given_chain
    assert verify(records, expected=records[index].head) == Verification(verified=records[-1].head, problem=None)


@QUICK
@given(chains_with_a_place(), CHANGES)
def test_any_change_of_one_record_is_found_at_it(given_chain: tuple[list[Record], int], change: dict[str, Any]) -> None:
    records, index = given_chain
    changed = replace(records[index], **change)
    assume(changed.hash != records[index].hash or changed.content_hash() != records[index].content_hash())
    found = verify([*records[:index], changed, *records[index + 1 :]])
    assert found.verified == verified(records, index)
    misplaced = {Problem.BEGINNING_MISSING, Problem.MISSING, Problem.MISPLACED}
    assert found.problem in (misplaced if "sequence" in change else {Problem.CHANGED})


@QUICK
@given(chains_with_a_place(), CHANGES)
def test_any_change_with_its_new_hash_is_found_by_what_is_behind_it_or_known_of_it(
    given_chain: tuple[list[Record], int], change: dict[str, Any]
) -> None:
    records, index = given_chain
    changed = replace(records[index], **change)
    changed = replace(changed, hash=changed.content_hash())
    assume(changed.hash != records[index].hash)
    forged = [*records[:index], changed, *records[index + 1 :]]
    found = verify(forged, expected=records[-1].head)
    assert found.problem
    assert found.verified in {verified(records, index), changed.head}
    assert index == len(records) - 1 or verify(forged).problem


@QUICK
@given(chains_with_a_place(least=2))
def test_any_record_that_is_missing_is_found_at_its_place(given_chain: tuple[list[Record], int]) -> None:
    records, index = given_chain
    left = [*records[:index], *records[index + 1 :]]
    problem = Problem.BEGINNING_MISSING if index == 0 else Problem.MISSING
    problem = Problem.END_MISSING if index == len(records) - 1 else problem
    assert verify(left, expected=records[-1].head) == Verification(verified=verified(records, index), problem=problem)
    assert problem is Problem.END_MISSING or verify(left).problem is problem


@QUICK
@given(chains_with_a_place(least=2), st.data())
def test_any_two_records_that_changed_places_are_found_at_the_first(
    given_chain: tuple[list[Record], int], data: st.DataObject
) -> None:
    records, index = given_chain
    other = data.draw(st.integers(0, len(records) - 1).filter(lambda each: each != index))
    swapped = [*records]
    swapped[index], swapped[other] = swapped[other], swapped[index]
    assert verify(swapped) == Verification(verified=verified(records, min(index, other)), problem=Problem.MISPLACED)


@QUICK
@given(chains_with_a_place(), chains_with_a_place())
def test_any_record_more_is_found(given_chain: tuple[list[Record], int], strange: tuple[list[Record], int]) -> None:
    records, index = given_chain
    more = strange[0][strange[1]]
    found = verify([*records[:index], more, *records[index:]])
    assert found.problem
    assert found.verified in {verified(records, index), more.head}


@QUICK
@given(chains_with_a_place())
def test_any_end_that_was_cut_off_is_found_by_the_expected_head(given_chain: tuple[list[Record], int]) -> None:
    records, length = given_chain
    found = verify(records[:length], expected=records[-1].head)
    assert found == Verification(verified=verified(records, length), problem=Problem.END_MISSING)
