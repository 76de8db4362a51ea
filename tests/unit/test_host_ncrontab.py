from datetime import UTC, datetime, timedelta, timezone

import pytest

from local.host import ncrontab
from local.host.errors import StartError


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("*/5 * * * * *", "2026-11-01 10:00:00", "2026-11-01 10:00:05"),
        ("*/5 * * * * *", "2026-11-01 10:00:04", "2026-11-01 10:00:05"),
        ("*/5 * * * * *", "2026-12-31 23:59:55", "2027-01-01 00:00:00"),
        ("0 */5 * * * *", "2026-11-01 10:00:00", "2026-11-01 10:05:00"),
        ("0 0 * * * *", "2026-11-01 10:59:59", "2026-11-01 11:00:00"),
        ("0 30 9 * * *", "2026-11-01 09:30:00", "2026-11-02 09:30:00"),
        ("0 30 9 * * 1-5", "2026-11-06 10:00:00", "2026-11-09 09:30:00"),  # Friday to Monday
        ("0 30 9 * * Mon-Fri", "2026-11-06 10:00:00", "2026-11-09 09:30:00"),
        ("0 0 0 * * SUNDAY", "2026-11-02 00:00:00", "2026-11-08 00:00:00"),
        ("0 0 0 1 Jan,july *", "2026-02-01 00:00:00", "2026-07-01 00:00:00"),
        ("0 0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00"),
        ("0 0 0 31 * *", "2026-11-01 00:00:00", "2026-12-31 00:00:00"),
        ("0 0 0 13 * 5", "2026-11-01 00:00:00", "2026-11-13 00:00:00"),  # both must match
        ("0 0 0 13 * 5", "2026-11-13 00:00:00", "2027-08-13 00:00:00"),
        ("0,30 * * * * *", "2026-11-01 10:00:01", "2026-11-01 10:00:30"),
        ("10-30/10 * * * * *", "2026-11-01 10:00:20", "2026-11-01 10:00:30"),
        ("10-30/10 * * * * *", "2026-11-01 10:00:30", "2026-11-01 10:01:10"),
        ("50/5 * * * * *", "2026-11-01 10:00:50", "2026-11-01 10:00:55"),  # to the end of the field
        ("0 0 8-10,20 * * *", "2026-11-01 10:00:00", "2026-11-01 20:00:00"),
        ("*/5 * * * *", "2026-11-01 10:00:01", "2026-11-01 10:05:00"),  # five fields: second 0
        ("0 0 0 ? * *", "2026-11-01 10:00:00", "2026-11-02 00:00:00"),
    ],
)
def test_the_next_occurrence_follows_the_expression(expression: str, after: str, expected: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert ncrontab.parse(expression).after(moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_an_occurrence_is_strictly_later_also_within_its_second() -> None:
    due = datetime(2026, 11, 1, 10, 0, 5, tzinfo=UTC)
    schedule = ncrontab.parse("*/5 * * * * *")
    assert schedule.after(due) == due + timedelta(seconds=5)
    assert schedule.after(due + timedelta(milliseconds=1)) == due + timedelta(seconds=5)
    assert schedule.after(due - timedelta(milliseconds=1)) == due


def test_a_moment_in_another_zone_is_read_as_utc() -> None:
    moment = datetime(2026, 11, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert ncrontab.parse("0 0 0 * * *").after(moment) == datetime(2026, 11, 1, tzinfo=UTC)


def test_the_shortest_gap_looks_at_several_occurrences() -> None:
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    assert ncrontab.parse("0,10 0 * * * *").shortest_gap(moment) == timedelta(seconds=10)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "* * 24 * * *",
        "* * * 0 * *",
        "* * * * 13 *",
        "* * * * * 7",
        "* * * * * Foo",
        "*/0 * * * * *",
        "*/x * * * * *",
        "*/ * * * * *",
        "5-1 * * * * *",
        "1,,2 * * * * *",
        "-1 * * * * *",
        "٣ * * * * *",
    ],
)
def test_a_malformed_expression_is_refused(expression: str) -> None:
    with pytest.raises(StartError):
        ncrontab.parse(expression)


def test_an_expression_that_never_occurs_is_refused() -> None:
    with pytest.raises(StartError, match="never occurs"):
        ncrontab.parse("0 0 0 30 2 *").after(datetime(2026, 1, 1, tzinfo=UTC))
