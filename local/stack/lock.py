"""One stack per state folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.stack.errors import StackError


@contextmanager
def held(state: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel gives it back however this process ends.

    Raises StackError when another stack holds it.
    """
    with (state / "stack.lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StackError(
                f"A stack already runs on the state folder {state} (process {file.read().strip()}). "
                "Stop it first, or set LETHE_LOCAL_STATE to another folder."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
