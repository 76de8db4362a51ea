"""The evidence chain: records without content, each of which carries the hash of the one before it.

It is tamper-evident against somebody who cannot write every record anew. The head is not signed: whoever may write the
container can recompute the whole chain, and nothing in it will show that. What holds against them is a head (`Head`) that
was kept elsewhere: a chain that does not lead to it, or ends before it, is found. Without one, a cut-off end and a changed
last record that was given its new hash cannot be seen either.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from enum import StrEnum
from typing import Final

from shared.domain.evidence_fields import FIRST, Fields, check_fields, is_hash, is_number, is_sequence, is_token
from shared.domain.json_document import canonical

BEGINNING: Final = "0" * 64
"""What stands in place of the hash before the first record."""


class Chain(StrEnum):
    """What a chain is about; each is numbered and linked by itself."""

    POLICIES = "policies"
    CONFIGURATION = "configuration"
    RETENTION = "retention"
    HOLDS = "holds"
    ERASURES = "erasures"


class Kind(StrEnum):
    """What a record says has happened."""

    POLICY_PROPOSED = "policy_proposed"
    POLICY_APPLIED = "policy_applied"
    SUBMISSION_ROTATED = "submission_rotated"
    TENANT_OFFBOARDING = "tenant_offboarding"
    TENANT_OFFBOARDED = "tenant_offboarded"
    RETENTION_RUN = "retention_run"
    CONFIGURATION_CHECKED = "configuration_checked"
    HOLD_PLACED = "hold_placed"
    HOLD_APPLIED = "hold_applied"
    HOLD_RENEWED = "hold_renewed"
    HOLD_RELEASED = "hold_released"
    HOLD_LIFTED = "hold_lifted"
    ERASURE_REQUESTED = "erasure_requested"
    ERASURE_COMPLETED = "erasure_completed"
    ERASURE_DEFERRED = "erasure_deferred"
    RE_ERASED = "re_erased"


@dataclass(frozen=True, kw_only=True)
class Head:
    """The end of a chain: the last record's sequence number and hash; raises `ValueError` for anything else."""

    sequence: int
    hash: str

    def __post_init__(self) -> None:
        if not (is_sequence(self.sequence) and is_hash(self.hash)):
            raise ValueError("A head of an evidence chain is a sequence number and a SHA-256 in hex.")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line of evidence; ``at`` in seconds since the epoch, ``token`` names the append that made it.

    Raises `ValueError`, which quotes no value, when a field is not one of `Fields` in form. The form keeps sentences out,
    not single words: that a word is no content is the duty of whoever chooses the fields.
    """

    chain: Chain
    sequence: int
    at: float
    kind: Kind
    token: str
    fields: Fields
    previous: str
    hash: str

    def __post_init__(self) -> None:
        if not (is_sequence(self.sequence) and is_number(self.at) and is_token(self.token)):
            raise ValueError("A record of evidence has a sequence number, a time and a token in hex.")
        if not (is_hash(self.previous) and is_hash(self.hash)):
            raise ValueError("The hashes of a record of evidence are SHA-256 in hex.")
        check_fields(self.fields)

    @property
    def head(self) -> Head:
        """The end of the chain, while this is its last record."""
        return Head(sequence=self.sequence, hash=self.hash)

    def content_hash(self) -> str:
        """SHA-256, in hex, of the canonical JSON of everything but the hash; the record is as it was while the two agree."""
        content = {field.name: _plain(getattr(self, field.name)) for field in dataclass_fields(self) if field.name != "hash"}
        return hashlib.sha256(canonical(content)).hexdigest()


@dataclass(frozen=True)
class Unreadable:
    """What stands in a chain and is no record, or none that this version of the app knows."""


class Problem(StrEnum):
    """Why a chain does not hold."""

    CHANGED = "changed"
    MISSING = "missing"
    MISPLACED = "misplaced"
    BEGINNING_MISSING = "beginning_missing"
    END_MISSING = "end_missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How far a chain holds from its beginning (``verified``, None: not at all), and the first problem behind that."""

    verified: Head | None
    problem: Problem | None


def next_record(head: Head | None, *, chain: Chain, kind: Kind, at: float, token: str, fields: Fields) -> Record:
    """The record that follows a head, None being the head of an empty chain; raises `ValueError` as `Record` does."""
    sequence, previous = _behind(head)
    record = Record(
        chain=chain,
        sequence=sequence,
        at=at,
        kind=kind,
        token=token,
        fields=fields,
        previous=previous,
        hash=BEGINNING,
    )
    return replace(record, hash=record.content_hash())


def verify(records: Iterable[Record | Unreadable], *, expected: Head | None = None) -> Verification:
    """Follow one chain, in the order in which it is stored, up to the first problem.

    ``expected``: a head that was kept elsewhere; the chain has to lead to it and may go on. A changed record that was given
    its new hash is noticed at the record behind it, hence not at the end of a chain without ``expected``.
    """
    chain = [*records]
    stored = {record.sequence for record in chain if isinstance(record, Record)}
    head: Head | None = None
    for record in chain:
        if isinstance(record, Unreadable):
            return Verification(verified=head, problem=Problem.UNREADABLE)
        if problem := _problem(record, head, stored):
            return Verification(verified=head, problem=problem)
        if expected and record.sequence == expected.sequence and record.hash != expected.hash:
            return Verification(verified=head, problem=Problem.CHANGED)
        head = record.head
    cut_off = expected is not None and (head is None or head.sequence < expected.sequence)
    return Verification(verified=head, problem=Problem.END_MISSING if cut_off else None)


def _problem(record: Record, head: Head | None, stored: set[int]) -> Problem | None:
    """What is wrong with a record behind a head, in a chain with these sequence numbers."""
    place, previous = _behind(head)
    if record.sequence != place:
        if record.sequence < place or place in stored:
            return Problem.MISPLACED
        return Problem.MISSING if head else Problem.BEGINNING_MISSING
    holds = record.previous == previous and record.hash == record.content_hash()
    return None if holds else Problem.CHANGED


def _behind(head: Head | None) -> tuple[int, str]:
    """Sequence number and previous hash of the record behind a head."""
    return (head.sequence + 1, head.hash) if head else (FIRST, BEGINNING)


def _plain(value: object) -> object:
    """The value in the form that survives the store, which does not tell 1.0 from 1."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
