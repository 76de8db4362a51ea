import pytest

from shared.domain.walk import DAY, ROUND_SECONDS, Walk

BEGAN = 1000.0
HALF = ROUND_SECONDS / 2


@pytest.mark.parametrize(
    ("position", "after", "behind"),
    [
        ("", 0, False),
        ("", 1, True),
        ("7fffffff" + "0" * 32, HALF + 1, True),
        ("80000000" + "0" * 32, HALF - 1, False),
        ("8", HALF + 1, True),
        ("f" * 40, ROUND_SECONDS - 1, False),
        ("f" * 40, 2 * ROUND_SECONDS, True),
        ("we_0123.17", ROUND_SECONDS - 1, False),  # what is no job's stands behind the jobs
    ],
)
def test_a_walk_is_behind_when_less_of_the_way_than_of_the_time_is_over(position: str, after: float, *, behind: bool) -> None:
    assert Walk.starting(BEGAN).at(position).is_behind(BEGAN + after) is behind


def test_a_walk_is_complete_while_all_jobs_were_looked_at_within_a_day() -> None:
    first = Walk.starting(BEGAN)
    assert not first.is_complete(BEGAN)
    second = first.at("ab").round(BEGAN + 100)
    assert (second.position, second.began_at, second.whole_since) == ("", BEGAN + 100, BEGAN)
    assert second.at("cd").is_complete(BEGAN + DAY)
    assert not second.at("cd").is_complete(BEGAN + DAY + 1)
