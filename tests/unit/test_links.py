import asyncio

import pytest

from shared.azure.links import Links
from shared.errors import QueueUnavailable


class Link:
    """A link that remembers whether it was closed; ``stuck``: closing it takes for ever."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.closed = False
        self._stuck = stuck

    async def close(self) -> None:
        self.closed = True
        if self._stuck:
            await asyncio.Event().wait()


@pytest.fixture
def opened() -> list[Link]:
    return []


def links(opened: list[Link], *, timeout: float | None = None, stuck: bool = False) -> Links[Link]:
    def open_link(_: str) -> Link:
        opened.append(Link(stuck=stuck))
        return opened[-1]

    return Links(open_link, timeout=timeout)


async def hang(kept: Links[Link]) -> None:
    async with kept.use("queue"):
        await asyncio.Event().wait()


async def test_a_link_is_kept_from_use_to_use(opened: list[Link]) -> None:
    kept = links(opened)
    for _ in range(2):
        async with kept.use("queue") as link:
            assert link is opened[0]
    assert not opened[0].closed


async def test_a_link_that_failed_is_closed_and_the_next_one_is_new(opened: list[Link]) -> None:
    kept = links(opened)
    with pytest.raises(QueueUnavailable):
        async with kept.use("queue"):
            raise ConnectionResetError
    async with kept.use("queue") as link:
        assert link is opened[1]
    assert opened[0].closed


async def test_a_use_that_takes_too_long_is_a_queue_that_does_not_answer(opened: list[Link]) -> None:
    kept = links(opened, timeout=0.01)
    with pytest.raises(QueueUnavailable):
        await hang(kept)
    assert opened[0].closed


async def test_a_link_left_in_the_middle_is_not_used_again(opened: list[Link]) -> None:
    kept = links(opened)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await hang(kept)
    async with kept.use("queue") as link:
        assert link is opened[1]
    assert opened[0].closed


async def test_a_link_that_cannot_be_closed_holds_nobody_up(opened: list[Link], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.azure.links._CLOSE_SECONDS", 0.01)
    kept = links(opened, timeout=0.01, stuck=True)
    async with asyncio.timeout(5):
        with pytest.raises(QueueUnavailable):
            await hang(kept)
