import pytest

from shared.domain.time_budget import TimeBudget

BUDGET = TimeBudget(seconds=240.0, steps=12)


@pytest.mark.parametrize(
    ("spent", "done", "allowed"),
    [
        (0, 0, 10 + 60),  # what is reserved for itself, and half of what is reserved for nobody
        (70, 1, 10 + 30),  # the step before took all that it might
        (1, 1, 10 + 64.5),  # it took a second, and left the rest
        (110, 2, 10 + 15),
        (230, 11, 10),  # all others took what they might: the last one has its own part
        (12, 11, 228),  # and all that is left, when nobody wanted it
        (300, 6, 10),  # somebody could not be stopped in time
    ],
)
def test_a_step_may_take_its_part_and_half_of_what_is_free(spent: float, done: int, allowed: float) -> None:
    assert BUDGET.allowance(spent=spent, done=done) == pytest.approx(allowed)


def test_steps_that_take_all_they_may_end_within_the_budget() -> None:
    spent = 0.0
    for done in range(BUDGET.steps):
        spent += BUDGET.allowance(spent=spent, done=done)
    assert spent == pytest.approx(BUDGET.seconds)


def test_a_single_step_has_the_whole_budget() -> None:
    assert TimeBudget(seconds=5.0, steps=1).allowance(spent=0.0, done=0) == 5.0
