"""Reads that go wrong because a test wants it: late, with an error, or without an answer."""

from dataclasses import dataclass

from local.management.overrides import Json

_RULE = "A fault has status, drop or delay_ms, and may have count, and path (a part of the request's path)."
_STATUS = range(400, 600)


@dataclass(kw_only=True)
class Fault:
    """A fault, and how many reads of a path still meet it (None: until it is cleared)."""

    path: str
    delay_seconds: float
    status: int | None
    drop: bool
    left: int | None


class Faults:
    """The faults in force, oldest first."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def add(self, wanted: Json) -> None:
        """Arm a fault; raises ValueError with the rule that it breaks."""
        status, drop, path = wanted.get("status"), wanted.get("drop", False), wanted.get("path", "")
        delay, count = wanted.get("delay_ms", 0), wanted.get("count")
        if (
            not wanted.keys() <= {"status", "drop", "delay_ms", "count", "path"}
            or not (status or drop or delay)
            or not (status is None or status in _STATUS)
            or not (isinstance(drop, bool) and isinstance(path, str) and isinstance(delay, int))
            or not (count is None or isinstance(count, int))
        ):
            raise ValueError(_RULE)
        self._armed.append(Fault(path=path.lower(), delay_seconds=delay / 1000, status=status, drop=drop, left=count))

    def clear(self) -> None:
        """End all faults."""
        self._armed.clear()

    def next(self, path: str) -> Fault | None:
        """Use up one turn of the first fault that means a path (in lower case)."""
        met = next((fault for fault in self._armed if fault.left != 0 and fault.path in path), None)
        if met is not None and met.left is not None:
            met.left -= 1
        return met
