"""The HTTP face of the simulated resource: base path ``/openai/v1/``, and ``/_control`` for tests."""

import asyncio
import json
import secrets
from typing import NoReturn

from aiohttp import web
from aiohttp.typedefs import Handler

from local import clock
from local.model import chat, completion, directives, embeddings, errors, fields, filters, prompt, responses
from local.model.directives import Directives
from local.model.faults import Faults
from local.model.journal import Journal
from local.model.prompt import Json, Prompt

BASE_PATH = "/openai/v1/"
MAX_REQUEST_BYTES = 16 * 1024 * 1024


class Resource:
    """One Azure OpenAI resource with its deployments."""

    def __init__(self, *, deployments: tuple[str, ...], latency_seconds: float) -> None:
        self._deployments = deployments
        self._latency = latency_seconds
        self._journal = Journal()
        self._faults = Faults()

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[_errors])
        for operation in fields.FIELDS:
            app.router.add_post(BASE_PATH + operation, self._generate)
        app.router.add_get(BASE_PATH + "models", self._models)
        app.router.add_get("/_control/calls", self._report)
        app.router.add_delete("/_control/calls", self._reset)
        app.router.add_post("/_control/faults", self._add_fault)
        app.router.add_delete("/_control/faults", self._clear_faults)
        app.router.add_route("*", "/{anything:.*}", self._unknown)
        return app

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        operation = request.path.removeprefix(BASE_PATH)
        body = _parse(await request.read())
        self._journal.record_request(request.method, request.path, request.headers, body or {})
        asked_prompt = prompt.read(body or {})
        self._journal.record_call(body or {}, asked_prompt)
        await self._meet_faults(request, body or {})
        _authorize(request)
        if body is None:
            raise errors.invalid("invalid_json", "The body of your request is not a JSON object.")
        fields.check(operation, body)
        if body["model"] not in self._deployments:
            raise errors.unknown_deployment()
        asked = directives.parse(asked_prompt.everything)
        with self._journal.running(str(body["model"])):
            await asyncio.sleep(self._latency + asked.delay_seconds)
            await self._obey(operation, asked, asked_prompt)
        answer = json.dumps(_answer(operation, body, asked, asked_prompt)).encode()
        if asked.truncate:
            answer = answer[: len(answer) // 2]
        return web.Response(body=answer, content_type="application/json", headers=_headers())

    async def _meet_faults(self, request: web.Request, body: Json) -> None:
        for fault in self._faults.strike(str(body.get("model"))):
            await asyncio.sleep(fault.delay_seconds)
            if fault.status:
                raise errors.status(fault.status, fault.retry_after)
            if fault.drop:
                if request.transport:
                    request.transport.abort()
                await _until_the_client_goes()

    async def _obey(self, operation: str, asked: Directives, said: Prompt) -> None:
        """Raise or wait as the directives say; return when the request is to be answered."""
        failure = asked.failure(self._journal.directed(said))
        if failure:
            raise errors.status(failure.status, failure.retry_after)
        if asked.hang:
            await _until_the_client_goes()
        if asked.block:
            raise filters.prompt_blocked(asked.block, fields.PROMPT_FIELD[operation])
        if asked.echo_error:
            raise errors.invalid("invalid_prompt", f"Invalid prompt: {' '.join(said.everything)}")

    async def _models(self, request: web.Request) -> web.Response:
        self._journal.record_request(request.method, request.path, request.headers, {})
        _authorize(request)
        created = int(clock.now())
        rows = [{"id": name, "object": "model", "created": created, "owned_by": "local"} for name in self._deployments]
        return web.json_response({"object": "list", "data": rows}, headers=_headers())

    async def _unknown(self, request: web.Request) -> NoReturn:
        """Remember what asked for something that a stateless client must never ask for, such as a file upload."""
        self._journal.record_request(request.method, request.path, request.headers, {})
        raise errors.not_found()

    async def _report(self, _request: web.Request) -> web.Response:
        return web.json_response(self._journal.report())

    async def _reset(self, _request: web.Request) -> web.Response:
        self._journal.reset()
        return web.Response(status=204)

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            self._faults.add(_parse(await request.read()) or {})
        except ValueError as error:
            raise errors.invalid("invalid_fault", str(error)) from None
        return web.Response(status=204)

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._faults.clear()
        return web.Response(status=204)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except errors.ModelError as error:
        return web.json_response(error.body, status=error.status, headers={**_headers(), **error.headers})


def _answer(operation: str, body: Json, asked: Directives, said: Prompt) -> Json:
    if operation == "embeddings":
        return embeddings.build(body, said)
    generated = completion.complete(body, said, asked)
    return responses.build(body, generated) if operation == "responses" else chat.build(body, generated)


def _parse(raw: bytes) -> Json | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _authorize(request: web.Request) -> None:
    """Refuse whatever is not an Entra ID bearer token; whether the token is good is not this part's business."""
    if "api-key" in request.headers:
        raise errors.key_refused()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise errors.unauthorized()


def _headers() -> dict[str, str]:
    number = secrets.token_hex(16)
    return {"x-request-id": number, "apim-request-id": number, "x-ms-region": "Local"}


async def _until_the_client_goes() -> None:
    """Wait; the server cancels a handler whose connection is lost."""
    await asyncio.Event().wait()
