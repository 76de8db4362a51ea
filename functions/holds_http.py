"""Holds, for those who run the service: place, look, renew, release. A data subject is named in the body, never in a URL."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions import web
from functions.faces import Face
from functions.runtime import composition
from shared.callers import Caller
from shared.domain import views
from shared.domain.hold_requests import INSIDE, PlaceHold, RenewHold
from shared.domain.json_document import Json
from shared.domain.principal import Role
from shared.domain.validation import validate

if TYPE_CHECKING:
    from shared.privacy.holds import Shown

holds_http = func.Blueprint()

_OPERATORS = {Role.OPERATOR}


@holds_http.route("v1/holds", trigger_arg_name="request", methods=["POST"])
async def place_hold(request: func.HttpRequest) -> func.HttpResponse:
    """Place a hold and mark what exists; what is not marked at once the timer marks."""
    return await web.answer(request, Face.LETHE, _place, roles=_OPERATORS)


@holds_http.route("v1/holds", trigger_arg_name="request", methods=["GET"])
async def list_holds(request: func.HttpRequest) -> func.HttpResponse:
    """List holds of one tenant or of all, the newest first."""
    return await web.answer(request, Face.LETHE, _list, roles=_OPERATORS)


@holds_http.route("v1/holds/{id}", trigger_arg_name="request", methods=["GET"])
async def get_hold(request: func.HttpRequest) -> func.HttpResponse:
    """Read a hold, and count what it holds."""
    return await web.answer(request, Face.LETHE, _get, roles=_OPERATORS)


@holds_http.route("v1/holds/{id}", trigger_arg_name="request", methods=["DELETE"])
async def release_hold(request: func.HttpRequest) -> func.HttpResponse:
    """Release a hold; the next run of the timer deletes what is overdue."""
    return await web.answer(request, Face.LETHE, _release, roles=_OPERATORS)


@holds_http.route("v1/holds/{id}/renew", trigger_arg_name="request", methods=["POST"])
async def renew_hold(request: func.HttpRequest) -> func.HttpResponse:
    """Let a hold end later."""
    return await web.answer(request, Face.LETHE, _renew, roles=_OPERATORS)


async def _place(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.privacy.holds import place

    order = validate(PlaceHold, web.read_json(request), inside=INSIDE)
    shown = _shown(await place(order, caller.principal, composition().holding))
    return web.json_response(shown, status=201, headers={"Location": f"/v1/holds/{shown['id']}"})


async def _list(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:  # noqa: ARG001 - a handler gets both
    from shared.privacy.holds import page

    holding = composition().holding
    found = await page(
        request.params.get("tenant"), after=request.params.get("after"), limit=web.page_size(request), holding=holding
    )
    now = holding.clock()
    listed = [views.hold(hold, now=now) for hold in found.entries]
    return web.json_response({"object": "list", "data": listed, "has_more": found.has_more})


async def _get(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:  # noqa: ARG001
    from shared.privacy.holds import show

    return web.json_response(_shown(await show(request.route_params["id"], composition().holding)))


async def _release(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.privacy.holds import release

    await release(request.route_params["id"], caller.principal, composition().holding)
    return web.empty_response()


async def _renew(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.privacy.holds import renew

    order = validate(RenewHold, web.read_json(request))
    shown = await renew(request.route_params["id"], order.ends_at, caller.principal, composition().holding)
    return web.json_response(_shown(shown))


def _shown(shown: "Shown") -> Json:
    return {**views.hold(shown.hold, now=composition().holding.clock()), "held": views.held(shown.held)}
