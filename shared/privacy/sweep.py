"""A sweep: what an erasure covers of a tenant is erased, job after job and then what is kept of them for abuse review.

A sweep may be broken off anywhere and made again: what was erased is not found any more.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import batched, groupby

from shared.azure.erasures import Erasures
from shared.azure.evidence import Evidence
from shared.azure.held_jobs import HeldJobs
from shared.azure.holds import Holds
from shared.azure.keys import KeyStore
from shared.azure.markers import Markers
from shared.azure.queues import Queues
from shared.azure.subject_documents import PAGE, Match, SubjectDocuments
from shared.clock import Clock
from shared.domain.erasing import Plan, Standing, plan
from shared.domain.erasure import Counts, Erasure, Held, Sweep, covering, latest
from shared.domain.hold import Hold
from shared.errors import ServiceUnavailable, StoreUnavailable, WriteConflict
from shared.generation.delivery import QUEUE

_TRIES = 5
_AT_ONCE = 25
"""Erasures that one query looks for."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A container that knows data subjects: what is of them there, and what holds keep of it."""

    documents: SubjectDocuments
    held: HeldJobs


@dataclass(frozen=True, kw_only=True)
class Erasing:
    """What erasures work with. ``settle``: seconds after which no worker acts on the ground of an older list of markers."""

    erasures: Erasures
    jobs: Part
    review: Part
    holds: Holds
    markers: Markers
    keys: KeyStore
    queues: Queues
    evidence: Evidence
    clock: Clock
    settle: float


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What the erasure of one job did, and what a hold did not let it do."""

    counts: Counts = field(default_factory=Counts)
    held: Held = field(default_factory=Held)
    tombstone_until: float | None = None


@dataclass(kw_only=True)
class _Tally:
    complete: bool = False
    counts: Counts = field(default_factory=Counts)
    held: Held = field(default_factory=Held)
    tombstones_until: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Work:
    """Some erasures of a tenant, and what was done for each."""

    tenant: str
    erasures: Sequence[Erasure]
    tallies: dict[str, _Tally]


async def sweep(tenant: str, erasures: Sequence[Erasure], erasing: Erasing, *, until: float) -> dict[str, Sweep]:
    """Sweep once for some erasures of a tenant, until a moment of the monotonic clock; return what it did for each.

    A service that stays away ends the sweep, incomplete; what was erased before counts.
    """
    began_at = erasing.clock()
    tallies = {erasure.id: _Tally() for erasure in erasures}
    for some in batched(erasures, _AT_ONCE, strict=False):
        try:
            complete = await _pass(_Work(tenant=tenant, erasures=some, tallies=tallies), erasing, until)
        except ServiceUnavailable:
            break
        for erasure in some:
            tallies[erasure.id].complete = complete
    ended_at = erasing.clock()
    return {
        erasure.id: Sweep(cutoff=erasure.cutoff, began_at=began_at, ended_at=ended_at, **vars(tallies[erasure.id]))
        for erasure in erasures
    }


async def _pass(work: _Work, erasing: Erasing, until: float) -> bool:
    """Erase what the erasures cover, jobs first; return whether nothing was left out.

    A worker that has called the model may still store a record of a job that is erased here: the last sweep finds it.
    """
    holds = await erasing.holds.standing(work.tenant)
    complete = True
    for part in (erasing.jobs, erasing.review):
        complete &= await _pass_over(part, work, holds, erasing, until)
    return complete


async def _pass_over(part: Part, work: _Work, holds: Sequence[Hold], erasing: Erasing, until: float) -> bool:
    """Erase page after page."""
    tenant = work.tenant
    complete, after, more = True, "", True
    while more:
        page = await part.documents.covered(tenant, work.erasures, after=after)
        for job_id, matches in groupby(page, key=_job_id):
            if time.monotonic() >= until:
                return False
            those = covering(work.erasures, [(match.subject, match.created_at) for match in matches])
            if not those:
                continue
            try:
                if holds:  # one that was placed a moment ago has perhaps not marked this job yet
                    await part.held.settle(tenant, job_id, holds)
                erased = await _erase(tenant, job_id, part, erasing)
            except WriteConflict:
                complete = False
                continue
            for erasure in those:
                _add(work.tallies[erasure.id], erased, is_its_work=erasure is those[0])
        more = len(page) == PAGE
        after = page[-1].job_id if page else after
    return complete


async def _erase(tenant: str, job_id: str, part: Part, erasing: Erasing) -> Erased:
    """Erase what is of one job in a container, as far as its holds allow, and read back.

    The waiting copy goes first: the receipt knows it, and a crash behind the receipt's end would leave it to itself. Raises
    `WriteConflict` when others write all the time, and `ServiceUnavailable`.
    """
    copies = Counts()
    for _ in range(_TRIES):
        decided = plan(await part.documents.job(tenant, job_id), erasing.clock())
        if decided.is_empty:
            return Erased(counts=copies, held=decided.held)
        copies += Counts(waiting_copies=int(await _withdraw(decided.bury, erasing)))
        try:
            await part.documents.erase(tenant, job_id, decided)
        except WriteConflict:
            continue
        await _read_back(tenant, job_id, decided, part)
        return Erased(
            counts=decided.counts + copies,
            held=decided.held,
            tombstone_until=decided.bury.expires_at if decided.bury else None,
        )
    raise WriteConflict


async def _withdraw(receipt: Standing | None, erasing: Erasing) -> bool:
    """Take the waiting copy back; return whether there was one. Of a job that has ended a copy may stay: it does nothing."""
    if receipt is None or receipt.scheduled_sequence_number is None or receipt.deleted_at is not None:
        return False
    try:
        return await erasing.queues.cancel_scheduled(QUEUE, receipt.scheduled_sequence_number)
    except ServiceUnavailable:
        if receipt.status is None or not receipt.status.terminal:
            raise
        return False


async def _read_back(tenant: str, job_id: str, decided: Plan, part: Part) -> None:
    gone = [await part.documents.is_gone(tenant, job_id, document.id) for document in decided.delete]
    if not all(gone):
        raise StoreUnavailable


def _add(tally: _Tally, erased: Erased, *, is_its_work: bool) -> None:
    """Count what was erased once, at the erasure whose work it was; what is held holds up every erasure that covers it."""
    tally.held += erased.held
    tally.tombstones_until = latest(tally.tombstones_until, erased.tombstone_until)
    if is_its_work:
        tally.counts += erased.counts


def _job_id(match: Match) -> str:
    return match.job_id
