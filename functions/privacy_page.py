"""The page that people look at: static files of the app, under a policy that lets nothing in from anywhere else."""

from pathlib import Path

import azure.functions as func

from functions import web
from functions.faces import Face
from functions.runtime import composition

privacy_page = func.Blueprint()

_FILES = Path(__file__).parent / "page"
_TYPES = {
    "index.html": "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "elements.js": "text/javascript",
    "charts.js": "text/javascript",
    "places.js": "text/javascript",
    "safeguards.js": "text/javascript",
    "uplot.css": "text/css",
    "uplot.js": "text/javascript",
    "uplot.LICENSE.txt": "text/plain",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@privacy_page.route("privacy", trigger_arg_name="request", methods=["GET"])
async def get_privacy_page(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs the name
    """Show the state of each promise to anybody."""
    return _file("index.html")


@privacy_page.route("privacy/overview", trigger_arg_name="request", methods=["GET"])
async def get_privacy_overview(request: func.HttpRequest) -> func.HttpResponse:
    """Tell the page's figures; they name no tenant."""
    return await web.answer_anybody(request, Face.LETHE, _overview)


@privacy_page.route("privacy/assets/{name}", trigger_arg_name="request", methods=["GET"])
async def get_privacy_asset(request: func.HttpRequest) -> func.HttpResponse:
    """Serve a file of the page; there are no others."""
    name = request.route_params["name"]
    return _file(name) if name in _TYPES else func.HttpResponse(status_code=404, headers=_HEADERS)


async def _overview(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - a handler's shape
    from shared.privacy.overview import overview

    return web.json_response(await overview(composition().overview))


def _file(name: str) -> func.HttpResponse:
    mimetype = f"{_TYPES[name]}; charset=utf-8"
    return func.HttpResponse((_FILES / name).read_bytes(), mimetype=mimetype, headers={**_HEADERS, "Content-Type": mimetype})
