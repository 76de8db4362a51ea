"""Faults that a test arms, and counts of the requests that reached the endpoint."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from local.cosmos.calls import Operation
from local.cosmos.errors import CosmosError, bad_request


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What shall go wrong with the next ``count`` item requests of an operation (None: any) on a container (None: any).

    ``delay_ms`` waits first; then ``status`` answers an error in place of the work, ``drop_before`` cuts the connection
    in place of the work, and ``drop_after_write`` does the work and cuts the connection in place of the answer.
    """

    operation: str | None = None
    container: str | None = None
    status: int | None = None
    substatus: int | None = None
    retry_after_ms: int | None = None
    count: int = 1
    delay_ms: int = 0
    drop_before: bool = False
    drop_after_write: bool = False

    def matches(self, operation: Operation, container: str) -> bool:
        """Whether this request is meant."""
        return self.operation in {None, operation.value} and self.container in {None, container}

    def error(self) -> CosmosError | None:
        """The error to answer, if the fault is one."""
        if self.status is None:
            return None
        wait = None if self.retry_after_ms is None else {"x-ms-retry-after-ms": str(self.retry_after_ms)}
        return CosmosError(self.status, "A fault that a test armed.", substatus=self.substatus, headers=wait)


def fault(given: Mapping[str, object]) -> Fault:
    """A fault from its JSON form; raises CosmosError 400."""
    known = {each.name: each.type for each in fields(Fault)}
    for name, value in given.items():
        if name not in known or not _fits(name, value):
            raise bad_request("A fault has an unknown field or a value of a wrong type.")
    if given.get("operation") not in {None, *(each.value for each in Operation)}:
        raise bad_request("A fault names an unknown operation.")
    return replace(Fault(), **given)  # type: ignore[arg-type]


def _fits(name: str, value: object) -> bool:
    if name in {"operation", "container"}:
        return value is None or isinstance(value, str)
    if name.startswith("drop_"):
        return isinstance(value, bool)
    optional = name in {"status", "substatus", "retry_after_ms"}
    return (optional and value is None) or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


class Armed:
    """The faults that are still to come, and the counts."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._counts: dict[str, Counter[str]] = {}

    def arm(self, fresh: Fault) -> None:
        """Add a fault behind those armed before."""
        self._faults.append(fresh)

    def disarm(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def arrived(self, operation: Operation, container: str) -> Fault | None:
        """Count a request, and use up one turn of the first fault that means it."""
        self._counts.setdefault(container, Counter())[operation.value] += 1
        for index, armed in enumerate(self._faults):
            if armed.count > 0 and armed.matches(operation, container):
                self._faults[index] = replace(armed, count=armed.count - 1)
                return armed
        return None

    def counts(self) -> dict[str, dict[str, int]]:
        """Item requests since the last reset: {container: {operation: n}}."""
        return {container: dict(counter) for container, counter in self._counts.items()}

    def reset_counts(self) -> None:
        """Count from zero again."""
        self._counts.clear()
