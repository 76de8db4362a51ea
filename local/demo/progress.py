"""What a person sees while jobs run: a bar on a terminal, a plain line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_PLAIN_SECONDS = 2.0
_WIDTH = 150


def make_console() -> Console:
    """Return the console of standard output; wide where there is no terminal that could say how wide it is."""
    console = Console(markup=False, highlight=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, width=_WIDTH)


@contextmanager
def showing(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of ``total`` are done; the block calls what it gets with the number."""
    if not console.is_terminal:
        yield _plain(console, what, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def _plain(console: Console, what: str, total: int) -> Callable[[int], None]:
    shown_at = shown = -1.0

    def show(done: int) -> None:
        nonlocal shown, shown_at
        is_news = done != shown and time.monotonic() - shown_at >= _PLAIN_SECONDS
        if is_news or (done == total and shown != total):
            console.print(f"{what}: {done} of {total}")
            shown, shown_at = done, time.monotonic()

    return show
