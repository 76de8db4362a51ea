"""The reviewers' routes: alerts, and the content of one sealed record at a time. Only the review app has them."""

import azure.functions as func

from functions import web
from functions.faces import Face
from functions.runtime import composition
from shared.domain import abuse_view
from shared.domain.abuse_requests import ListAlerts, OpenRecord, ResolveAlert
from shared.domain.principal import Role
from shared.domain.validation import validate

abuse_review_http = func.Blueprint()


@abuse_review_http.route("v1/abuse/alerts", trigger_arg_name="request", methods=["GET"])
async def list_abuse_alerts(request: func.HttpRequest) -> func.HttpResponse:
    """List a tenant's alerts, the latest first."""
    return await web.answer_anybody(request, Face.LETHE, _list)


@abuse_review_http.route("v1/abuse/alerts/{id}/resolve", trigger_arg_name="request", methods=["POST"])
async def resolve_abuse_alert(request: func.HttpRequest) -> func.HttpResponse:
    """Say what the review of an alert came to."""
    return await web.answer_anybody(request, Face.LETHE, _resolve)


@abuse_review_http.route("v1/abuse/records/{id}/open", trigger_arg_name="request", methods=["POST"])
async def open_abuse_record(request: func.HttpRequest) -> func.HttpResponse:
    """Open a sealed record for a case; whether it is opened or refused, there is evidence of it."""
    return await web.answer_anybody(request, Face.LETHE, _open)


async def _list(request: func.HttpRequest) -> func.HttpResponse:
    from shared.abuse.review import page

    caller = await web.authenticate(request)
    caller.require_person(Role.REVIEWER)
    asked = {name: value for name, value in request.params.items() if name != "limit"}
    found = await page(validate(ListAlerts, asked), web.page_size(request), composition().reviewing)
    listed = [abuse_view.alert(alert) for alert in found.entries]
    return web.json_response({"object": "list", "data": listed, "has_more": found.has_more})


async def _resolve(request: func.HttpRequest) -> func.HttpResponse:
    from shared.abuse.review import resolve

    caller = await web.authenticate(request)
    caller.require_person(Role.REVIEWER)
    order = validate(ResolveAlert, web.read_json(request))
    resolved = await resolve(request.route_params["id"], order, caller.principal, composition().reviewing)
    return web.json_response(abuse_view.alert(resolved))


async def _open(request: func.HttpRequest) -> func.HttpResponse:
    from shared.abuse.access import refusals_recorded
    from shared.abuse.review import open_record

    caller, record_id, reviewing = await web.authenticate(request), request.route_params["id"], composition().reviewing
    async with refusals_recorded(caller.principal, record_id, reviewing.evidence):
        caller.require_person(Role.REVIEWER)
        order = validate(OpenRecord, web.read_json(request))
        opened = await open_record(record_id, order, caller.principal, reviewing)
    return web.json_response(abuse_view.record(opened.record, opened.content))
