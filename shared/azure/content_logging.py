"""What each model resource last showed of ``ContentLogging``: written by the configuration check, read by workers.

One document of the timer. A worker reads it once a minute, and only for a tenant that opted out of abuse monitoring. Where it
is missing, or the timer is late, the worker asks Azure itself and remembers the answer, once a minute in each process at most.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Final

from shared.azure.cosmos import Document
from shared.azure.management import Management
from shared.azure.stamp_state import StampState
from shared.clock import Clock
from shared.domain.opt_out import Said, Shown, after_look, confirmed
from shared.errors import ManagementUnavailable, ServiceUnavailable, StoreUnavailable
from shared.patience import patience

PLACE: Final = "content_logging"
CACHE_SECONDS: Final = 60.0
ASK_SECONDS: Final = 3.0
"""For Azure to answer a worker; somebody waits for the job."""
_WRITE_PATIENCE: Final = 1.0
_TRIES: Final = 5


class ContentLogging:
    """Reads and remembers; raises `StoreUnavailable`: not knowing is no reason to run a job, and none to refuse it.

    ``late_after`` in seconds: what nobody has looked at for so long is asked for by the worker that needs it.
    """

    def __init__(
        self, state: StampState, management: Management, *, resources: Iterable[str], late_after: float, clock: Clock
    ) -> None:
        self._state = state
        self._management = management
        self._resources = frozenset(resources)
        self._late_after = late_after
        self._clock = clock
        self._known: tuple[float, Mapping[str, Shown]] | None = None
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()

    async def confirmed(self) -> frozenset[str]:
        """Return the resources that showed within 24 hours that Azure keeps nothing of a request."""
        return confirmed(_now(await self._current(), self._clock()))

    async def said(self) -> Said:
        """Return what every resource says by what was remembered; nothing is asked."""
        return _now(await self._remembered(), self._clock())

    async def remember(self, said: Said, *, at: float) -> None:
        """Remember what resources showed at a time; None for one that could not be read, of which the last showing stays."""
        for _ in range(_TRIES):
            found = await self._state.read(PLACE)
            shown = _after(_shown(found), said, at)
            document = {name: asdict(each) for name, each in shown.items()}
            if await self._state.replace(PLACE, over=found, resources=document) is not None:
                self._known = (self._clock(), shown)
                return
        raise StoreUnavailable

    async def _current(self) -> Mapping[str, Shown]:
        shown = await self._remembered()
        if self._late(shown):
            async with self._asking:  # whoever comes meanwhile has the answer, too
                if not _is_fresh(self._asked_at, self._clock()):
                    await self._ask()
                    self._asked_at = self._clock()
            shown = await self._remembered()
        return shown

    async def _remembered(self) -> Mapping[str, Shown]:
        now = self._clock()
        if self._known is None or not _is_fresh(self._known[0], now):
            self._known = (now, _shown(await self._state.read(PLACE)))
        return self._known[1]

    def _late(self, shown: Mapping[str, Shown]) -> list[str]:
        now = self._clock()
        return [name for name in self._resources if name not in shown or shown[name].is_late(now, after=self._late_after)]

    async def _ask(self) -> None:
        """Ask Azure about what nobody has looked at lately, all at once, and remember it as well as the store lets us."""
        shown, at = await self._remembered(), self._clock()
        late = self._late(shown)
        said = dict(zip(late, await asyncio.gather(*map(self._one, late)), strict=True))
        self._known = (self._clock(), _after(shown, said, at))
        with suppress(ServiceUnavailable), patience(_WRITE_PATIENCE):
            await self.remember(said, at=at)

    async def _one(self, resource: str) -> bool | None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self._management.content_logging(resource)
        except (ManagementUnavailable, TimeoutError):
            return None


def _after(shown: Mapping[str, Shown], said: Said, at: float) -> Mapping[str, Shown]:
    return {**shown, **{name: after_look(shown.get(name), logs, at=at) for name, logs in said.items()}}


def _now(shown: Mapping[str, Shown], now: float) -> Said:
    return {name: each.says(now) for name, each in shown.items()}


def _is_fresh(at: float | None, now: float) -> bool:
    return at is not None and 0 <= now - at < CACHE_SECONDS


def _shown(found: Document | None) -> Mapping[str, Shown]:
    """Read the document; one that is none, which nobody of ours wrote, is as none: it is asked for and written anew."""
    try:
        return {name: Shown(**each) for name, each in found["resources"].items()} if found else {}
    except (AttributeError, KeyError, TypeError):
        return {}
