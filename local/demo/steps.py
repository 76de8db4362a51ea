"""Steps of the demo: what is done, what must come of it, and what came."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.table import Table

_PATIENCE_SECONDS = 30
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Row:
    """A step that was done: by which means, what had to come of it, and what came."""

    step: str
    means: str
    expected: str
    found: str


class TookTooLongError(Exception):
    """What a step waits for did not come."""


def table(rows: list[Row], *, title: str, means: str) -> Table:
    """Return what came of the steps, for reading."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for name in ("step", means, "outcome", ""):
        shown.add_column(name, overflow="fold")
    for row in rows:
        shown.add_row(row.step, row.means, row.found, "✓" if row.found == row.expected else "✗")
    return shown


def failed_expectations(rows: list[Row]) -> list[str]:
    """Say of each step that did not come out as it must what was expected and what was found."""
    return [f"{row.step}: expected {row.expected}, found {row.found}" for row in rows if row.found != row.expected]


def awaited(look: Callable[[], str | None]) -> str:
    """Look until there is something to tell; raises `TookTooLongError`."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(_POLL_SECONDS)
    raise TookTooLongError
