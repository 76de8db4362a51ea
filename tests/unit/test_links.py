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


def links(opened: list[Link], *, timeout: float | None = None, stuck: bool = False, at_once: int = 1) -> Links[Link]:
    def open_link(_: str) -> Link:
        opened.append(Link(stuck=stuck))
        return opened[-1]

    return Links(open_link, timeout=timeout, at_once=at_once)


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


async def test_users_at_once_have_a_link_each_up_to_the_limit_and_a_single_user_opens_one(opened: list[Link]) -> None:
    kept = links(opened, at_once=2)
    used: list[Link] = []

    async def use() -> None:
        async with kept.use("queue") as link:
            used.append(link)
            await asyncio.sleep(0.01)

    await use()
    assert len(opened) == 1
    await asyncio.gather(*(use() for _ in range(5)))
    assert len(opened) == 2
    assert all(link in opened for link in used)


async def test_with_a_link_that_failed_the_idle_ones_go_too(opened: list[Link]) -> None:
    kept = links(opened, at_once=3)
    async with kept.use("queue"), kept.use("queue"):
        pass
    with pytest.raises(QueueUnavailable):
        async with kept.use("queue"):
            raise ConnectionResetError
    assert [link.closed for link in opened] == [True, True]


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
