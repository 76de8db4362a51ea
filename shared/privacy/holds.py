"""Placing, renewing and releasing holds, in the name of an operator, and never without evidence.

The order is evidence, hold, marks. A crash in between leaves evidence of a hold that does not stand, or a hold whose marks the
timer makes; it wins from the moment in which it stands, marked or not.
"""

import asyncio
from dataclasses import dataclass, replace

from shared.domain import macs
from shared.domain.evidence import Kind
from shared.domain.hold import HOLD_ID, Held, Hold, Scope, is_possible_end, new_hold_id
from shared.domain.hold_requests import PlaceHold
from shared.domain.macs import Mac, Purpose
from shared.domain.pages import Page, page_of
from shared.domain.policy import is_tenant_id
from shared.domain.principal import Principal
from shared.domain.views import GENERATION, job_id
from shared.errors import Conflict, NotFound, Reason, RequestRefused, ServiceUnavailable
from shared.privacy.hold_marks import apply, count, lift, record
from shared.privacy.holding import Holding

MARKING_SECONDS = 3.0
"""How long a caller waits for marks; the timer makes the rest."""
_MOST_JOBS = 10_000


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A hold, and what it holds; None when that could not be counted in time."""

    hold: Hold
    held: Held | None


async def place(order: PlaceHold, actor: Principal, holding: Holding) -> Shown:
    """Place a hold and mark what exists, as far as time allows.

    Raises `RequestRefused`, `NotFound` for a generation that the tenant has not, and `ServiceUnavailable`, after which the
    hold may stand or not: look before placing another one.
    """
    now = holding.clock()
    if not is_possible_end(order.ends_at, now=now):
        raise RequestRefused(Reason.INVALID_VALUE, "ends_at")
    if order.subject is not None and order.generation is not None:
        raise RequestRefused(Reason.INVALID_VALUE, "generation")
    found = await holding.policies.find(order.tenant) if is_tenant_id(order.tenant) else None
    if found is None or found.offboarded_at is not None:
        raise RequestRefused(Reason.UNKNOWN_TENANT, "tenant")
    hold = Hold(
        id=new_hold_id(),
        tenant_id=order.tenant,
        scope=Scope.SUBJECT if order.subject else Scope.JOB if order.generation else Scope.TENANT,
        case_reference=order.case_reference,
        placed_at=now,
        placed_by=actor.name,
        ends_at=order.ends_at,
        job_id=await _job(order, holding),
        subjects=await _subjects(order, holding),
    )
    await record(Kind.HOLD_PLACED, hold, holding, {"actor": actor.name, "ends_at": hold.ends_at})
    await holding.holds.create(hold)
    return await _marked(hold, holding)


async def renew(hold_id: str, ends_at: int, actor: Principal, holding: Holding) -> Shown:
    """Let an active hold end later; raises `NotFound`, `Conflict` for one that is over, and `RequestRefused`."""
    hold, now = await _find(hold_id, holding), holding.clock()

    def renewed(current: Hold) -> Hold:
        if not current.is_active(now):
            raise Conflict
        if current.ends_at != ends_at and not is_possible_end(ends_at, now=now, after=current.ends_at):
            raise RequestRefused(Reason.INVALID_VALUE, "ends_at")
        return replace(current, ends_at=ends_at)

    if renewed(hold) != hold:
        await record(Kind.HOLD_RENEWED, hold, holding, {"actor": actor.name, "ends_at": ends_at})
    return await _marked(await holding.holds.change(hold_id, renewed), holding)


async def release(hold_id: str, actor: Principal, holding: Holding) -> None:
    """End a hold now; one that is over stays as it is. What is overdue, the timer deletes in its next run."""
    hold, now = await _find(hold_id, holding), holding.clock()
    if not hold.is_active(now):
        return
    await record(Kind.HOLD_RELEASED, hold, holding, {"actor": actor.name, "ends_at": hold.ends_at})
    released = await holding.holds.change(
        hold_id, lambda current: replace(current, released_at=now) if current.released_at is None else current
    )
    try:
        async with asyncio.timeout(MARKING_SECONDS):
            await lift(released, holding, limit=_MOST_JOBS)
    except (TimeoutError, ServiceUnavailable):
        return


async def show(hold_id: str, holding: Holding) -> Shown:
    """Return a hold with what it holds; raises `NotFound`."""
    return await _counted(await _find(hold_id, holding), holding)


async def page(tenant: str | None, *, after: str | None, limit: int, holding: Holding) -> Page[Hold]:
    """List holds, of one tenant or of all, the newest first, from behind one; raises `NotFound` when that is none of these."""
    return page_of(await holding.holds.all(tenant), id_of=lambda hold: hold.id, after=after, limit=limit)


async def _marked(hold: Hold, holding: Holding) -> Shown:
    """Mark what is in scope while the caller waits; whatever goes wrong now, the hold stands."""
    try:
        async with asyncio.timeout(MARKING_SECONDS):
            await apply(hold, holding, limit=_MOST_JOBS)
            hold = await holding.holds.find(hold.id)
    except (TimeoutError, ServiceUnavailable):
        pass
    return await _counted(hold, holding)


async def _counted(hold: Hold, holding: Holding) -> Shown:
    try:
        async with asyncio.timeout(MARKING_SECONDS / 2):
            held = await count(hold, holding) if hold.is_active(holding.clock()) else Held()
    except (TimeoutError, ServiceUnavailable):
        held = None
    return Shown(hold=hold, held=held)


async def _find(hold_id: str, holding: Holding) -> Hold:
    if not HOLD_ID.fullmatch(hold_id):
        raise NotFound
    return await holding.holds.find(hold_id)


async def _job(order: PlaceHold, holding: Holding) -> str | None:
    if order.generation is None:
        return None
    found = job_id(order.generation, GENERATION)
    if found is None or not await _exists(order.tenant, found, holding):
        raise NotFound
    return found


async def _exists(tenant: str, job_id: str, holding: Holding) -> bool:
    """Whether anything of a job is left: a record for abuse review may outlive its receipt, and its tenant's deletion."""
    for jobs in holding.everything:
        if await jobs.exists(tenant, job_id):
            return True
    return False


async def _subjects(order: PlaceHold, holding: Holding) -> tuple[Mac, ...]:
    """The subject's MACs under every version of the key: what was stored before a rotation is held too."""
    if order.subject is None:
        return ()
    keys = await holding.keys.all(order.tenant, Purpose.SUBJECT)
    return tuple(macs.mac(key, order.subject.safety_identifier) for key in keys)
