"""Whatever is done to a chain without the key, in any number of steps: it holds only while it is what was signed."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.evidence import Chain, Head, Kind, Record, Walk, next_record, verify
from shared.domain.evidence_head import Purpose, Statement
from tests.unit.evidence_keys import sign

QUICK = settings(max_examples=200, deadline=None, database=None)
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
TOKEN = "0123456789abcdef" * 2
SIZES = st.integers(1, 8)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["delete", "change", "rehash", "swap", "cut", "relink", "add"]), st.integers(0, 7), st.integers(0, 7)
    ),
    min_size=1,
    max_size=4,
)


def record(head: Head | None, number: int) -> Record:
    fields = {"number": number}
    return next_record(head, chain=Chain.RETENTION, kind=Kind.RETENTION_RUN, at=float(number), token=TOKEN, fields=fields)


def chain(size: int) -> list[Record]:
    records: list[Record] = []
    for number in range(size):
        records.append(record(records[-1].head if records else None, number))
    return records


def relinked(records: list[Record]) -> list[Record]:
    """Number and hash a whole chain anew: what needs no key."""
    made: list[Record] = []
    for each in records:
        head = made[-1].head if made else None
        fields = dict(each.fields)
        made.append(next_record(head, chain=each.chain, kind=each.kind, at=each.at, token=each.token, fields=fields))
    return made


def done(records: list[Record], step: tuple[str, int, int]) -> list[Record]:
    how, first, second = step
    found = [*records]
    at, other = (each % len(found) if found else 0 for each in (first, second))
    match how:
        case "add":
            return [*found, record(found[-1].head if found else None, 100 + first)]
        case "relink":
            return relinked(found)
        case "cut":
            return found[:at]
        case _ if not found:
            return found
        case "delete":
            del found[at]
        case "swap":
            found[at], found[other] = found[other], found[at]
        case "change":
            found[at] = replace(found[at], fields={"number": 100 + first})
        case "rehash":
            changed = replace(found[at], fields={"number": 100 + first})
            found[at] = replace(changed, hash=changed.content_hash())
    return found


@QUICK
@given(SIZES, STEPS)
def test_a_chain_leads_to_its_signed_head_only_while_it_is_what_was_signed(
    size: int, steps: list[tuple[str, int, int]]
) -> None:
    records = chain(size)
    forged = records
    for step in steps:
        forged = done(forged, step)
    found = verify(forged, expected=records[-1].head)
    is_the_same = forged[:size] == records
    assert is_the_same or found.problem is not None
    if forged == records:
        assert found.problem is None


@QUICK
@given(SIZES, STEPS, st.integers(0, 8))
def test_the_same_is_true_from_a_checkpoint(size: int, steps: list[tuple[str, int, int]], pruned: int) -> None:
    records = chain(size)
    pruned = min(pruned, size - 1)
    forged = records[pruned:]
    for step in steps:
        forged = done(forged, step)
    walk = Walk(verified=records[pruned - 1].head if pruned else None, known=(records[-1].head,))
    for each in forged:
        walk.step(each)
    walk.end()
    assert forged[: size - pruned] == records[pruned:] or walk.problem is not None


@QUICK
@given(SIZES, SIZES, st.sampled_from(Purpose), st.sampled_from(Chain), st.floats(0, 4e9))
def test_no_other_head_is_signed_and_none_by_another_key(
    size: int, other: int, purpose: Purpose, about: Chain, at: float
) -> None:
    statement = Statement(purpose=Purpose.HEAD, chain=Chain.RETENTION, head=chain(size)[-1].head, at=1.0)
    signed = sign(statement, KEY)
    wanted = Statement(purpose=purpose, chain=about, head=chain(other)[-1].head, at=at)
    assert replace(signed, statement=wanted).is_by(KEY.public_key()) == (wanted == statement)
    assert not sign(wanted, OTHER).is_by(KEY.public_key())
