"""Erasing a data subject: swept when its tenant asks and again by the timer, and watched as long as anything may come back."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from secrets import token_hex

from shared.azure.erasures import Stored
from shared.domain import macs
from shared.domain.erasure import Counts, Erasure, State, Sweep, after
from shared.domain.erasure_view import PREFIX
from shared.domain.evidence import Chain, Kind
from shared.domain.evidence_fields import Scalar
from shared.domain.macs import Mac, Purpose
from shared.domain.policy import TenantPolicy
from shared.domain.step_report import StepReport
from shared.errors import NotFound, ServiceUnavailable, StoreUnavailable, WriteConflict
from shared.privacy.measured import measure_erasure
from shared.privacy.sweep import Erasing, sweep

MAX_ERASURES = 20_000
"""Living markers that one run looks at, over all tenants; more are reported as incomplete."""
RUN_SECONDS = 60.0
REQUEST_SECONDS = 3.0
"""Time for sweeping in a run of the timer, and while a caller waits."""

_TRIES = 5


async def subject_macs(tenant: str, subject: str, erasing: Erasing) -> tuple[Mac, ...]:
    """Return what a subject is known by: a MAC with every version of the key; raises `KeysUnavailable`."""
    return tuple(macs.mac(key, subject) for key in await erasing.keys.all(tenant, Purpose.SUBJECT))


async def request_erasure(policy: TenantPolicy, subject: str, erasing: Erasing) -> Erasure:
    """Erase a subject: store its marker, and sweep as far as the caller's patience goes; the timer does the rest.

    One that is not completed is taken up again, with a later cut-off. Raises `ServiceUnavailable`: then the marker may stand
    or not, and the caller asks again.
    """
    subjects = await subject_macs(policy.tenant_id, subject, erasing)
    stored = await _mark(policy, subjects, erasing)
    erasing.markers.forget(policy.tenant_id)
    with suppress(ServiceUnavailable, TimeoutError):
        async with asyncio.timeout(REQUEST_SECONDS + 1):
            until = time.monotonic() + REQUEST_SECONDS
            swept = await sweep(policy.tenant_id, [stored.erasure], erasing, until=until)
            return await _note(stored, swept[stored.erasure.id], erasing)
    return stored.erasure


async def read_erasure(tenant: str, erasure_id: str, erasing: Erasing) -> Erasure:
    """Return an erasure of a tenant; raises `NotFound`."""
    found = await erasing.erasures.read(tenant, erasure_id)
    if found is None:
        raise NotFound
    return found.erasure


async def enforce_erasures(erasing: Erasing, step: str = "erasures") -> StepReport:
    """Sweep for every living marker, the open ones' tenants first; a step of the timer.

    ``found`` and ``deleted`` count documents, those that came back from a backup too; ``overdue`` counts erasures whose last
    sweep is due and was not made in full. Raises `ServiceUnavailable` when it cannot look at all.
    """
    until = time.monotonic() + RUN_SECONDS
    stored = await erasing.erasures.all(limit=MAX_ERASURES)
    runs = [await _sweep_tenant(some, erasing, until) for some in _by_tenant(stored)]
    now = erasing.clock()
    late = [
        now - erasure.settled_at
        for run in runs
        for erasure in run.erasures
        if erasure.state in {State.PENDING, State.SWEPT} and erasure.settled_at <= run.began_at and not run.complete
    ]
    return StepReport(
        step=step,
        checked=len(stored),
        found=sum(run.erased for run in runs),
        deleted=sum(run.erased for run in runs),
        overdue=len(late),
        oldest_overdue_seconds=max(late, default=0.0),
        complete=len(stored) < MAX_ERASURES and all(run.complete for run in runs),
    )


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What became of one tenant's erasures."""

    erasures: Sequence[Erasure]
    began_at: float
    erased: int
    complete: bool


async def _sweep_tenant(stored: Sequence[Stored], erasing: Erasing, until: float) -> _Run:
    began_at = erasing.clock()
    swept = await sweep(stored[0].erasure.tenant_id, [each.erasure for each in stored], erasing, until=until)
    return _Run(
        erasures=[await _note(each, swept[each.erasure.id], erasing) for each in stored],
        began_at=began_at,
        erased=sum(one.counts.documents for one in swept.values()),
        complete=all(one.complete for one in swept.values()),
    )


def _by_tenant(stored: Sequence[Stored]) -> list[list[Stored]]:
    """Group by tenant; those with something open come first, each with what is open first."""

    def rank(each: Stored) -> tuple[str, bool]:
        return each.erasure.tenant_id, each.erasure.state is State.COMPLETED

    groups = [list(some) for _, some in groupby(sorted(stored, key=rank), key=lambda each: each.erasure.tenant_id)]
    return sorted(groups, key=lambda some: some[0].erasure.state is State.COMPLETED)


async def _mark(policy: TenantPolicy, subjects: tuple[Mac, ...], erasing: Erasing) -> Stored:
    """Store the marker of a new erasure, or renew that of one which is not completed; its evidence comes first."""
    tenant, retention = policy.tenant_id, policy.retention
    for _ in range(_TRIES):
        found = await erasing.erasures.open_of(tenant, subjects)
        now = erasing.clock()
        settled_at, rejected_until = now + erasing.settle, now + retention.shortest_seconds
        if found is None:
            new = Erasure(
                tenant_id=tenant,
                id=f"{PREFIX}{token_hex(16)}",
                subjects=subjects,
                requested_at=now,
                cutoff=now,
                settled_at=settled_at,
                rejected_until=rejected_until,
            )
            await _record(Kind.ERASURE_REQUESTED, new, erasing)
            await erasing.erasures.create(new)
        else:
            new = found.erasure.renewed(subjects, now=now, settle=erasing.settle, rejected_until=rejected_until)
            await _record(Kind.ERASURE_REQUESTED, new, erasing)
            try:
                await erasing.erasures.replace(new, over=found)
            except WriteConflict:
                continue
        standing = await erasing.erasures.read(tenant, new.id)
        if standing is not None:
            return standing
    raise StoreUnavailable


async def _note(stored: Stored, made: Sweep, erasing: Erasing) -> Erasure:
    """Write down what a sweep did; evidence comes first, so that it may be there twice, and is never missing."""
    for _ in range(_TRIES):
        before, now = stored.erasure, after(stored.erasure, made)
        if now == before:
            return before
        if now.state is not before.state and now.state is State.COMPLETED:
            seconds = round(made.ended_at - now.requested_at, 3)
            await _record(Kind.ERASURE_COMPLETED, now, erasing, now.counts, duration_seconds=seconds)
        elif now.state is not before.state and now.state is State.DEFERRED:
            await _record(Kind.ERASURE_DEFERRED, now, erasing, now.counts, held_documents=now.held.documents)
        elif now.re_erased != before.re_erased:
            await _record(Kind.RE_ERASED, now, erasing, made.counts)
        try:
            await erasing.erasures.replace(now, over=stored)
        except WriteConflict:
            standing = await erasing.erasures.read(before.tenant_id, before.id)
            if standing is None:
                return before
            stored = standing
            continue
        measure_erasure(before, now, at=made.ended_at)
        return now
    raise StoreUnavailable


async def _record(kind: Kind, erasure: Erasure, erasing: Erasing, counts: Counts | None = None, **more: Scalar) -> None:
    fields: dict[str, Scalar] = {"erasure": erasure.id, "tenant": erasure.tenant_id, **more}
    await erasing.evidence.append(Chain.ERASURES, kind, {**fields, **(vars(counts) if counts else {})})
