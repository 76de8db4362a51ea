"""A small JSON file of mode 600 that several processes change: the local stand-in for a vault."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

type Content = dict[str, Any]


class LockedJson:
    """A JSON object in a file. Readers need no lock, because the file is replaced in one step."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, *, missing_ok: bool = True) -> Content:
        """Return the object; an empty one where a missing file is no error. Raises OSError and ValueError."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            if missing_ok:
                return {}
            raise
        content: Content = json.loads(text)
        return content

    @contextmanager
    def change(self) -> Iterator[Content]:
        """Lend the object for a change that is written when it is complete; the lock file stays, its content is nothing."""
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = self.read()
            yield content
            fresh = self._path.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        finally:
            os.close(lock)
