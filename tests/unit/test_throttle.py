"""Who runs now, and who comes back when."""

from typing import Any

import pytest

from shared.domain import throttle
from shared.domain.stamp import StampLimits
from shared.domain.throttle import LATEST, Load, decide, job_seconds, needs_look, retry_after

NOW, FAR = 1000.0, 90_000.0
LINE = NOW + 10.0
"""A line whose last turn is in ten seconds."""


def decided(load: Load, *, has_waited: bool = False, deadline: float = FAR, spread: float = 0.0, **limits: Any) -> float | None:  # noqa: ANN401
    chosen = StampLimits(**({"requests_in_flight": 4, "requests_per_minute": 600, "output_tokens_per_request": 1000} | limits))
    return decide(load, chosen, now=NOW, deadline=deadline, has_waited=has_waited, spread=spread)


@pytest.mark.parametrize(
    ("load", "has_waited"),
    [
        # Below the limit, with nobody in line
        (Load(), False),
        (Load(in_flight=3), False),
        (Load(in_flight=1, in_flight_elsewhere=2), False),
        (Load(started=599), False),
        # The line is over
        (Load(in_flight=3, line_ends_at=NOW), False),
        # From the line, whatever comes after it
        (Load(in_flight=3, line_ends_at=LINE), True),
        # The line is slower than it needs to be: half of the places are free
        (Load(in_flight=1, line_ends_at=LINE), False),
    ],
)
def test_a_job_runs_while_its_tenant_has_room(load: Load, has_waited: bool) -> None:  # noqa: FBT001
    assert decided(load, has_waited=has_waited) is None


@pytest.mark.parametrize(
    ("load", "has_waited"),
    [
        (Load(in_flight=4), False),
        (Load(in_flight=4), True),
        (Load(in_flight=2, in_flight_elsewhere=2), False),
        (Load(in_flight_elsewhere=9), True),
        (Load(started=600), False),
        (Load(started=300, started_elsewhere=300), True),
        # A newcomer joins the line
        (Load(in_flight=2, line_ends_at=LINE), False),
        (Load(started=300, line_ends_at=LINE), False),
    ],
)
def test_a_job_is_put_back_when_its_tenant_has_no_room_or_others_of_it_wait(load: Load, has_waited: bool) -> None:  # noqa: FBT001
    at = decided(load, has_waited=has_waited)
    assert at is not None
    assert at > NOW + throttle.SOONEST


@pytest.mark.parametrize(
    ("load", "limits", "at"),
    [
        # The first turn: a second, and the time after which one of four two-second jobs has ended
        (Load(in_flight=4, job_seconds=2.0), {}, NOW + 1.0 + 0.5),
        # Behind the line
        (Load(in_flight=4, job_seconds=2.0, line_ends_at=LINE), {}, LINE + 0.5),
        # With three places taken elsewhere, this process has one to give
        (Load(in_flight=1, in_flight_elsewhere=3, job_seconds=2.0, line_ends_at=LINE), {}, LINE + 2.0),
        (Load(in_flight_elsewhere=9, job_seconds=2.0, line_ends_at=LINE), {}, LINE + 2.0),
        # Short jobs: the starts per minute are the narrower limit
        (Load(in_flight=4, job_seconds=0.1, line_ends_at=LINE), {}, LINE + 0.1),
        (Load(in_flight=4, job_seconds=0.1, line_ends_at=LINE, started_elsewhere=480), {}, LINE + 0.5),
        # The minute is used up: the first turn is when its first start is a minute old
        (Load(started=60, frees_at=NOW + 30), {"requests_per_minute": 60}, NOW + 30 + 1.0),
        (Load(started=60, frees_at=NOW + 0.5), {"requests_per_minute": 60}, NOW + 1.0 + 1.0),
    ],
)
def test_turns_are_paced_by_the_time_after_which_a_place_is_free(load: Load, limits: dict[str, Any], at: float) -> None:
    assert decided(load, **limits) == pytest.approx(at)


@pytest.mark.parametrize(("spread", "seconds"), [(0.0, LATEST / 2), (0.5, LATEST * 0.75), (0.99, LATEST * 0.995)])
def test_a_line_that_is_too_long_sends_the_rest_back_scattered(spread: float, seconds: float) -> None:
    assert decided(Load(in_flight=4, line_ends_at=NOW + LATEST), spread=spread) == pytest.approx(NOW + seconds)


@pytest.mark.parametrize(("deadline", "at"), [(NOW + 8, NOW + 4), (NOW + 2, NOW + 1), (NOW + 1.5, NOW + 1), (FAR, LINE + 0.25)])
def test_a_job_comes_back_in_time_for_further_chances_before_its_deadline(deadline: float, at: float) -> None:
    assert decided(Load(in_flight=4, line_ends_at=LINE), deadline=deadline) == pytest.approx(at)


def test_a_job_past_its_deadline_is_not_put_back_because_it_ends_without_a_call() -> None:
    assert decided(Load(in_flight=4), deadline=NOW) is None


@pytest.mark.parametrize(
    ("own", "limit", "looks"),
    [
        (0, 1, False),
        (1, 1, False),
        (0, 4, False),
        (1, 4, False),
        (2, 4, True),
        (3, 4, True),
        (4, 4, False),
        (2, 5, False),
        (3, 5, True),
    ],
)
def test_others_are_counted_from_half_of_the_limit_on_and_not_beyond_it(own: int, limit: int, looks: bool) -> None:  # noqa: FBT001
    assert needs_look(own, limit) is looks


@pytest.mark.parametrize(
    ("admitted", "elsewhere", "frees_at", "seconds"),
    [
        (0, 0, 0.0, None),
        (59, 0, NOW + 20, None),
        (60, 0, NOW + 20, 20.0),
        (30, 30, NOW + 20, 20.0),
        (60, 0, NOW + 0.2, 1.0),
        (0, 60, 0.0, 1.0),
    ],
)
def test_a_request_over_http_beyond_the_minute_is_told_when_to_come_again(
    admitted: int, elsewhere: int, frees_at: float, seconds: float | None
) -> None:
    assert retry_after(admitted, elsewhere, 60, frees_at=frees_at, now=NOW) == seconds


def test_the_job_time_follows_the_latest_jobs() -> None:
    assert job_seconds(None, 5.0) == 5.0
    known = 5.0
    for _ in range(20):
        known = job_seconds(known, 1.0)
    assert known == pytest.approx(1.0, abs=0.1)


def test_ten_thousand_jobs_that_are_put_back_at_once_come_back_evenly() -> None:
    line, turns = 0.0, []
    for number in range(10_000):
        at = decided(Load(in_flight=4, job_seconds=1.0, line_ends_at=line), spread=number * 0.618 % 1)
        assert at is not None
        line = max(line, at)
        turns.append(at - NOW)
    per_second = [sum(second <= turn < second + 1 for turn in turns) for second in range(int(LATEST) + 1)]
    assert sum(per_second) == 10_000
    assert set(per_second[2:150]) == {4}
    assert max(per_second) < 2 * 10_000 / (LATEST / 2)
