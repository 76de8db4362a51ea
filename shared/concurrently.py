"""Doing many things, some of them at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable


async def each[T](items: Iterable[T], work: Callable[[T], Awaitable[object]], *, at_once: int) -> None:
    """Do something with each item, ``at_once`` of them at a time; the first failure stops the others and is raised."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
