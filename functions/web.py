"""The HTTP edge of all faces: who calls, what body it is, and how an answer or an error is written.

A route is three lines: ``return await web.answer(request, Face.LETHE, handler, roles={Role.SUBMIT})``. The handler gets the
request and its `Caller`, who has one of the roles. Whatever it raises ends here, as static text.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING

import azure.functions as func

from functions.faces import Answer, Face, answer_to
from functions.refusals import count_refusal
from functions.runtime import composition
from shared.domain.json_document import Json, parse_object
from shared.domain.principal import Role
from shared.errors import Forbidden, Reason, RequestRefused, ServiceUnavailable, Unauthenticated, UnsupportedMediaType
from shared.patience import patience
from shared.telemetry import Event, log

if TYPE_CHECKING:
    from shared.callers import Caller

type Handler = Callable[[func.HttpRequest, "Caller"], Awaitable[func.HttpResponse]]
type PublicHandler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]

_STATIC_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_SERVER_ERROR = 500

DEFAULT_PAGE = 20
LARGEST_PAGE = 100
"""Entries of a list in one answer."""

PATIENCE_SECONDS = 5
"""A caller who waits is better told to come again."""
ANSWER_SECONDS = 8
"""The same for one call of a service that takes connections and says nothing: patience is asked between calls only."""


async def answer(request: func.HttpRequest, face: Face, handler: Handler, *, roles: Collection[Role]) -> func.HttpResponse:
    """Answer a caller who has one of the roles; a body is read only after that."""

    async def authenticated(request: func.HttpRequest) -> func.HttpResponse:
        caller = await authenticate(request)
        caller.require(*roles)
        return await handler(request, caller)

    return await answer_anybody(request, face, authenticated)


async def answer_anybody(request: func.HttpRequest, face: Face, handler: PublicHandler) -> func.HttpResponse:
    """Answer without asking who calls."""
    try:
        with patience(PATIENCE_SECONDS):
            async with asyncio.timeout(ANSWER_SECONDS):
                return await handler(request)
    except TimeoutError:
        return _refusal(ServiceUnavailable(), face)
    except Exception as error:  # noqa: BLE001 - the edge is for whatever was not foreseen
        return _refusal(error, face)


async def authenticate(request: func.HttpRequest) -> "Caller":
    """Return the caller; raises `Unauthenticated`, `Forbidden` and `ServiceUnavailable`."""
    return await composition().callers.authenticate(request.headers.get("Authorization"))


def read_json(request: func.HttpRequest) -> Json:
    """Return the JSON object of the body; raises `UnsupportedMediaType` and `RequestRefused`."""
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" or request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType
    body, limit = request.get_body(), composition().max_request_bytes
    if len(body) > limit:
        raise RequestRefused(Reason.REQUEST_TOO_LARGE, "message")
    return parse_object(body, max_bytes=limit)


def page_size(request: func.HttpRequest) -> int:
    """Return how many entries of a list are asked for; raises `RequestRefused`."""
    given = request.params.get("limit", str(DEFAULT_PAGE))
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= LARGEST_PAGE:
        raise RequestRefused(Reason.INVALID_VALUE, "limit")
    return int(given)


def json_response(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Write a JSON answer, which nobody on the way may keep."""
    return _response(value, status=status, mimetype="application/json", headers=headers or {})


def lines_response(lines: bytes) -> func.HttpResponse:
    """Write an answer of JSON lines, which nobody on the way may keep."""
    return func.HttpResponse(lines, status_code=200, mimetype="application/x-ndjson", headers=_STATIC_HEADERS)


def empty_response(*, status: int = 204, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Write an answer without a body."""
    return func.HttpResponse(status_code=status, headers={**_STATIC_HEADERS, **(headers or {})})


def _refusal(error: Exception, face: Face) -> func.HttpResponse:
    refusal = answer_to(error)
    _log(error, refusal)
    count_refusal(error)
    body, mimetype = refusal.written_for(face)
    return _response(body, status=refusal.status, mimetype=mimetype, headers=refusal.headers)


def _log(error: Exception, refusal: Answer) -> None:
    if isinstance(error, Unauthenticated | Forbidden):
        log(Event.CALLER_REFUSED, code=error.denial, status_code=refusal.status)
    elif refusal.status >= _SERVER_ERROR:
        log(Event.INVOCATION_FAILED, code=type(error).__name__, status_code=refusal.status, warning=True)


def _response(value: object, *, status: int, mimetype: str, headers: Mapping[str, str]) -> func.HttpResponse:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return func.HttpResponse(body, status_code=status, mimetype=mimetype, headers={**_STATIC_HEADERS, **headers})
