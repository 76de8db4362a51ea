"""What the page shows besides the promises: where content lies, when it will be forgotten, and what the last runs did.

Everything is read from the evidence, but for the deadlines ahead, which are counted. No tenant is named anywhere.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.azure.counts import Counts
from shared.domain.evidence import Chain
from shared.domain.evidence_head import Purpose
from shared.domain.inventory import Inventory
from shared.domain.json_document import Json
from shared.domain.residue import PLACES
from shared.domain.run_record import Run
from shared.privacy.statement import Statements, runs

HOUR = 3600
_SHOWN = (("1 h", HOUR), ("6 h", 6 * HOUR), ("24 h", 24 * HOUR), ("3 d", 72 * HOUR), ("7 d", 168 * HOUR), ("30 d", 720 * HOUR))
"""Borders of the histogram of deadlines: label, and seconds from now; nothing that is kept has a later one."""
_RUNS = 288
_NOT_LATE = frozenset({"undelivered_events", "configuration", "abandoned_claims", "inventory", "evidence"})
"""Steps whose age is not one of content past its deadline."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What the page's figures are made from."""

    statements: Statements
    counts: Counts


async def overview(made_from: Overview) -> Json:
    """Return the figures of the page; raises `StoreUnavailable`."""
    statements, counts = made_from.statements, made_from.counts
    shown = await runs(statements, _RUNS)
    last = shown[0] if shown else None
    return {
        "object": "privacy.overview",
        "generated_at": int(statements.clock()),
        "places": _places(last.inventory if last else Inventory(complete=False)),
        "deadlines": await _deadlines(counts, now=statements.clock()),
        "runs": [_run(run) for run in reversed(shown)],
        "days": _days(shown),
        "figures": await _figures(statements, last),
    }


def _places(inventory: Inventory) -> list[Json]:
    return [
        {
            "place": place.name,
            "holds": place.holds,
            "count": place.count(inventory),
            "oldest_seconds": place.oldest(inventory),
        }
        for place in PLACES
        if place.is_drawn
    ]


async def _deadlines(counts: Counts, *, now: float) -> list[Json]:
    found, after = [], now
    for label, seconds in _SHOWN:
        found.append({"label": label, "count": await counts.deadlines_between(after, now + seconds)})
        after = now + seconds
    return found


def _run(run: Run) -> Json:
    late = [report for step, report in run.steps.items() if step not in _NOT_LATE]
    return {
        "at": int(run.at),
        "seconds_past_deadline": max((report.oldest_overdue_seconds for report in late), default=0.0),
        "deleted": sum(report.deleted for report in run.steps.values()),
        "complete": all(report.complete for report in late),
    }


def _days(shown: Iterable[Run]) -> list[Json]:
    """Deletions by day (UTC), the earliest first, of the runs that are shown."""
    deleted: Counter[str] = Counter()
    for run in shown:
        day = datetime.fromtimestamp(run.at, UTC).strftime("%m-%d")
        deleted[day] += sum(report.deleted for report in run.steps.values())
    return [{"day": day, "deleted": deleted[day]} for day in sorted(deleted)]


async def _figures(statements: Statements, last: Run | None) -> Json:
    """Single figures under the names that people read; None is what is not known."""
    head = await statements.evidence.signed(Chain.RETENTION, Purpose.HEAD)
    steps = last.steps if last else {}
    holds, erasures = steps.get("holds"), steps.get("erasures")
    depths = last.inventory.queues.values() if last else ()
    known = bool(last and last.inventory.complete)
    return {
        "Dead letters": sum(depth.dead_lettered for depth in depths) if known else None,
        "Items under a hold": holds.checked if holds and holds.complete else None,
        "Erasures under way": erasures.found if erasures and erasures.complete else None,
        "Runs on record": head.head.sequence if head and head.head else None,
        "Last run took (s)": last.seconds if last else None,
    }
