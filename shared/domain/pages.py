"""A page of a list that is short enough to be read as a whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Page[T]:
    """Entries of a list, and whether there are more behind them."""

    entries: Sequence[T]
    has_more: bool


def page_of[T](listed: Sequence[T], *, id_of: Callable[[T], str], after: str | None, limit: int) -> Page[T]:
    """Cut a page from behind one of the entries, None being the start; raises `NotFound` when it is none of these."""
    ids = [id_of(entry) for entry in listed]
    if after is not None and after not in ids:
        raise NotFound
    start = 0 if after is None else ids.index(after) + 1
    return Page(entries=listed[start : start + limit], has_more=len(listed) > start + limit)
