"""HTTP triggers: the front that Azure Functions puts before an app."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

from local.host import logs, runtime
from local.host.host_json import HostJson
from local.host.invocation import Invoker
from local.host.routes import Route, compile_route
from local.host.runtime import Function, Inputs

MAX_BODY = 100 * 1024 * 1024
"""Azure Functions' default limit of a request body."""
_ALL_METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "PATCH", "PUT", "OPTIONS", "TRACE", "CONNECT"})
_TRACE_PARENT_FIELDS = 4


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An HTTP function with its route and methods."""

    function: Function
    route: Route
    methods: frozenset[str]


def endpoint(function: Function, host: HostJson) -> Endpoint:
    """Read route and methods from the trigger; the route is the function's name by default."""
    trigger = function.trigger
    if str(trigger.get("authLevel", "function")).lower() != "anonymous":
        logs.write("Host.Startup", f"Function '{function.name}' asks for a key; keys are not checked locally")
    methods = trigger.get("methods") or _ALL_METHODS
    return Endpoint(
        function=function,
        route=compile_route(trigger.get("route") or function.name, prefix=host.route_prefix),
        methods=frozenset(str(method).upper() for method in methods),
    )


class Front:
    """Finds the function of a request, invokes it and answers with what it returns."""

    def __init__(self, endpoints: list[Endpoint], *, invoker: Invoker) -> None:
        self._endpoints = sorted(endpoints, key=lambda each: each.route.precedence)
        self._invoker = invoker

    def application(self) -> web.Application:
        """Make the aiohttp application: every path is ours to route."""
        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        started = time.monotonic()
        status = 500
        try:
            response = await self._respond(request)
            status = response.status
        except web.HTTPException as refusal:
            status = refusal.status
            raise
        finally:
            logs.write(
                "Host.Requests",
                f"{request.method} {url_of(request)}",
                status=status,
                duration_ms=round((time.monotonic() - started) * 1000),
                user_agent=request.headers.get("User-Agent"),
            )
        return response

    async def _respond(self, request: web.Request) -> web.Response:
        for candidate in self._endpoints:
            params = candidate.route.match(request.rel_url.raw_path)
            if params is not None and request.method in candidate.methods:
                break
        else:  # a known route with another method is 404 too (azure-functions-host issue 10098)
            return web.Response(status=404)
        outcome = await self._invoker.run(
            candidate.function,
            reason="This function was programmatically called via the host APIs.",
            inputs=await inputs_of(request, candidate.function.parameter, params),
            trace_id=_trace_id(request),
        )
        return response_of(outcome.value) if outcome.succeeded else web.Response(status=500)


def url_of(request: web.Request) -> str:
    """Full URL as the host sees, logs and hands it over: with the query string."""
    return f"{request.scheme}://{request.host}{request.raw_path}"


async def inputs_of(request: web.Request, parameter: str, params: Mapping[str, str]) -> Inputs:
    """Datum of a request: repeated headers and query values are joined by commas, names of headers lower case."""
    body = await request.read()
    return [
        (
            parameter,
            runtime.http(
                {
                    "method": runtime.text(request.method),
                    "url": runtime.text(url_of(request)),
                    "headers": _joined((name.lower(), value) for name, value in request.headers.items()),
                    "query": _joined(request.query.items()),
                    "params": {name: runtime.text(value) for name, value in params.items()},
                    "body": runtime.binary(body),
                }
            ),
        )
    ]


def response_of(value: runtime.Value) -> web.Response:
    """Make the response that a function returned; a plain string is text."""
    if value.type != "http":
        return web.Response(text=str(value.value))
    answer = value.value
    headers = CIMultiDict({name: datum.value for name, datum in answer["headers"].items()})
    for name in ("content-length", "transfer-encoding", "connection"):
        headers.pop(name, None)  # the server's own business
    for morsel in (morsel for cookie in answer["cookies"] or () for morsel in cookie.values()):
        headers.add("Set-Cookie", morsel.OutputString())
    return web.Response(status=int(answer["status_code"].value), headers=headers, body=answer["body"].value)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, runtime.Value]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: runtime.text(",".join(each)) for name, each in values.items()}


def _trace_id(request: web.Request) -> str | None:
    fields = request.headers.get("traceparent", "").split("-")
    return fields[1] if len(fields) == _TRACE_PARENT_FIELDS and len(fields[1]) == 32 else None  # noqa: PLR2004
