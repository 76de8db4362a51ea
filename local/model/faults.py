"""Faults set by the control URL: they strike whatever the prompt says."""

from dataclasses import dataclass

from local.model.prompt import Json


@dataclass(kw_only=True)
class Fault:
    """One fault; ``left`` calls still meet it (None: until it is cleared), of ``deployment`` only where one is named."""

    delay_seconds: float
    status: int | None
    retry_after: float
    drop: bool
    left: int | None
    deployment: str | None


class Faults:
    """The faults in force, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, wanted: Json) -> None:
        """Add a fault; raises ValueError for a field that means nothing here."""
        unknown = wanted.keys() - {"delay_ms", "status", "retry_after", "drop", "count", "deployment"}
        if unknown or not wanted.keys() & {"delay_ms", "status", "drop"}:
            raise ValueError("a fault has delay_ms, status or drop, and may have retry_after, count, deployment")
        count, status, deployment = wanted.get("count"), wanted.get("status"), wanted.get("deployment")
        self._faults.append(
            Fault(
                delay_seconds=float(str(wanted.get("delay_ms", 0))) / 1000,
                status=None if status is None else int(str(status)),
                retry_after=float(str(wanted.get("retry_after", 1))),
                drop=bool(wanted.get("drop")),
                left=None if count is None else int(str(count)),
                deployment=None if deployment is None else str(deployment),
            )
        )

    def clear(self) -> None:
        """End all faults."""
        self._faults.clear()

    def strike(self, deployment: str) -> list[Fault]:
        """Return what the next call of a deployment meets: delays add up, the first other fault ends the search."""
        met = []
        for fault in self._faults:
            if fault.left == 0 or fault.deployment not in (None, deployment):
                continue
            if fault.left is not None:
                fault.left -= 1
            met.append(fault)
            if fault.drop or fault.status:
                break
        return met
