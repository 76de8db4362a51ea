"""Looking ahead: the jobs of other tenants that lie in the queue behind one tenant's crowd are run before their turn.

A queue hands out messages in their order, and to put one back takes milliseconds: behind ten thousand, a job would wait for a
minute or more. To look at a message takes a fraction of that, and locks nothing. So while a crowd is being put back, the queue
is read to its end, and what belongs to others is run from what was read. Its message stays where it is: when it is delivered,
its job has ended, or runs, or, after a crash, is run again when the lease is over, as with any delivery that comes twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from shared.azure.queues import Peeked, Queues
from shared.domain.request import claimed_tenant
from shared.errors import ServiceUnavailable
from shared.generation.delivery import QUEUE, Delivery
from shared.generation.throttle import Throttle
from shared.patience import patience

_PAUSE = 0.5
"""Seconds between two looks, which begin where the last one ended."""

_AT_ONCE = 16
"""Jobs that run ahead of their turn in this process; what lies behind them is looked at when one has ended."""

_PATIENCE = 2.0

type Run = Callable[[Delivery], Awaitable[None]]


class Ahead:
    """How far this process has looked, and how many jobs it runs ahead of their turn."""

    def __init__(self, queues: Queues, *, max_request_bytes: int) -> None:
        self._queues = queues
        self._max_request_bytes = max_request_bytes
        self._seen = 0
        self._running = 0
        self._is_looking = False
        self._next_look = 0.0

    async def look(self, sequence_number: int, run: Run, throttle: Throttle) -> None:
        """Run what others have behind a message that was put back; return when it has ended. One at a time looks."""
        loop = asyncio.get_running_loop()
        if self._is_looking or loop.time() < self._next_look:
            return
        self._is_looking = True
        self._seen = max(self._seen, sequence_number)
        jobs: list[asyncio.Task[None]] = []
        try:
            with suppress(ServiceUnavailable):
                await self._to_the_end(run, throttle, jobs)
        finally:
            self._is_looking = False
            self._next_look = loop.time() + _PAUSE
            await asyncio.gather(*jobs)

    async def _to_the_end(self, run: Run, throttle: Throttle, jobs: list[asyncio.Task[None]]) -> None:
        while page := await self._page():
            for message in page:
                if self._running >= _AT_ONCE:
                    return
                self._seen = message.sequence_number
                if self._is_anothers(message, throttle):
                    self._running += 1
                    jobs.append(asyncio.create_task(self._run(run, message)))

    async def _page(self) -> list[Peeked]:
        with patience(_PATIENCE):
            return await self._queues.peek(QUEUE, after=self._seen)

    def _is_anothers(self, message: Peeked, throttle: Throttle) -> bool:
        """Whether a message is to be run from here: none that waits for its time, and none that a worker had already."""
        if not message.is_active or message.delivery_count:
            return False
        tenant = claimed_tenant(message.body, max_bytes=self._max_request_bytes)
        return tenant is not None and not throttle.is_crowded(tenant)

    async def _run(self, run: Run, message: Peeked) -> None:
        try:
            await run(
                Delivery(
                    body=message.body,
                    sequence_number=message.sequence_number,
                    delivery_count=1,
                    enqueued_at=message.enqueued_at,
                    expires_at=message.expires_at,
                    properties=message.properties,
                    message_id=message.message_id,
                    is_ahead=True,
                )
            )
        finally:
            self._running -= 1
