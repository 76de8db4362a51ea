"""What those who run the service were told of violated promises, and what is to be told next. Pure, so a table tests it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from shared.domain.statement import State, Stated


@dataclass(frozen=True, kw_only=True)
class Told:
    """Of one promise: whether the violation that lasts is told, and names of events that are still to be stored."""

    told: bool = False
    pending: tuple[str, ...] = ()


type Known = Mapping[str, Told]
"""By promise; one that is missing was never violated while somebody listened."""


def has_news(known: Known, stated: Iterable[Stated]) -> bool:
    """Whether a promise is violated of which nobody was told."""
    return any(one.state is State.VIOLATED and not known.get(one.promise.id, Told()).told for one in stated)


def looked(known: Known, stated: Iterable[Stated], *, heard: bool, new_name: Callable[[], str]) -> Known:
    """What is known after a look; ``heard``: somebody listens. Of promises that another version of the app makes, as before."""
    changed = {one.promise.id: _after(known.get(one.promise.id, Told()), one.state, heard, new_name) for one in stated}
    return {promise: told for promise, told in {**known, **changed}.items() if told != Told()}


def _after(told: Told, state: State, heard: bool, new_name: Callable[[], str]) -> Told:  # noqa: FBT001 - its caller names it
    """A violation is told once, until the promise holds again: one that is unknown meanwhile may be violated all along.

    One that nobody listens for is not told, and is told later if it lasts.
    """
    match state:
        case State.HOLDING:
            return replace(told, told=False)
        case State.VIOLATED if heard and not told.told:
            return Told(told=True, pending=(*told.pending, new_name()))
        case _:
            return told
