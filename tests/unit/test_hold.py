from dataclasses import replace

import pytest

from shared.domain import views
from shared.domain.hold import DAY, HOLD_ID, Held, Hold, Mark, Scope, Standing, decisive, is_possible_end, new_hold_id
from shared.domain.macs import Mac

NOW = 1_000_000.0
JOB, OTHER_JOB = "a" * 40, "b" * 40
OLD, NEW, ANOTHERS = Mac(kid="1", mac="1" * 64), Mac(kid="2", mac="2" * 64), Mac(kid="2", mac="3" * 64)

TENANT = Hold(
    id=f"hold_{1:032x}",
    tenant_id="contoso",
    scope=Scope.TENANT,
    case_reference="case-1",
    placed_at=NOW - 10,
    placed_by="directory/client",
    ends_at=int(NOW) + DAY,
)
SUBJECT = replace(TENANT, id=f"hold_{2:032x}", scope=Scope.SUBJECT, subjects=(NEW, OLD))
ONE_JOB = replace(TENANT, id=f"hold_{3:032x}", scope=Scope.JOB, job_id=JOB)


@pytest.mark.parametrize(
    ("hold", "job_id", "subject", "covered"),
    [
        (TENANT, JOB, None, True),
        (TENANT, OTHER_JOB, ANOTHERS, True),
        (SUBJECT, JOB, NEW, True),
        (SUBJECT, JOB, OLD, True),  # stored before the key was rotated
        (SUBJECT, JOB, ANOTHERS, False),
        (SUBJECT, JOB, Mac(kid="1", mac=NEW.mac), False),  # another key's
        (SUBJECT, JOB, None, False),  # of nobody
        (ONE_JOB, JOB, None, True),
        (ONE_JOB, OTHER_JOB, NEW, False),
    ],
)
def test_a_hold_covers_its_tenant_its_subject_or_its_job(
    hold: Hold, job_id: str, subject: Mac | None, *, covered: bool
) -> None:
    assert hold.covers(job_id=job_id, subject=subject) is covered


@pytest.mark.parametrize(
    ("changes", "now", "standing", "over_at"),
    [
        ({}, NOW, Standing.ACTIVE, NOW + DAY),
        ({}, NOW + DAY - 1, Standing.ACTIVE, NOW + DAY),
        ({}, NOW + DAY, Standing.ENDED, NOW + DAY),
        ({"released_at": NOW + 5}, NOW + 5, Standing.RELEASED, NOW + 5),
        ({"released_at": NOW + 5}, NOW + 2 * DAY, Standing.RELEASED, NOW + 5),
    ],
)
def test_a_hold_is_active_until_it_is_released_or_ends(
    changes: dict[str, float], now: float, standing: Standing, over_at: float
) -> None:
    hold = replace(TENANT, **changes)  # type: ignore[arg-type]
    assert (hold.standing(now), hold.is_active(now), hold.over_at) == (standing, standing is Standing.ACTIVE, over_at)


@pytest.mark.parametrize(
    ("changes", "now", "complete"),
    [
        ({}, NOW, False),
        ({"applied_until": TENANT.ends_at}, NOW, True),
        ({"applied_until": TENANT.ends_at - DAY}, NOW, False),  # renewed since
        ({"applied_until": TENANT.ends_at}, NOW + DAY, False),  # over, and not lifted
        ({"lifted_at": NOW + DAY}, NOW + DAY, True),
    ],
)
def test_a_hold_is_complete_when_all_is_marked_or_nothing_any_more(
    changes: dict[str, float], now: float, *, complete: bool
) -> None:
    assert replace(TENANT, **changes).is_complete(now) is complete  # type: ignore[arg-type]


LATER = replace(ONE_JOB, id=f"hold_{4:032x}", ends_at=TENANT.ends_at + 1)
RELEASED = replace(TENANT, id=f"hold_{5:032x}", ends_at=TENANT.ends_at + 9, released_at=NOW - 1)


@pytest.mark.parametrize(
    ("holds", "job_id", "decides"),
    [
        ([], JOB, None),
        ([TENANT], JOB, TENANT),
        ([LATER, TENANT], JOB, LATER),
        ([TENANT, LATER], JOB, LATER),
        ([TENANT, LATER], OTHER_JOB, TENANT),
        ([TENANT, ONE_JOB], JOB, ONE_JOB),  # the same end: always the same one of them
        ([ONE_JOB, TENANT], JOB, ONE_JOB),
        ([RELEASED], JOB, None),
        ([RELEASED, TENANT], JOB, TENANT),
        ([replace(TENANT, ends_at=int(NOW))], JOB, None),
    ],
)
def test_of_the_holds_that_cover_a_job_the_one_that_ends_last_decides(
    holds: list[Hold], job_id: str, decides: Hold | None
) -> None:
    assert decisive(holds, job_id=job_id, subject=None, now=NOW) == decides


@pytest.mark.parametrize(
    ("ends_at", "after", "possible"),
    [
        (NOW, 0, False),
        (NOW + 1, 0, True),
        (NOW + 90 * DAY, 0, True),
        (NOW + 90 * DAY + 1, 0, False),
        (NOW + DAY, NOW + DAY, False),  # renewed for nothing
        (NOW + DAY, NOW + DAY - 1, True),
        (NOW + 90 * DAY, NOW + 89 * DAY, True),  # ninety days from now, whatever it lasted before
    ],
)
def test_a_hold_ends_within_ninety_days_from_now(ends_at: float, after: float, *, possible: bool) -> None:
    assert is_possible_end(int(ends_at), now=NOW, after=int(after)) is possible


def test_a_mark_holds_until_its_end() -> None:
    mark = TENANT.mark
    assert mark == Mark(until=TENANT.ends_at, by=TENANT.id)
    assert (mark.stands(mark.until - 0.5), mark.stands(mark.until)) == (True, False)


def test_an_id_says_nothing_and_is_recognised() -> None:
    made = {new_hold_id() for _ in range(10)}
    assert len(made) == 10
    assert all(HOLD_ID.fullmatch(one) for one in made)


def test_operators_are_shown_which_job_and_not_which_subject() -> None:
    shown = views.hold(SUBJECT, now=NOW)
    assert (shown["scope"], shown["generation"], shown["status"]) == ("subject", None, "active")
    assert not [mac for mac in SUBJECT.subjects if mac.mac in str(shown)]
    assert views.hold(ONE_JOB, now=NOW)["generation"] == f"gen_{JOB}"
    assert shown["waiting_messages"] == "not_held"


def test_what_is_held_is_counted_by_class_and_together_over_containers() -> None:
    together = Held(jobs=3, past_deadline=1) + Held(sealed_records=2, alerts=1, past_deadline=2)
    assert views.held(together) == {"jobs": 3, "sealed_records": 2, "alerts": 1, "past_deadline": 3}
    assert views.held(None) is None
