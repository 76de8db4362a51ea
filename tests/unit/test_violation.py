from collections.abc import Iterator
from itertools import count

import pytest

from shared.domain.promises import PROMISES
from shared.domain.statement import State, Stated
from shared.domain.violation import Known, Told, has_news, looked

PROMISE, OTHER = PROMISES[0], PROMISES[1]
H, V, U = State.HOLDING, State.VIOLATED, State.UNKNOWN


def names() -> Iterator[str]:
    return (f"{number}" for number in count(1))


def told_after(*states: State, heard: bool = True) -> tuple[list[int], Told]:
    """In which looks an event was named, and what is known at last."""
    known: Known = {}
    new, looks = names(), []
    for number, state in enumerate(states):
        before = known.get(PROMISE.id, Told()).pending
        known = looked(known, [Stated(promise=PROMISE, state=state)], heard=heard, new_name=lambda: next(new))
        if known.get(PROMISE.id, Told()).pending != before:
            looks.append(number)
    return looks, known.get(PROMISE.id, Told())


@pytest.mark.parametrize(
    ("states", "looks"),
    [
        ((H, H), []),
        ((U, U), []),
        ((V,), [0]),  # the first look of all
        ((U, V), [1]),
        ((H, V), [1]),
        ((V, V, V), [0]),
        ((V, U, V), [0]),  # it may have been violated all along
        ((V, U, U, V, U, V), [0]),
        ((V, H, V), [0, 2]),
        ((V, U, H, U, V), [0, 4]),
        ((H, V, V, H, H, V, V), [1, 5]),
    ],
)
def test_a_violation_is_told_once_until_the_promise_holds_again(states: tuple[State, ...], looks: list[int]) -> None:
    assert told_after(*states)[0] == looks


def test_what_nobody_listens_for_is_told_to_the_first_who_does_while_it_lasts() -> None:
    stated = [Stated(promise=PROMISE, state=V)]
    unheard = looked({}, stated, heard=False, new_name=lambda: "1")
    assert unheard == {}
    assert has_news(unheard, stated)
    heard = looked(unheard, stated, heard=True, new_name=lambda: "1")
    assert heard == {PROMISE.id: Told(told=True, pending=("1",))}
    assert not has_news(heard, stated)


def test_what_is_still_to_be_stored_is_never_forgotten() -> None:
    assert told_after(V, H) == ([0], Told(told=False, pending=("1",)))
    assert told_after(V, H, V, U) == ([0, 2], Told(told=True, pending=("1", "2")))


def test_each_promise_is_told_by_itself() -> None:
    new = names()
    known = looked(
        {}, [Stated(promise=PROMISE, state=V), Stated(promise=OTHER, state=H)], heard=True, new_name=lambda: next(new)
    )
    assert known == {PROMISE.id: Told(told=True, pending=("1",))}
    known = looked(
        known, [Stated(promise=PROMISE, state=V), Stated(promise=OTHER, state=V)], heard=True, new_name=lambda: next(new)
    )
    assert known[OTHER.id] == Told(told=True, pending=("2",))
    assert known[PROMISE.id].pending == ("1",)


def test_what_is_known_of_promises_of_another_version_of_the_app_stays() -> None:
    known = {"another": Told(told=True)}
    assert looked(known, [Stated(promise=PROMISE, state=H)], heard=True, new_name=lambda: "1") == known
