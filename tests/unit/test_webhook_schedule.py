from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from shared.domain.webhook_schedule import (
    LONGEST_PAUSE,
    PAUSES,
    Again,
    Delivered,
    Disable,
    Failing,
    GiveUp,
    failed_again,
    next_delivery,
    seconds_asked_for,
)

NOW = 1_700_000_000.0
HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("attempt", "pause"),
    [(1, 5), (2, 300), (3, 1800), (4, 7200), (5, 18_000), (6, 36_000), (7, 50_400), (8, 72_000), (9, 86_400)],
)
def test_a_failed_attempt_is_followed_by_the_pause_of_the_schedule(attempt: int, pause: float) -> None:
    assert next_delivery(attempt=attempt, status=500, retry_after=None, now=NOW) == Again(at=NOW + pause)


def test_the_first_attempt_is_at_once_and_all_ten_span_three_days() -> None:
    assert PAUSES[0] == 0
    assert len(PAUSES) == 10
    assert sum(PAUSES) == pytest.approx(75.6 * HOUR, rel=0.001)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_success(status: int) -> None:
    assert isinstance(next_delivery(attempt=10, status=status, retry_after="60", now=NOW), Delivered)


@pytest.mark.parametrize("status", [None, 101, 301, 302, 307, 308, 400, 401, 404, 409, 429, 500, 503, 599])
def test_everything_else_is_a_failure_redirects_too(status: int | None) -> None:
    assert isinstance(next_delivery(attempt=1, status=status, retry_after=None, now=NOW), Again)


def test_410_disables_on_any_attempt() -> None:
    assert isinstance(next_delivery(attempt=1, status=410, retry_after=None, now=NOW), Disable)


def test_the_tenth_failure_is_the_last() -> None:
    assert isinstance(next_delivery(attempt=10, status=503, retry_after="5", now=NOW), GiveUp)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("-5", 0.0),
        ("1e9", 0.0),
        ("soon", 0.0),
        ("²", 0.0),
        ("9" * 100, LONGEST_PAUSE),  # nobody parks an event for ever
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE),
        ("Fri, 31 Dec 9999 23:59:59 -9900", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float) -> None:
    assert seconds_asked_for(value, now=NOW) == seconds


def test_retry_after_lengthens_a_pause_and_never_shortens_one() -> None:
    assert next_delivery(attempt=1, status=429, retry_after="60", now=NOW) == Again(at=NOW + 60)
    assert next_delivery(attempt=2, status=503, retry_after="1", now=NOW) == Again(at=NOW + 300)


def test_failures_of_three_days_without_a_success_are_too_long() -> None:
    failing = failed_again(None, now=NOW)
    for hours in (24, 48):
        failing = failed_again(failing, now=NOW + hours * HOUR)
        assert not failing.lasts_too_long()
    assert failed_again(failing, now=NOW + 3 * DAY).lasts_too_long()


def test_two_failures_a_month_apart_are_not_one_continuous_failure() -> None:
    assert failed_again(Failing(since=NOW, last_at=NOW), now=NOW + 30 * DAY) == Failing(
        since=NOW + 30 * DAY, last_at=NOW + 30 * DAY
    )
