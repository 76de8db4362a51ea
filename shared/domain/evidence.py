"""The evidence chain: records without content, each of which carries the hash of the one before it.

The chain alone is tamper-evident against somebody who cannot write every record anew. What holds against those who can is a
signed head (`shared.domain.evidence_head`): a chain that does not lead to it, or ends before it, is found.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
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
    ACCESS = "access"
    ABUSE = "abuse"


class Kind(StrEnum):
    """What a record says has happened."""

    POLICY_PROPOSED = "policy_proposed"
    POLICY_APPLIED = "policy_applied"
    SUBMISSION_ROTATED = "submission_rotated"
    TENANT_OFFBOARDING = "tenant_offboarding"
    TENANT_OFFBOARDED = "tenant_offboarded"
    ENDPOINT_REGISTERED = "endpoint_registered"
    ENDPOINT_CHANGED = "endpoint_changed"
    ENDPOINT_DELETED = "endpoint_deleted"
    ENDPOINT_ROTATED = "endpoint_rotated"
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
    ABUSE_ALERT_CREATED = "abuse_alert_created"
    ABUSE_ALERT_RESOLVED = "abuse_alert_resolved"
    ABUSE_KEY_DELETED = "abuse_key_deleted"
    ABUSE_KEY_DESTROYED = "abuse_key_destroyed"
    ABUSE_RECORD_OPENED = "abuse_record_opened"
    ABUSE_ACCESS_REFUSED = "abuse_access_refused"
    SUBJECT_BLOCKED = "subject_blocked"


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
        content = {each.name: plain(getattr(self, each.name)) for each in dataclass_fields(self) if each.name != "hash"}
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
    UNSIGNED = "unsigned"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_INVALID = "signature_invalid"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How far a chain holds from its beginning (``verified``, None: not at all), and the first problem behind that."""

    verified: Head | None
    problem: Problem | None


@dataclass(kw_only=True)
class Walk:
    """Follows one chain, in the order in which it is stored, up to the first problem.

    ``verified`` begins as the head of the checkpoint from which the chain goes on, None from its first record. ``known`` are
    heads to which the chain has to lead, and may go on. A changed record that was given its new hash is noticed at
    the record behind it, or by a known head.
    """

    verified: Head | None = None
    known: Collection[Head] = ()
    problem: Problem | None = None

    def __post_init__(self) -> None:
        self._hashes: dict[int, set[str]] = {}
        for head in self.known:
            self._hashes.setdefault(head.sequence, set()).add(head.hash)

    def step(self, record: Record | Unreadable, later: Collection[int] = ()) -> None:
        """Go to the next record, while there is no problem; ``later``: which sequence numbers come behind it."""
        if self.problem is None:
            self.problem = self._problem(record, later)
        if self.problem is None and isinstance(record, Record):
            self.verified = record.head

    def end(self) -> None:
        """Say that there are no more records."""
        last = self.verified.sequence if self.verified else 0
        if self.problem is None and any(sequence > last for sequence in self._hashes):
            self.problem = Problem.END_MISSING

    def _problem(self, record: Record | Unreadable, later: Collection[int]) -> Problem | None:
        if isinstance(record, Unreadable):
            return Problem.UNREADABLE
        place, previous = _behind(self.verified)
        if record.sequence != place:
            if record.sequence < place or place in later:
                return Problem.MISPLACED
            return Problem.MISSING if self.verified else Problem.BEGINNING_MISSING
        holds = record.previous == previous and record.hash == record.content_hash()
        holds = holds and self._hashes.get(place, set()) <= {record.hash}
        return None if holds else Problem.CHANGED


def next_record(
    head: Head | None, *, chain: Chain, kind: Kind, at: float, token: str, fields: Fields, stored: int = 0
) -> Record:
    """The record that follows a head, None being the head of an empty chain; raises `ValueError` as `Record` does.

    ``stored``: the highest number that stands in the chain. Where that is above the head, somebody else wrote it: the record
    stands behind it, without its hash, so that the chain goes on and shows that it is broken.
    """
    place, previous = _behind(head)
    record = Record(
        chain=chain,
        sequence=max(place, stored + 1),
        at=at,
        kind=kind,
        token=token,
        fields=fields,
        previous=previous,
        hash=BEGINNING,
    )
    return replace(record, hash=record.content_hash())


def verify(records: Iterable[Record | Unreadable], *, expected: Head | None = None) -> Verification:
    """Follow a whole chain; ``expected``: a head that was kept elsewhere, to which it has to lead, and may go on."""
    chain = [*records]
    stored = {record.sequence for record in chain if isinstance(record, Record)}
    walk = Walk(known=(expected,) if expected else ())
    for record in chain:
        walk.step(record, stored)
    walk.end()
    return Verification(verified=walk.verified, problem=walk.problem)


def plain(value: object) -> object:
    """The value in the form that survives the store, which does not tell 1.0 from 1."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _behind(head: Head | None) -> tuple[int, str]:
    """Sequence number and previous hash of the record behind a head."""
    return (head.sequence + 1, head.hash) if head else (FIRST, BEGINNING)
