"""The statement and the report: what the last runs of the timer recorded, read from the evidence."""

from dataclasses import dataclass
from typing import Final

from shared.azure.evidence import Evidence
from shared.clock import Clock
from shared.domain import statement
from shared.domain.evidence import Chain, Kind, Record
from shared.domain.json_document import Json
from shared.domain.residency import Geography
from shared.domain.run_record import Run, run_of
from shared.domain.statement import Seen, Stated
from shared.privacy import safeguards
from shared.privacy.safeguards import Safeguards

SHOWN_RUNS: Final = 288
"""Runs that the report tells of: a day of a timer that runs every five minutes."""


@dataclass(frozen=True, kw_only=True)
class Statements:
    """What the statement is made from; ``interval`` of the timer and ``grace`` of deletions in seconds."""

    evidence: Evidence
    geography: Geography
    interval: int
    grace: int
    clock: Clock


async def current(statements: Statements) -> tuple[Stated, ...]:
    """State every promise as of now; raises `StoreUnavailable`, and then nothing is known."""
    run = next(iter(await runs(statements, 1)), None)
    return await of_run(statements, run)


async def of_run(statements: Statements, run: Run | None) -> tuple[Stated, ...]:
    """State every promise from a run, None being none, and the last check of the configuration; raises `StoreUnavailable`."""
    return statement.statement(await _seen(statements, run))


async def public(statements: Statements, guards: Safeguards) -> Json:
    """Return the statement that anybody may see: states and settings, without tenants. Raises `StoreUnavailable`."""
    stated = await current(statements)
    return {
        "object": "privacy.statement",
        "generated_at": int(statements.clock()),
        "geography": statements.geography,
        "promises": [statement.as_json(one) for one in stated],
        **await safeguards.public(guards),
    }


async def report(statements: Statements, guards: Safeguards) -> Json:
    """Return what those who run the service see: the statement, settings by tenant, the last runs, and what differs where."""
    shown = await runs(statements, SHOWN_RUNS)
    stated = await of_run(statements, shown[0] if shown else None)
    checked = await _configuration(statements)
    return {
        "object": "privacy.report",
        "generated_at": int(statements.clock()),
        "geography": statements.geography,
        "promises": [statement.as_json(one) for one in stated],
        **await safeguards.report(guards),
        "configuration": None if checked is None else {"checked_at": int(checked.at), **checked.fields},
        "runs": [_run(run) for run in shown],
    }


async def _seen(statements: Statements, run: Run | None) -> Seen:
    checked = await _configuration(statements)
    return Seen(
        now=statements.clock(),
        interval=statements.interval,
        grace=statements.grace,
        run=run,
        findings=None if checked is None else frozenset(_kinds(checked)),
    )


async def runs(statements: Statements, count: int) -> list[Run]:
    """Return the last runs, the latest first; a record that is no run of this version of the app ends the list."""
    found = []
    for record in reversed(await statements.evidence.last(Chain.RETENTION, count)):
        if not isinstance(record, Record) or record.kind is not Kind.RETENTION_RUN:
            break
        try:
            found.append(run_of(record.fields, at=record.at))
        except ValueError:
            break
    return found


async def _configuration(statements: Statements) -> Record | None:
    """Return the last record of the configuration check, which is written when something changes."""
    last = await statements.evidence.last(Chain.CONFIGURATION, 1)
    return last[0] if last and isinstance(last[0], Record) else None


def _kinds(checked: Record) -> list[str]:
    """Kinds of findings, from their counts, which are those of the whole also where the list of findings was cut."""
    counts = checked.fields.get("counts", ())
    return [str(count).partition(":")[0] for count in counts] if isinstance(counts, tuple) else []


def _run(run: Run) -> Json:
    steps = {
        name: {
            "checked": report.checked,
            "found": report.found,
            "deleted": report.deleted,
            "overdue": report.overdue,
            "oldest_overdue_seconds": report.oldest_overdue_seconds,
            "complete": report.complete,
        }
        for name, report in run.steps.items()
    }
    return {"at": int(run.at), "seconds": run.seconds, "steps": steps}
