"""A small real HTTP server for one test: it answers what it is told and remembers what it was asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for other, value in self.headers if other.lower() == name]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server says. ``drops``: it closes the connection in the middle of the body; ``hangs``: it says nothing."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    drops: bool = False
    hangs: bool = False


@dataclass(kw_only=True)
class Server:
    """A running server."""

    port: int
    answers: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)
    tls: bool = False

    @property
    def origin(self) -> str:
        """Where it listens; with TLS by name, for a certificate of ``localhost``."""
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(
    answers: Callable[[Asked], Answer] | None = None, *, context: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Run a server on a free port of loopback, with TLS in a context, for the length of a block."""
    server = Server(port=0, answers=answers or (lambda _: Answer()), tls=context is not None)
    ending = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = [(name.decode(), value.decode()) for name, value in request.raw_headers]
        asked = Asked(method=request.method, path=request.path_qs, headers=headers, body=await request.read())
        server.asked.append(asked)
        answer = server.answers(asked)
        if answer.hangs:
            await ending.wait()
        if not answer.drops:
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        response = web.StreamResponse(headers={"Content-Length": str(len(answer.body) + 100)})
        await response.prepare(request)
        await response.write(answer.body)
        if request.transport is not None:
            request.transport.close()
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        ending.set()
        await runner.cleanup()
