import inspect
import json
import logging
from collections.abc import Iterator

import pytest

from shared.telemetry import Event, log, quieten_libraries

FIELDS = {
    "job_id": "0" * 40,
    "endpoint_id": "we_" + "0" * 32,
    "status": "completed",
    "code": "rate_limited",
    "target": "generation-requests",
    "attempt": 1,
    "status_code": 200,
    "delay_seconds": 0.5,
    "step": "expired_outputs",
    "checked": 4,
    "found": 3,
    "deleted": 2,
    "overdue": 1,
    "oldest_overdue_seconds": 1.5,
    "complete": False,
}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="lethe"):
        yield caplog


def test_a_line_is_the_event_and_its_fields_as_json(lines: pytest.LogCaptureFixture) -> None:
    log(Event.RETENTION_STEP, **FIELDS)  # type: ignore[arg-type]
    assert json.loads(lines.records[0].getMessage()) == {"event": "retention_step", **FIELDS}


def test_a_field_that_was_not_given_is_left_out_and_zero_is_not(lines: pytest.LogCaptureFixture) -> None:
    log(Event.RETENTION_STEP, deleted=0, complete=False)
    assert json.loads(lines.records[0].getMessage()) == {"event": "retention_step", "deleted": 0, "complete": False}


def test_a_warning_is_logged_as_one(lines: pytest.LogCaptureFixture) -> None:
    log(Event.JOB_ENDED)
    log(Event.INVOCATION_FAILED, warning=True)
    assert [record.levelno for record in lines.records] == [logging.INFO, logging.WARNING]


@pytest.mark.parametrize("name", ["prompt", "message", "custom_id", "error", "extra", "exc_info"])
def test_there_is_no_field_for_anything_else(name: str) -> None:
    with pytest.raises(TypeError):
        log(Event.JOB_ENDED, **{name: "text"})  # type: ignore[arg-type]


def test_the_allowed_fields_are_these() -> None:
    assert {*inspect.signature(log).parameters} == {*FIELDS, "event", "warning"}


def test_libraries_that_log_urls_and_bodies_are_quiet() -> None:
    loggers = [logging.getLogger(name) for name in ("azure", "openai", "httpx2", "aiohttp")]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
        quieten_libraries()
        assert not any(logger.isEnabledFor(logging.INFO) for logger in loggers)
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
