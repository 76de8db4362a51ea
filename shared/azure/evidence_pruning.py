"""Pruning the evidence: after a year records go, and a signed checkpoint stands for them.

A page of records goes in one batch with the checkpoint that says so: at no moment is a record gone for which none stands.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from shared.azure.evidence import Evidence
from shared.azure.evidence_documents import to_record
from shared.domain.evidence import Chain, Problem, Record, Walk
from shared.domain.evidence_fields import FIRST
from shared.domain.evidence_head import Purpose, Signed, Statement
from shared.telemetry import Event, log

if TYPE_CHECKING:
    from shared.azure.cosmos import Operation

KEPT_SECONDS: Final = 365 * 86_400
AT_ONCE = 99
"""Records that one batch deletes: Cosmos DB takes a hundred operations, and one of them writes the checkpoint."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """How many records went; ``complete``: no older one is left. A chain that does not hold is not pruned: it is evidence."""

    deleted: int
    complete: bool


async def prune(evidence: Evidence, chain: Chain, *, older_than: float) -> Pruned:
    """Delete the records from before a time (seconds since the epoch), but the last one; raises as `Evidence` does."""
    deleted = 0
    while True:
        head = await evidence.signed(chain, Purpose.HEAD)
        checkpoint = await evidence.signed(chain, Purpose.CHECKPOINT)
        start = checkpoint.head if checkpoint else None
        walk = Walk(verified=start)
        if head is not None and head.head is not None and not (checkpoint and not start):
            await _walk_old(evidence, chain, walk, before=head.head.sequence, older_than=older_than)
        elif head or checkpoint:
            walk.problem = Problem.SIGNATURE_INVALID
        if walk.problem:
            log(Event.EVIDENCE_BROKEN, code=chain, warning=True)
            return Pruned(deleted=deleted, complete=False)
        if walk.verified is None or walk.verified == start:
            return Pruned(deleted=deleted, complete=True)
        statement = Statement(purpose=Purpose.CHECKPOINT, chain=chain, head=walk.verified, at=evidence.clock())
        signed = await evidence.sign(statement)
        first = start.sequence + 1 if start else FIRST
        deletes: list[Operation] = [("delete", (str(gone),)) for gone in range(first, walk.verified.sequence + 1)]
        if not await evidence.write(signed, checkpoint, deletes, partial(_is_written, evidence, signed)):
            return Pruned(deleted=deleted, complete=False)
        deleted += len(deletes)


async def _walk_old(evidence: Evidence, chain: Chain, walk: Walk, *, before: int, older_than: float) -> None:
    """Follow the records of one page that may go, up to the first that may not, or that does not hold."""
    after = walk.verified.sequence if walk.verified else 0
    for document in await evidence.page(chain, after=after, limit=AT_ONCE):
        record = to_record(document)
        if isinstance(record, Record) and (record.sequence >= before or record.at >= older_than):
            return
        walk.step(record)


async def _is_written(evidence: Evidence, signed: Signed) -> bool:
    found = await evidence.signed(signed.statement.chain, Purpose.CHECKPOINT)
    return found is not None and found.signed == signed
