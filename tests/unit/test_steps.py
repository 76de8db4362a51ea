import asyncio
import json
import logging
import time
from typing import Any

import pytest

from shared.domain.step_report import StepReport, Tally
from shared.errors import QueueUnavailable, StoreUnavailable
from shared.patience import patient
from shared.privacy.steps import attempt, reported, run_all


async def counts(tally: Tally) -> None:
    tally.checked, tally.found, tally.deleted = 3, 2, 2


async def loses_the_store(tally: Tally) -> None:
    tally.checked = 5
    raise StoreUnavailable


async def meets_a_strange_document(tally: Tally) -> None:
    tally.checked = 1
    raise KeyError("canary")


async def never_ends(tally: Tally) -> None:
    tally.found = tally.deleted = 4
    await asyncio.Event().wait()


async def test_a_step_that_fails_reports_what_it_had_counted_and_stops_no_other() -> None:
    steps = {"one": loses_the_store, "two": meets_a_strange_document, "three": counts}
    assert await run_all(steps, seconds=10) == [
        StepReport(step="one", checked=5, complete=False),
        StepReport(step="two", checked=1, complete=False),
        StepReport(step="three", checked=3, found=2, deleted=2),
    ]


async def test_a_step_that_takes_too_long_is_cut_off_with_what_it_had_counted_and_leaves_time_to_the_others() -> None:
    began = time.monotonic()
    reports = await run_all({"slow": never_ends, "slow too": never_ends, "quick": counts}, seconds=0.6)
    assert [(report.deleted, report.complete) for report in reports] == [(4, False), (4, False), (2, True)]
    assert time.monotonic() - began < 5


async def test_a_step_has_little_patience_with_a_service_that_is_away() -> None:
    attempts = []

    @patient
    async def asks() -> None:
        attempts.append(time.monotonic())
        raise QueueUnavailable

    async def step(_: Tally) -> None:
        await asks()

    assert not (await attempt("asks", step)).complete
    assert attempts[-1] - attempts[0] < 4


async def test_a_function_that_counts_by_itself_is_a_step() -> None:
    async def counted(step: str) -> StepReport:
        return StepReport(step=step, found=7, overdue=1, complete=False)

    assert await attempt("own", reported(counted)) == StepReport(step="own", found=7, overdue=1, complete=False)


async def test_what_found_something_or_was_incomplete_is_logged_without_what_it_met(caplog: pytest.LogCaptureFixture) -> None:
    async def idle(tally: Tally) -> None:
        tally.checked = 9

    with caplog.at_level(logging.INFO, logger="lethe"):
        await run_all(
            {"strange": meets_a_strange_document, "idle": idle, "quiet": counts}, seconds=5, quiet=frozenset({"quiet"})
        )
    lines: list[dict[str, Any]] = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(line["event"], line["step"], line.get("code")) for line in lines] == [
        ("retention_step_failed", "strange", "error"),
        ("retention_step", "strange", None),
    ]
    assert "canary" not in caplog.text
