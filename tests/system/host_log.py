"""What the host logged of the jobs since a moment: deliveries, invocations, and the app's own events."""

import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system.stack import Stack

_JOBS = "Function.process_generation"
_TRIGGER = re.compile(r"^Trigger Details: MessageId: (?P<message_id>\S+), .*DeliveryCount: (?P<count>\d+)")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery of a message of ``generation-requests``; ``count`` is 1 for its first."""

    message_id: str
    count: int


@dataclass(frozen=True, kw_only=True)
class HostLog:
    """The log from ``begin`` on; a kill of the host does not empty it."""

    path: Path
    begin: int

    @classmethod
    def from_now(cls, stack: Stack) -> "HostLog":
        path = stack.state / "logs" / "host.log"
        return cls(path=path, begin=path.stat().st_size)

    def deliveries(self) -> list[Delivery]:
        found = (_TRIGGER.match(line["message"]) for line in self._lines(_JOBS))
        return [Delivery(message_id=match["message_id"], count=int(match["count"])) for match in found if match]

    def unfinished(self) -> int:
        """Invocations that began and have not ended: running ones, and those that a kill has cut."""
        verbs = Counter(str(line["message"]).partition(" ")[0] for line in self._lines(_JOBS))
        return verbs["Executing"] - verbs["Executed"]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Events of one name that the app logged."""
        found = [json.loads(line["message"]) for line in self._lines(f"{_JOBS}.User") if line["logger"] == "lethe"]
        return [event for event in found if event["event"] == name]

    def _lines(self, category: str) -> list[dict[str, Any]]:
        with self.path.open("rb") as file:
            file.seek(self.begin)
            text = file.read().decode(errors="replace")
        lines = []
        for line in text.splitlines():
            with suppress(ValueError):  # the line that a kill cut, or one of another process
                lines.append(json.loads(line))
        return [line for line in lines if line.get("category") == category]
