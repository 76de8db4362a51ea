"""Runs the function app of a folder: ``python -m local.host [--app FOLDER] [--settings FILE]``."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from aiohttp import web as aiohttp_web

from local import parts
from local.host import host_json, logs, runtime, settings, triggers, web
from local.host.errors import StartError
from local.host.invocation import Invoker

_GRACE = 10.0
"""Seconds that running invocations get to end when the host is told to stop."""


def main() -> None:
    """Run until SIGTERM or SIGINT; exit 1 with one clear line when the app cannot be run."""
    options = _options()
    app = options.app.resolve()
    try:
        settings.load(options.settings or app / "local.settings.json", os.environ, required=options.settings is not None)
        host = host_json.read(app / "host.json")
        invoker = Invoker(timeout=host.function_timeout)
        logs.capture(invoker.category)
        built = triggers.build(
            runtime.index(app), host=host, environment=os.environ, folder=parts.state_folder(), invoker=invoker
        )
        finished = asyncio.run(_serve(built, web.Front(built.endpoints, invoker=invoker)))
    except StartError as error:
        sys.__stderr__.write(f"local.host: {error}\n")  # type: ignore[union-attr]  # None only without a console
        sys.exit(1)
    if not finished:
        sys.__stderr__.flush()  # type: ignore[union-attr]
        os._exit(0)  # a function that blocks its thread would keep the process for ever


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--app", type=Path, default=Path(), help="folder of function_app.py and host.json")
    parser.add_argument("--settings", type=Path, help="app settings, default local.settings.json in the app's folder")
    return parser.parse_args()


async def _serve(built: triggers.Triggers, front: web.Front) -> bool:
    """Serve until told to stop; whether every invocation came to its end."""
    stop = _stop_on_signal()
    runner = aiohttp_web.AppRunner(front.application(), access_log=None, auto_decompress=False, shutdown_timeout=_GRACE)
    await runner.setup()
    port = parts.port("http")
    try:
        await aiohttp_web.TCPSite(runner, parts.HOST, port).start()
    except OSError:
        raise StartError(f"port {port} cannot be had: something else listens there") from None
    pumps = [asyncio.create_task(pump.run()) for pump in built.pumps]
    timers = [asyncio.create_task(timer.run()) for timer in built.timers]
    with contextlib.redirect_stdout(sys.__stdout__):
        parts.ready("http", port)
    await _until(stop, [*pumps, *timers])
    for pump in built.pumps:
        pump.stop()
    for timer in built.timers:
        timer.stop()
    _, pending = await asyncio.wait([*pumps, *timers, asyncio.create_task(runner.cleanup())], timeout=_GRACE)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return not pending


def _stop_on_signal() -> asyncio.Event:
    """Set the event on the first signal; later ones are ignored, so that the end stays an orderly one."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def end(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return stop


async def _until(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait for the signal; a trigger that ends by itself is a fault of the host, which then ends too."""
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done - {waiting}:
        await task


if __name__ == "__main__":
    main()
