"""What Azure's telemetry would get of a run, as JSON lines on standard error.

Three sources, as in Azure: the host's own lines, Python logging of the app (root logger at INFO and above), and what
the app prints. Nothing is redacted here on purpose: a leak of the app must be seen where Azure would show it.
"""

import io
import json
import logging
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, override

from local import clock

ERROR, WARNING, INFORMATION = "Error", "Warning", "Information"
_LEVELS = {"INFO": INFORMATION, "WARNING": WARNING, "ERROR": ERROR, "CRITICAL": "Critical", "DEBUG": "Debug"}
_LOCK = threading.Lock()

own_sdk: ContextVar[bool] = ContextVar("own_sdk", default=False)
"""Set where the host itself uses an Azure SDK, whose logging is then no part of the app's."""


def write(category: str, message: str, *, level: str = INFORMATION, **fields: Any) -> None:  # noqa: ANN401
    """Write one line; ``fields`` that are None are left out."""
    line = {"time": clock.utcnow().isoformat(), "level": level, "category": category, "message": message}
    line |= {name: value for name, value in fields.items() if value is not None}
    text = json.dumps(line, default=str) + "\n"
    with _LOCK:
        sys.__stderr__.write(text)  # type: ignore[union-attr]  # None only without a console at all
        sys.__stderr__.flush()  # type: ignore[union-attr]


class TelemetryHandler(logging.Handler):
    """Sends a record of the app's logging where Azure would send it."""

    def __init__(self, categorise: Callable[[str], str]) -> None:
        super().__init__()
        self._categorise = categorise

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write the message, with the traceback when there is one, as the worker formats it."""
        if own_sdk.get() and record.name.startswith("azure."):
            return
        try:
            message, level = self.format(record), _LEVELS.get(record.levelname, record.levelname)
            write(self._categorise(record.name), message, level=level, logger=record.name)
        except Exception:  # noqa: BLE001  # the contract of logging: a bad record never fails the caller
            self.handleError(record)


class ConsoleLines(io.TextIOBase):
    """Stands in for standard output: Azure collects what an app prints, line by line."""

    def __init__(self) -> None:
        self._rest = ""

    @override
    def write(self, text: str, /) -> int:
        """Collect text and write each finished line."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            write("Host.Function.Console", line)
        return len(text)

    @override
    def writable(self) -> bool:
        """Whether text can be written: always."""
        return True


def capture(categorise: Callable[[str], str]) -> None:
    """Route logging and print of this process into the stream; ``categorise`` makes a category of a logger's name."""
    root = logging.getLogger()
    root.addHandler(TelemetryHandler(categorise))
    root.setLevel(logging.INFO)
    sys.stdout = ConsoleLines()
