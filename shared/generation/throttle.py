"""Places of the tenants in this process: who runs here, how long their jobs take, and which turns were promised.

One object per process, in memory only. After a crash the counts are true again: nothing runs. Promised turns are forgotten,
which costs some jobs a second putting back and loses none: each waits as a scheduled message of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from shared.azure.census import Census
from shared.clock import Clock
from shared.domain import throttle
from shared.domain.stamp import StampLimits
from shared.domain.window import Window
from shared.errors import ServiceUnavailable

_LOOK_SECONDS = 1.0
"""How old the count of other instances may be."""

_PATIENCE = 2.0
"""Seconds to wait for that count at the most."""

_TENANTS = 1000
"""Above this many, those that have been quiet for a minute are forgotten."""

_GOLDEN_RATIO = 0.618_033_988_749_895
"""Multiples of it, without their whole part, are spread evenly, however many there are."""


class _Look:
    """A count of other instances, asked for by one at a time and at most once a second; the last one stands meanwhile."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._count = 0

    async def count(self, ask: Callable[[], Awaitable[int]]) -> int:
        """Return the count. When the store does not answer, the last one stands: fairness is not worth a job."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if loop.time() >= self._until:
                with suppress(ServiceUnavailable, TimeoutError):
                    async with asyncio.timeout(_PATIENCE):
                        self._count = await ask()
                self._until = loop.time() + _LOOK_SECONDS
            return self._count


@dataclass(kw_only=True)
class _Tenant:
    running: int = 0
    job_seconds: float | None = None
    line_ends_at: float = 0.0
    started: Window = field(default_factory=Window)
    admitted: Window = field(default_factory=Window)
    in_flight_elsewhere: _Look = field(default_factory=_Look)
    started_elsewhere: _Look = field(default_factory=_Look)
    admitted_anywhere: _Look = field(default_factory=_Look)

    def is_quiet(self, now: float) -> bool:
        counted = self.running + self.started.count(now) + self.admitted.count(now)
        return not counted and self.line_ends_at <= now


@dataclass(kw_only=True)
class Place:
    """What a delivery got: a place, or the time (seconds since the epoch) at which its message comes back."""

    put_back_at: float | None
    has_begun: bool = False

    def begin(self) -> None:
        """The job was claimed: it counts as one of the minute, and for the job time."""
        self.has_begun = True


@dataclass(kw_only=True)
class Admission:
    """What a request over HTTP got: None, or the seconds after which it may come again."""

    retry_after: float | None
    is_new: bool = False


class Throttle:
    """Keeps tenants within ``requests_in_flight`` and ``requests_per_minute``."""

    def __init__(self, census: Census, *, clock: Clock) -> None:
        self._census = census
        self._clock = clock
        self._tenants: dict[str, _Tenant] = {}
        self._spread = 0.0

    @asynccontextmanager
    async def place(
        self, name: str, limits: StampLimits, *, deadline: float, has_waited: bool, at_once: bool
    ) -> AsyncIterator[Place]:
        """Give a place for the length of a ``with`` block, or none; ``at_once``: in any case, whatever the limits say."""
        in_flight_elsewhere, started_elsewhere = await self._elsewhere(name, limits)
        tenant, now = self._tenant(name), self._clock()  # no await from here on: who is given a place takes it
        load = throttle.Load(
            in_flight=tenant.running,
            in_flight_elsewhere=in_flight_elsewhere,
            started=tenant.started.count(now),
            started_elsewhere=started_elsewhere,
            frees_at=tenant.started.frees_at(),
            job_seconds=tenant.job_seconds or throttle.FIRST_GUESS,
            line_ends_at=tenant.line_ends_at,
        )
        self._spread = (self._spread + _GOLDEN_RATIO) % 1
        at = throttle.decide(load, limits, now=now, deadline=deadline, has_waited=has_waited, spread=self._spread)
        if at is not None and not at_once:
            tenant.line_ends_at = max(tenant.line_ends_at, at)
            yield Place(put_back_at=at)
            return
        async with self._held(tenant, now) as place:
            yield place

    def is_crowded(self, name: str) -> bool:
        """Whether jobs of a tenant wait in line in this process."""
        return name in self._tenants and self._tenants[name].line_ends_at > self._clock()

    @asynccontextmanager
    async def _held(self, tenant: _Tenant, now: float) -> AsyncIterator[Place]:
        tenant.running += 1
        tenant.started.add(now)
        place = Place(put_back_at=None)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            yield place
        finally:
            tenant.running -= 1
            if place.has_begun:
                tenant.job_seconds = throttle.job_seconds(tenant.job_seconds, loop.time() - begun)
            else:
                tenant.started.take_back(now)

    @asynccontextmanager
    async def admission(self, name: str, limits: StampLimits) -> AsyncIterator[Admission]:
        """Count a request over HTTP for the length of a ``with`` block, and from then on if it was a new job."""
        tenant, limit = self._tenant(name), limits.requests_per_minute
        own, elsewhere = tenant.admitted.count(self._clock()), 0
        if throttle.needs_look(own, limit):
            elsewhere = max(0, await tenant.admitted_anywhere.count(lambda: self._census.admitted(name)) - own)
        tenant, now = self._tenant(name), self._clock()
        own = tenant.admitted.count(now)
        pause = throttle.retry_after(own, elsewhere, limit, frees_at=tenant.admitted.frees_at(), now=now)
        admission = Admission(retry_after=pause)
        tenant.admitted.add(now)
        try:
            yield admission
        finally:
            if not admission.is_new:
                tenant.admitted.take_back(now)

    async def _elsewhere(self, name: str, limits: StampLimits) -> tuple[int, int]:
        """Jobs in flight and started elsewhere, where they matter; 0 where they do not."""
        tenant, in_flight, started = self._tenant(name), 0, 0
        if throttle.needs_look(tenant.running, limits.requests_in_flight):
            in_flight = await tenant.in_flight_elsewhere.count(lambda: self._census.in_flight_elsewhere(name))
        if throttle.needs_look(tenant.started.count(self._clock()), limits.requests_per_minute):
            started = await tenant.started_elsewhere.count(lambda: self._census.started_elsewhere(name))
        return in_flight, started

    def _tenant(self, name: str) -> _Tenant:
        if name not in self._tenants and len(self._tenants) >= _TENANTS:
            now = self._clock()
            self._tenants = {known: tenant for known, tenant in self._tenants.items() if not tenant.is_quiet(now)}
        return self._tenants.setdefault(name, _Tenant())
