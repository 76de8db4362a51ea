"""Checking the evidence: whether each chain is whole, from its checkpoint to its signed head, and goes on.

"Could not be read" is a finding of its own, never "holds".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from shared.azure.evidence import Evidence, Found
from shared.domain.evidence import Chain, Head, Problem, Record, Unreadable, Walk
from shared.domain.evidence_anchors import ANCHORING, anchored
from shared.domain.evidence_head import Purpose, Signed
from shared.errors import ServiceUnavailable


class State(StrEnum):
    """What a check found of a chain."""

    HOLDS = "holds"
    STALE = "stale"
    BROKEN = "broken"
    UNCHECKED = "could not be read"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found. Times in seconds since the epoch; ``sequence``: where the problem is.

    ``records`` counts what lies there, records or not, also behind a problem. ``verified`` is how far the chain holds, ``head``
    and ``checkpoint`` are signed statements that hold. ``longest_pause``: seconds between a record and the next.
    """

    chain: Chain
    state: State
    records: int = 0
    first_at: float | None = None
    last_at: float | None = None
    longest_pause: float = 0.0
    verified: Head | None = None
    checkpoint: Signed | None = None
    head: Signed | None = None
    problem: Problem | None = None
    sequence: int | None = None
    anchors: dict[Chain, Head] = field(default_factory=dict)


async def check(evidence: Evidence, chains: Iterable[Chain], *, stale_after: float) -> list[Finding]:
    """Check chains. The timer's is always read, because its records say where the others ended.

    ``stale_after``: seconds within which it must have gone on. Nothing is raised for what cannot be read.
    """
    anchoring = await _checked(evidence, ANCHORING, None)
    is_late = anchoring.last_at is None or evidence.clock() - anchoring.last_at > stale_after
    if anchoring.state is State.HOLDS and is_late:
        anchoring = replace(anchoring, state=State.STALE)
    return [
        anchoring if chain is ANCHORING else await _checked(evidence, chain, anchoring.anchors.get(chain)) for chain in chains
    ]


async def followed_from(evidence: Evidence, chain: Chain, verified: Head | None) -> Finding:
    """Check what stands in a chain behind a head that was verified before, None for all of it. Nothing is raised."""
    return await _checked(evidence, chain, None, verified)


@dataclass(kw_only=True)
class _Seen:
    """What of a chain is told besides whether it holds."""

    records: int = 0
    first_at: float | None = None
    last_at: float | None = None
    longest_pause: float = 0.0
    anchors: dict[Chain, Head] = field(default_factory=dict)

    def note(self, record: Record | Unreadable) -> None:
        self.records += 1
        if isinstance(record, Record):
            self.first_at = record.at if self.first_at is None else self.first_at
            self.longest_pause = max(self.longest_pause, record.at - (record.at if self.last_at is None else self.last_at))
            self.last_at = record.at


async def _checked(evidence: Evidence, chain: Chain, anchor: Head | None, verified: Head | None = None) -> Finding:
    """Check a chain, again when it was pruned meanwhile."""
    try:
        while True:
            checkpoint = await evidence.signed(chain, Purpose.CHECKPOINT)
            finding = await _followed(evidence, chain, checkpoint, anchor, verified)
            if finding.problem is None or await evidence.signed(chain, Purpose.CHECKPOINT) == checkpoint:
                return finding
    except ServiceUnavailable:
        return Finding(chain=chain, state=State.UNCHECKED)


async def _followed(
    evidence: Evidence, chain: Chain, checkpoint: Found | None, anchor: Head | None, verified: Head | None
) -> Finding:
    """Follow a chain to its end, and ask again for the signed head: others may have appended meanwhile."""
    head = await evidence.signed(chain, Purpose.HEAD)
    known = tuple(each for each in (anchor, head.head if head else None) if each)
    walk = Walk(verified=verified or (checkpoint.head if checkpoint else None), known=known)
    seen = _Seen()
    async for record in evidence.read(chain, after=walk.verified.sequence if walk.verified else 0):
        seen.note(record)
        walk.step(record)
        if walk.problem is None and isinstance(record, Record):
            seen.anchors |= anchored(record)
    walk.end()
    head = await evidence.signed(chain, Purpose.HEAD)
    problem, sequence = _judged(walk, checkpoint, head)
    return Finding(
        chain=chain,
        state=State.BROKEN if problem else State.HOLDS,
        verified=walk.verified,
        checkpoint=checkpoint.signed if checkpoint and checkpoint.holds else None,
        head=head.signed if head and head.holds else None,
        problem=problem,
        sequence=sequence,
        **vars(seen),
    )


def _judged(walk: Walk, checkpoint: Found | None, head: Found | None) -> tuple[Problem | None, int | None]:
    """The first problem of a chain, and the sequence number at which it is, where it is at one."""
    last = walk.verified.sequence if walk.verified else 0
    if checkpoint is not None and not checkpoint.holds:
        return Problem.SIGNATURE_INVALID, None
    if walk.problem is not None:
        return walk.problem, last + 1
    if head is None or head.head is None:
        return (Problem.SIGNATURE_INVALID if head else Problem.SIGNATURE_MISSING if last else None), None
    if head.head.sequence < last:
        return Problem.UNSIGNED, head.head.sequence + 1
    is_another = head.head.sequence == last and head.head != walk.verified
    return (Problem.CHANGED, last) if is_another else (None, None)
