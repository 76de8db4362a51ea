import pytest

from shared.domain.window import SECONDS, Window

NOW = 1000.0


@pytest.fixture
def window() -> Window:
    return Window()


def test_what_happened_in_the_last_minute_counts(window: Window) -> None:
    for at in (NOW, NOW + 0.5, NOW + 1, NOW + 30):
        window.add(at)
    assert window.count(NOW + 30) == 4
    assert window.count(NOW + SECONDS) == 4
    assert window.count(NOW + SECONDS + 1) == 2
    assert window.count(NOW + SECONDS + 30) == 1
    assert window.count(NOW + SECONDS + 31) == 0


def test_it_says_when_the_first_one_leaves(window: Window) -> None:
    assert window.frees_at() == 0.0
    window.add(NOW + 0.7)
    window.add(NOW + 20)
    leaves = window.frees_at()
    assert window.count(leaves - 0.01) == 2
    assert window.count(leaves) == 1


def test_what_is_taken_back_does_not_count(window: Window) -> None:
    window.add(NOW)
    window.add(NOW)
    window.add(NOW + 5)
    window.take_back(NOW)
    assert window.count(NOW + 5) == 2
    window.take_back(NOW + 5)
    window.take_back(NOW + 5)
    window.take_back(NOW - 500)
    assert window.count(NOW + 5) == 1


def test_a_clock_that_goes_back_a_little_loses_nothing(window: Window) -> None:
    window.add(NOW + 1)
    window.add(NOW + 0.9)
    assert window.count(NOW + 1) == 2


def test_a_million_in_a_minute_take_a_number_for_each_second(window: Window) -> None:
    for number in range(6000):
        window.add(NOW + number / 100)
    assert window.count(NOW + 59) == 6000
    assert len(window._counts) <= SECONDS + 1  # noqa: SLF001 - what is held is the point
