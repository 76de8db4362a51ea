"""The timer's step about the keys of abuse review: a day that is over ends its key, and then the key's recovery.

A key is *deleted* when everything that it opens is gone, and *destroyed* when the vault has it no more: only then can nobody
read what a backup may still hold. Evidence says when each of them was. It comes before a deletion, so that it may be there
twice and is never missing.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from shared.abuse.services import AbuseMonitor
from shared.azure.cosmos import Document
from shared.domain.abuse_record import day_of, ends_at, is_over
from shared.domain.evidence import Chain, Kind
from shared.domain.policy import DAY
from shared.domain.step_report import Tally

if TYPE_CHECKING:
    from shared.domain.evidence_fields import Fields

PLACE: Final = "abuse_keys"
"""Where the timer remembers which keys are deleted and not yet destroyed."""


async def settle_keys(monitor: AbuseMonitor, tally: Tally) -> None:
    """Delete keys of days that are over, and note those that are beyond recovery.

    ``found`` counts keys whose day is over, ``deleted`` those that are out of use now; ``overdue`` those that a record keeps
    which should be gone. One that a held record needs is kept on purpose. Raises `ServiceUnavailable`.
    """
    known = await monitor.state.read(PLACE)
    for name in sorted(await monitor.keys.names()):
        tally.checked += 1
        await _end(name, monitor, tally)
    recoverable = await monitor.keys.recoverable()
    before: Mapping[str, float] = known["recoverable"] if known else {}
    tally.checked += len({*before, *recoverable})
    gone = [name for name in before if name not in recoverable and await monitor.keys.is_gone(name)]
    for name in gone:
        await monitor.evidence.append(Chain.ABUSE, Kind.ABUSE_KEY_DESTROYED, {"key": name})
    await _remember({name: until for name, until in {**before, **recoverable}.items() if name not in gone}, known, monitor)


async def _end(name: str, monitor: AbuseMonitor, tally: Tally) -> None:
    day, now = day_of(name), monitor.clock()
    if day is None or not is_over(day, now):
        return
    tally.found += 1
    records, not_held = await monitor.records.sealed_with(name)
    if not_held:
        tally.overdue += 1
        tally.late(now - ends_at(day))
    elif not records:
        recoverable_until = now + monitor.recovery_days * DAY
        fields: Fields = {"key": name, "recoverable_until": int(recoverable_until)}
        await monitor.evidence.append(Chain.ABUSE, Kind.ABUSE_KEY_DELETED, fields)
        await monitor.keys.delete(name)
        tally.deleted += 1


async def _remember(recoverable: Mapping[str, float], known: Document | None, monitor: AbuseMonitor) -> None:
    """Keep the names for the next run; when another run wrote at the same moment, its list is as good."""
    if recoverable != (known["recoverable"] if known else {}):
        await monitor.state.replace(PLACE, over=known, recoverable=dict(recoverable))
