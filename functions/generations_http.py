"""Lethe's own HTTP interface: submit, read, look up and delete generations."""

import azure.functions as func

from functions import web
from functions.faces import Face
from functions.runtime import composition
from shared.callers import Caller
from shared.domain import views
from shared.domain.principal import Role
from shared.domain.request import parse_key
from shared.errors import NotFound

generations_http = func.Blueprint()

POLL_SECONDS = 2
"""``Retry-After`` of an admission: about when it is worth asking."""


@generations_http.route("v1/generations", trigger_arg_name="request", methods=["POST"])
async def submit_generation(request: func.HttpRequest) -> func.HttpResponse:
    """Admit a generation; 202 with its location, the same one for the same request."""
    return await web.answer(request, Face.LETHE, _submit, roles={Role.SUBMIT})


@generations_http.route("v1/generations/lookup", trigger_arg_name="request", methods=["POST"])
async def look_up_generation(request: func.HttpRequest) -> func.HttpResponse:
    """Find a generation by its key. A ``custom_id`` may name a person, so it travels in a body: hosts log URLs."""
    return await web.answer(request, Face.LETHE, _look_up, roles={Role.SUBMIT})


@generations_http.route("v1/generations/{id}", trigger_arg_name="request", methods=["GET"])
async def get_generation(request: func.HttpRequest) -> func.HttpResponse:
    """Read a generation; 410 after its deadline."""
    return await web.answer(request, Face.LETHE, _get, roles={Role.SUBMIT})


@generations_http.route("v1/generations/{id}", trigger_arg_name="request", methods=["DELETE"])
async def delete_generation(request: func.HttpRequest) -> func.HttpResponse:
    """Delete a generation's content at once."""
    return await web.answer(request, Face.LETHE, _delete, roles={Role.SUBMIT})


async def _submit(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.generation.submit import submit

    envelope = web.read_json(request)
    record = await submit(envelope, caller.tenant_for(Role.SUBMIT), composition().generation, by=caller.principal)
    shown = views.generation(record) | {"custom_id": envelope["custom_id"], "batch": envelope.get("batch")}
    headers = {"Location": f"/v1/generations/{shown['id']}", "Retry-After": str(POLL_SECONDS)}
    return web.json_response(shown, status=202, headers=headers)


async def _look_up(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.generation.read import lookup

    key = parse_key(web.read_json(request))
    tenant = caller.tenant_for(Role.SUBMIT).tenant_id
    return await _shown(tenant, await lookup(tenant, key.custom_id, key.batch, composition().generation))


async def _get(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    return await _shown(caller.tenant_for(Role.SUBMIT).tenant_id, _job_id(request))


async def _delete(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.generation.read import delete

    await delete(caller.tenant_for(Role.SUBMIT).tenant_id, _job_id(request), composition().generation)
    return web.empty_response()


async def _shown(tenant: str, job_id: str) -> func.HttpResponse:
    from shared.generation.read import read

    record = await read(tenant, job_id, composition().generation)
    headers = {} if record.receipt.status.terminal else {"Retry-After": str(POLL_SECONDS)}
    return web.json_response(views.generation(record), headers=headers)


def _job_id(request: func.HttpRequest) -> str:
    job_id = views.job_id(request.route_params["id"], views.GENERATION)
    if job_id is None:
        raise NotFound
    return job_id
