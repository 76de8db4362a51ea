"""What the triggers share: the composition of this process, and the edge at which foreign exceptions end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

from shared.errors import LetheError
from shared.telemetry import Event, log, quieten_libraries

if TYPE_CHECKING:
    from shared.composition import Composition


class InvocationFailed(LetheError):
    """The invocation failed; see the event of the same invocation for its code."""


@cache
def composition() -> "Composition":
    """Build the process's objects on first use: importing the SDKs takes over a second, which indexing must not pay."""
    from shared import settings
    from shared.composition import Composition
    from shared.exporting import start

    quieten_libraries()
    chosen = settings.load()
    start(chosen.exporting, chosen.stamp.geography)
    return Composition(chosen)


@asynccontextmanager
async def edge() -> AsyncIterator[None]:
    """Let nothing out but a static text: the worker sends an exception's text and traceback to the telemetry."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the edge is for whatever was not foreseen
        log(Event.INVOCATION_FAILED, code=type(error).__name__, warning=True)
        raise InvocationFailed from None
