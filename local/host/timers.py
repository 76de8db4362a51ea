"""Timer triggers: at most one invocation of a timer at a time, due by the stack's clock."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local import clock
from local.host import ncrontab, runtime, settings
from local.host.invocation import Invoker
from local.host.runtime import Function

_TICK = 0.1
"""Seconds between looks at the clock, which a test may move at any moment."""
_LATE = 1.0
"""Seconds after which a run is past due: the host was down, or the clock jumped."""
_MONITORED_FROM = timedelta(minutes=1)
"""Azure Functions keeps no state for schedules that occur more often."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class _Status:
    """What is remembered of a monitored timer between runs of the host."""

    last: datetime
    due: datetime
    updated: datetime

    def to_json(self) -> dict[str, str]:
        return {
            "Last": self.last.isoformat(),
            "Next": self.due.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> "_Status":
        last, due, updated = (datetime.fromisoformat(document[key]) for key in ("Last", "Next", "LastUpdated"))
        return cls(last=last, due=due, updated=updated)


class Timer:
    """One timer function."""

    def __init__(self, function: Function, *, environment: Mapping[str, str], folder: Path, invoker: Invoker) -> None:
        trigger = function.trigger
        self._function = function
        self._invoker = invoker
        self._stopping = False
        self._schedule = ncrontab.parse(settings.resolve(str(trigger["schedule"]), environment))
        self._run_on_startup = bool(trigger.get("runOnStartup"))
        monitored = trigger.get("useMonitor") is not False
        frequent = self._schedule.shortest_gap(clock.utcnow()) < _MONITORED_FROM
        self._state = folder / "timers" / f"{function.name}.json" if monitored and not frequent else None
        self._status = self._remembered()

    def stop(self) -> None:
        """Fire no more; ``run`` returns when a running invocation has ended."""
        self._stopping = True

    async def run(self) -> None:
        """Fire whenever the schedule is due, until stopped."""
        if self._run_on_startup:
            await self._fire()
        while not self._stopping:
            if clock.utcnow() >= self._status.due:
                await self._fire()
            else:
                await asyncio.sleep(_TICK)

    async def _fire(self) -> None:
        offset, fired, status = clock.offset(), clock.utcnow(), self._status
        late = (fired - status.due).total_seconds() > _LATE
        body = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status.to_json() if self._state else None,
            "IsPastDue": late,
        }
        await self._invoker.run(
            self._function,
            reason=f"Timer fired at {fired.isoformat()}",
            inputs=[(self._function.parameter, runtime.document(body))],
        )
        # What fell due during the run is skipped, as in Azure; what a jump of the clock passed over is not.
        base = clock.utcnow() if clock.offset() == offset else fired
        self._status = self._remember(_Status(last=fired, due=self._schedule.after(base), updated=clock.utcnow()))

    def _remembered(self) -> _Status:
        now = clock.utcnow()
        due = self._schedule.after(now)
        if self._state and self._state.is_file():
            status = _Status.from_json(json.loads(self._state.read_text(encoding="utf-8")))
            return replace(status, due=min(status.due, due))  # the schedule may have become a shorter one
        return self._remember(_Status(last=_NEVER, due=due, updated=_NEVER))

    def _remember(self, status: _Status) -> _Status:
        if self._state:
            self._state.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._state.with_suffix(".new")
            fresh.write_text(json.dumps(status.to_json()), encoding="utf-8")
            fresh.replace(self._state)
        return status
