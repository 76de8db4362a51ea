"""Serves an aiohttp application as a part of the stack, from its ready line until it is told to end."""

import asyncio
import logging
import signal
import traceback
from collections import Counter
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from local import parts


class TypeNamesOnly(logging.Filter):
    """Lets a fault of a part be seen without what it was working on: the exception's type stays, its text goes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace message and traceback by the name of the exception's type and the line that raised it."""
        kind, _, trace = record.exc_info or (None, None, None)
        record.msg = "the server reported a fault"
        if kind and trace:
            frame = traceback.extract_tb(trace)[-1]
            record.msg = f"a handler failed: {kind.__name__} in {Path(frame.filename).name}:{frame.lineno}"
        record.args = ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True


COUNTS = "/_control/requests"


def counted(app: web.Application) -> web.Application:
    """Let a part say at `COUNTS` how many requests have come, by method; ``DELETE`` counts anew. Those of tests are none."""
    counts: Counter[str] = Counter()

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == COUNTS:
            if request.method == "DELETE":
                counts.clear()
            return web.json_response(counts)
        if not request.path.startswith("/_control/"):
            counts[request.method] += 1
        return await handler(request)

    app.middlewares.insert(0, count)
    return app


def serve(part: str, app: web.Application, *, at: int) -> None:
    """Serve on the loopback interface until SIGTERM or SIGINT; a handler whose client has gone is cancelled."""
    logging.getLogger("aiohttp.server").addFilter(TypeNamesOnly())
    asyncio.run(_serve(part, app, at))


async def _serve(part: str, app: web.Application, at: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, parts.HOST, at).start()
        parts.ready(part, at)
        await stop.wait()
    finally:
        await runner.cleanup()
