"""Telling those who run the service that a promise is violated, after each run of the timer.

What was told is a document of the timer, written under its etag before anything is announced: of two runs at once one decides.
The names of the events are in that document until the events are stored, so that a crash in between delays an event, and
repeating it makes no second one.
"""

import asyncio
from dataclasses import asdict, dataclass, replace
from secrets import token_hex
from typing import Final

from shared.azure.cosmos import Document
from shared.azure.stamp_state import StampState
from shared.delivery.announce import announce
from shared.delivery.health import EVENT_LIVES
from shared.delivery.services import Webhooks
from shared.domain.policy import STAMP
from shared.domain.run_record import Run
from shared.domain.violation import Known, Told, has_news, looked
from shared.domain.webhook import PROMISE_VIOLATED
from shared.errors import LetheError
from shared.patience import patience
from shared.privacy.statement import Statements, of_run
from shared.privacy.steps import PATIENCE
from shared.telemetry import Event, log

PLACE: Final = "violations"
"""Where the timer remembers what was told."""
SECONDS: Final = 20.0
"""For one look, besides the budget of the run's steps and of its record."""


@dataclass(frozen=True, kw_only=True)
class Violations:
    """What a look works with."""

    statements: Statements
    state: StampState
    webhooks: Webhooks


async def watch(run: Run, violations: Violations) -> None:
    """Look once, and be silent about services that are away: the next run looks again, and loses nothing by it."""
    try:
        with patience(PATIENCE):
            async with asyncio.timeout(SECONDS):
                await tell(run, violations)
    except (LetheError, TimeoutError):
        log(Event.VIOLATIONS_UNTOLD, warning=True)


async def tell(run: Run, violations: Violations) -> None:
    """Announce each promise that a run found violated, once until it holds again; raises `ServiceUnavailable`."""
    found = await violations.state.read(PLACE)
    known, stated = _known(found), await of_run(violations.statements, run)
    heard = has_news(known, stated) and await _is_heard(violations.webhooks)
    now_known = looked(known, stated, heard=heard, new_name=lambda: token_hex(16))
    if now_known != known:
        found = await violations.state.replace(PLACE, over=found, **_document(now_known))
        if found is None:
            return  # another run decided at the same moment, and tells
    pending = [(promise, name) for promise, told in now_known.items() for name in told.pending]
    for promise, name in pending:
        await _announce(promise, name, violations.webhooks)
    if pending:
        done = {promise: replace(told, pending=()) for promise, told in now_known.items()}
        await violations.state.replace(PLACE, over=found, **_document(done))


async def _is_heard(webhooks: Webhooks) -> bool:
    return any(PROMISE_VIOLATED in endpoint.event_types for endpoint in await webhooks.endpoints.active(STAMP))


async def _announce(promise: str, name: str, webhooks: Webhooks) -> None:
    """Store an event and announce it; the same name again is the same event."""
    source_id = f"{promise}.{name}"
    await webhooks.events.create(
        tenant_id=STAMP, source_id=source_id, event_id=f"evt_{name}", event_type=PROMISE_VIOLATED, lives=EVENT_LIVES
    )
    log(Event.PROMISE_VIOLATED, code=promise, warning=True)
    await announce(STAMP, source_id, webhooks)


def _known(found: Document | None) -> Known:
    promises = found["promises"] if found else {}
    return {promise: Told(told=each["told"], pending=tuple(each["pending"])) for promise, each in promises.items()}


def _document(known: Known) -> Document:
    return {"promises": {promise: asdict(told) for promise, told in known.items()}}
