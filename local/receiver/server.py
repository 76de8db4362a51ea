"""The HTTP face of the receiver: ``/hooks/{name}`` for webhooks, and ``/_control`` for tests. In memory only."""

import asyncio
import json
from collections import deque

from aiohttp import web

from local import clock
from local.receiver.answers import Answer

REMEMBERED = 2000
MAX_BODY_BYTES = 64 * 1024


class Receiver:
    """Takes every webhook, whatever its signature: checking is the business of whoever reads what was received."""

    def __init__(self) -> None:
        self._received: deque[dict[str, object]] = deque(maxlen=REMEMBERED)
        self._answers: deque[Answer] = deque()

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/hooks/{name}", self._receive)
        app.router.add_get("/_control/received", self._report)
        app.router.add_delete("/_control/received", self._forget)
        app.router.add_post("/_control/answer", self._order)
        app.router.add_delete("/_control/answer", self._clear)
        return app

    async def _receive(self, request: web.Request) -> web.Response:
        """Remember a request with its answer, then answer. Anything but POST (a redirect that was followed) is seen too."""
        body = (await request.read()).decode("utf-8", "replace")
        answer = self._next_answer()
        status = answer.status if answer else 200
        self._received.append(
            {
                "name": request.match_info["name"],
                "method": request.method,
                "received_at": clock.now(),
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "body": body,
                "answered": status,
            }
        )
        if answer:
            await asyncio.sleep(answer.delay_seconds)
        return web.Response(status=status, headers=answer.headers if answer else None)

    def _next_answer(self) -> Answer | None:
        while self._answers and not self._answers[0].left:
            self._answers.popleft()
        if not self._answers:
            return None
        self._answers[0].left -= 1
        return self._answers[0]

    async def _report(self, _request: web.Request) -> web.Response:
        return web.json_response({"received": list(self._received)})

    async def _forget(self, _request: web.Request) -> web.Response:
        self._received.clear()
        return web.Response(status=204)

    async def _order(self, request: web.Request) -> web.Response:
        """Answer so the next ``count`` times, after what was ordered before."""
        try:
            self._answers.append(Answer.of(json.loads(await request.read())))
        except ValueError:
            return web.json_response({"error": "not an answer"}, status=400)
        return web.Response(status=204)

    async def _clear(self, _request: web.Request) -> web.Response:
        self._answers.clear()
        return web.Response(status=204)
