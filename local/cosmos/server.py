"""The HTTP face: aiohttp requests in, replies out, and the control paths for tests."""

import asyncio
import itertools
import json
import logging
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from aiohttp import web

from local.cosmos import auth, rows
from local.cosmos.address import parse
from local.cosmos.calls import Call, Reply
from local.cosmos.documents import MAX_BYTES, decode_object
from local.cosmos.endpoint import answer
from local.cosmos.errors import CosmosError, not_found, too_large
from local.cosmos.faults import Armed, Fault, fault
from local.cosmos.store import Store

_LOG = logging.getLogger("lethe.cosmos")
_MOST_READ: Final = 8 * MAX_BYTES
_SWEEP_EVERY: Final = 0.4


class Server:
    """One store behind one port."""

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._key = key
        self._armed = Armed()
        self._writes = itertools.count(1)

    def application(self) -> web.Application:
        """The aiohttp application; it sweeps while it runs, and closes the store when it ends."""
        app = web.Application(client_max_size=_MOST_READ)
        app.cleanup_ctx.append(self._open)
        app.router.add_route("*", "/_control/{what}", self._control)
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    async def _open(self, _: web.Application) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(self._sweep())
        yield
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper
        self._store.close()

    async def _sweep(self) -> None:
        """Delete expired items, and what is left of deleted ones, from the file, again and again."""
        pause = _SWEEP_EVERY
        while True:
            await asyncio.sleep(pause)
            try:
                pause = 0 if rows.sweep(self._store) else _SWEEP_EVERY
                if pause:
                    self._store.scrubber.scrub()
            except sqlite3.Error as error:
                pause = _SWEEP_EVERY
                _LOG.warning("sweep failed: %s", type(error).__name__)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        activity = request.headers.get("x-ms-activity-id") or str(uuid.uuid4())
        try:
            reply = await self._answered(await _call(request))
        except CosmosError as error:
            reply = Reply(status=error.status, body=error.body(), headers=error.headers)
        except Exception as error:  # noqa: BLE001 - a bug must not show a document in a traceback
            _LOG.error("request failed: %s", type(error).__name__)
            failure = CosmosError(HTTPStatus.INTERNAL_SERVER_ERROR, "The endpoint failed.")
            reply = Reply(status=failure.status, body=failure.body())
        return _cut(request) if reply is None else self._response(reply, activity)

    async def _answered(self, call: Call) -> Reply | None:
        """The reply; None when a fault wants the connection cut instead."""
        auth.check(self._key, call.method, call.address, call.headers)
        armed = self._arrived(call)
        if armed is None:
            return answer(self._store, call)
        await asyncio.sleep(armed.delay_ms / 1000)
        if armed.drop_before:
            return None
        if error := armed.error():
            raise error
        try:
            reply = answer(self._store, call)
        except CosmosError as error:
            reply = Reply(status=error.status, body=error.body(), headers=error.headers)
        return None if armed.drop_after_write else reply

    def _arrived(self, call: Call) -> Fault | None:
        if call.operation is None or call.address.container is None:
            return None
        return self._armed.arrived(call.operation, call.address.container)

    def _response(self, reply: Reply, activity: str) -> web.Response:
        headers = {
            "x-ms-activity-id": activity,
            "x-ms-request-charge": str(reply.charge),
            "x-ms-session-token": f"0:-1#{next(self._writes)}",
            "x-ms-version": "2018-12-31",
            **reply.headers,
        }
        if reply.etag is not None:
            headers["etag"] = reply.etag
        body = None if reply.body is None else json.dumps(reply.body).encode()
        return web.Response(status=reply.status, body=body, headers=headers, content_type="application/json")

    async def _control(self, request: web.Request) -> web.Response:
        try:
            match request.match_info["what"], request.method:
                case "faults", "POST":
                    self._armed.arm(fault(decode_object(await request.read())))
                case "faults", "DELETE":
                    self._armed.disarm()
                case "requests", "GET":
                    return web.json_response(self._armed.counts())
                case "requests", "DELETE":
                    self._armed.reset_counts()
                case _:
                    raise not_found()
        except CosmosError as error:
            return web.json_response(error.body(), status=error.status)
        return web.Response(status=HTTPStatus.NO_CONTENT)


async def _call(request: web.Request) -> Call:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large() from None
    return Call(
        method=request.method,
        address=parse(request.rel_url.raw_path),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        base=f"http://{request.host}/",
    )


def _cut(request: web.Request) -> web.Response:
    """End the TCP connection without a response."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
