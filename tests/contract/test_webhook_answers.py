import asyncio
import time

import pytest

from shared.delivery.guard import Address
from shared.delivery.sender import Sent
from tests.contract.webhook_posts import Contexts, send
from tests.contract.webhook_servers import PUBLIC, Detour, Names, saying, serving


async def test_an_answer_that_drips_is_cut_off_at_the_limit(contexts: Contexts) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-A: b\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    started = time.monotonic()
    async with serving(drip, contexts[0]) as server:
        assert await send(Names([PUBLIC]), Detour(server.port), contexts[1], seconds=0.4) == Sent(status=None)
    assert 0.3 < time.monotonic() - started < 3


async def test_a_name_that_is_never_resolved_is_cut_off_at_the_limit() -> None:
    class Silent(Names):
        async def __call__(self, host: str, _port: int) -> list[Address]:
            self.asked.append(host)
            await asyncio.Event().wait()
            raise AssertionError

    started = time.monotonic()
    assert await send(Silent(), Detour(9), seconds=0.2) == Sent(status=None)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("head", ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"])
async def test_a_body_is_never_read_however_long_it_goes_on(head: str, contexts: Contexts) -> None:
    written = 0

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(head.encode("ascii"))
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    started = time.monotonic()
    async with serving(pour, contexts[0]) as server:
        assert await send(Names([PUBLIC]), Detour(server.port), contexts[1], seconds=5) == Sent(status=200)
        assert time.monotonic() - started < 2
    assert written < 50_000_000  # what fits the buffers of two sockets


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + "X: " + "y" * 200_000 + "\r\n\r\n",
        "\x00\xff" * 100,
    ],
)
async def test_an_answer_that_is_not_http_is_no_answer(nonsense: str, contexts: Contexts) -> None:
    async with serving(saying(nonsense), contexts[0]) as server:
        assert await send(Names([PUBLIC]), Detour(server.port), contexts[1]) == Sent(status=None)


async def test_retry_after_is_the_only_header_that_is_handed_on(contexts: Contexts) -> None:
    answer = f"HTTP/1.1 503 Busy\r\nSet-Cookie: a=b\r\nretry-after: {'7' * 500}\r\nContent-Length: 0\r\n\r\n"
    async with serving(saying(answer), contexts[0]) as server:
        sent = await send(Names([PUBLIC]), Detour(server.port), contexts[1])
        assert sent == Sent(status=503, retry_after="7" * 100)
        await send(Names([PUBLIC]), Detour(server.port), contexts[1])
    assert all(b"cookie" not in request.lower() for request in server.requests)
