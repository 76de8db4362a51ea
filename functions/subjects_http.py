"""What a tenant may do about one data subject: erase it, look at the erasure, export what there is of it."""

import azure.functions as func

from functions import web
from functions.faces import Face
from functions.runtime import composition
from shared.callers import Caller
from shared.domain import erasure_view
from shared.domain.principal import Role
from shared.domain.subject_requests import Erase, Export
from shared.domain.validation import validate

subjects_http = func.Blueprint()


@subjects_http.route("v1/subjects/erasures", trigger_arg_name="request", methods=["POST"])
async def erase_subject(request: func.HttpRequest) -> func.HttpResponse:
    """Erase a subject; 202 with the erasure's location. Whom it is about stands in the body: hosts log URLs."""
    return await web.answer(request, Face.LETHE, _erase, roles={Role.PRIVACY})


@subjects_http.route("v1/subjects/erasures/{id}", trigger_arg_name="request", methods=["GET"])
async def get_erasure(request: func.HttpRequest) -> func.HttpResponse:
    """Read the receipt of an erasure."""
    return await web.answer(request, Face.LETHE, _get, roles={Role.PRIVACY})


@subjects_http.route("v1/subjects/exports", trigger_arg_name="request", methods=["POST"])
async def export_subject(request: func.HttpRequest) -> func.HttpResponse:
    """Export a page of what there is of a subject, as lines of JSON."""
    return await web.answer(request, Face.LETHE, _export, roles={Role.PRIVACY})


async def _erase(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.privacy.erasure import request_erasure

    policy = caller.tenant_for(Role.PRIVACY)
    body = validate(Erase, web.read_json(request))
    requested = await request_erasure(policy, body.safety_identifier, composition().erasing)
    shown = erasure_view.erasure(requested, backup_horizon=composition().backup_horizon)
    return web.json_response(shown, status=202, headers={"Location": f"/v1/subjects/erasures/{shown['id']}"})


async def _get(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.privacy.erasure import read_erasure

    tenant = caller.tenant_for(Role.PRIVACY).tenant_id
    erasure_id = erasure_view.known_form(request.route_params["id"])
    found = await read_erasure(tenant, erasure_id, composition().erasing)
    return web.json_response(erasure_view.erasure(found, backup_horizon=composition().backup_horizon))


async def _export(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.privacy.export import export

    tenant = caller.tenant_for(Role.PRIVACY).tenant_id
    body = validate(Export, web.read_json(request))
    lines = await export(tenant, body.safety_identifier, body.after, composition().erasing, composition().generation)
    return web.lines_response(lines)
