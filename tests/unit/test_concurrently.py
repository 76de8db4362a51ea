import asyncio

import pytest

from shared.concurrently import each
from shared.errors import StoreUnavailable


async def test_so_many_are_at_work_at_once_and_all_are_done() -> None:
    at_work, most, done = 0, 0, []

    async def work(item: int) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        done.append(item)
        at_work -= 1

    await each(range(10), work, at_once=3)
    assert (sorted(done), most) == ([*range(10)], 3)


async def test_the_first_failure_ends_the_rest_and_is_raised_as_it_is() -> None:
    begun = []

    async def work(item: int) -> None:
        begun.append(item)
        await asyncio.sleep(0)
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        await each(range(100), work, at_once=4)
    assert len(begun) <= 8
