"""Runs the steps of the timer: each by itself, within its share of the time, and reported whatever happens to it.

A step that fails, or is cut off, does not stop the others, and is reported as incomplete with what it had counted so far: a
zero always means "looked, and found nothing". The next run goes on where it ended, because each step asks anew what is due.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from shared.domain.step_report import StepReport, Tally
from shared.domain.time_budget import TimeBudget
from shared.errors import LetheError
from shared.patience import patience
from shared.telemetry import Event, log

type Step = Callable[[Tally], Awaitable[None]]
"""Counts what it does as it does it; raises what it likes."""

PATIENCE = 2.0
"""Seconds for a service that is away: the others are to have their time, and the next run comes soon."""


async def run_all(steps: Mapping[str, Step], *, seconds: float, quiet: frozenset[str] = frozenset()) -> list[StepReport]:
    """Run each step once, in their order, within ``seconds`` altogether; ``quiet`` ones are not logged here."""
    budget = TimeBudget(seconds=seconds, steps=len(steps))
    began = time.monotonic()
    reports = []
    for done, (name, step) in enumerate(steps.items()):
        report = await attempt(name, step, seconds=budget.allowance(spent=time.monotonic() - began, done=done))
        if name not in quiet:
            _log(report)
        reports.append(report)
    return reports


async def attempt(name: str, step: Step, *, seconds: float | None = None) -> StepReport:
    """Run one step and report it."""
    tally = Tally(step=name)
    try:
        with patience(PATIENCE):
            async with asyncio.timeout(seconds):
                await step(tally)
    except TimeoutError:
        _failed(tally, "cut_off")
    except LetheError:
        _failed(tally, "unavailable")
    except Exception:  # noqa: BLE001 - one document of an unknown shape must not keep everything else from being deleted
        _failed(tally, "error")
    return tally.report()


def reported(run: Callable[[str], Awaitable[StepReport]]) -> Step:
    """Make a step of a function that counts by itself; cut off, it has counted nothing."""

    async def step(tally: Tally) -> None:
        tally.take(await run(tally.step))

    return step


def _failed(tally: Tally, code: str) -> None:
    tally.complete = False
    log(Event.RETENTION_STEP_FAILED, step=tally.step, code=code, warning=True)


def _log(report: StepReport) -> None:
    if report.found or not report.complete:
        log(
            Event.RETENTION_STEP,
            step=report.step,
            checked=report.checked,
            found=report.found,
            deleted=report.deleted,
            overdue=report.overdue,
            oldest_overdue_seconds=round(report.oldest_overdue_seconds, 3),
            complete=report.complete,
        )
