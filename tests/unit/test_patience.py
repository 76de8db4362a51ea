import asyncio
import time

import pytest

from shared.errors import QueueUnavailable, StoreUnavailable
from shared.patience import ONCE_AWAY, answering, patience, patient, remembering_who_is_away, was_away


async def hangs() -> float:
    """Return how long an operation on the store may hang."""
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with answering(StoreUnavailable, within=ONCE_AWAY + 0.5):
            await asyncio.Event().wait()
    return time.monotonic() - began


async def test_an_operation_on_a_service_that_was_away_is_short_until_one_succeeds() -> None:
    with remembering_who_is_away():
        was_away(QueueUnavailable)
        assert await hangs() > ONCE_AWAY + 0.4
        was_away(StoreUnavailable)
        assert await hangs() < ONCE_AWAY + 0.4
        async with answering(StoreUnavailable, within=5):
            pass
        assert await hangs() > ONCE_AWAY + 0.4


async def test_outside_of_a_round_nobody_remembers_who_was_away() -> None:
    was_away(StoreUnavailable)
    assert await hangs() > ONCE_AWAY + 0.4


async def test_an_operation_on_a_service_that_is_known_to_be_away_is_not_repeated() -> None:
    attempts = []

    @patient
    async def asks() -> None:
        attempts.append(1)
        was_away(StoreUnavailable)
        raise StoreUnavailable

    with remembering_who_is_away(), patience(0.3):
        with pytest.raises(StoreUnavailable):
            await asks()
        assert len(attempts) > 1
        attempts.clear()
        with pytest.raises(StoreUnavailable):
            await asks()
    assert len(attempts) == 1
