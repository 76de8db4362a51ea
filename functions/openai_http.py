"""OpenAI's interface for the official OpenAI clients: Responses in background mode, and the models of the caller's tenant."""

import azure.functions as func

from functions import web
from functions.faces import Face
from functions.runtime import composition
from shared.callers import Caller
from shared.domain import openai_face, views
from shared.domain.generation import Record
from shared.domain.principal import Role
from shared.errors import NotFound

openai_http = func.Blueprint()


@openai_http.route("openai/v1/responses", trigger_arg_name="request", methods=["POST"])
async def create_response(request: func.HttpRequest) -> func.HttpResponse:
    """Admit a response in background mode."""
    return await web.answer(request, Face.OPENAI, _create, roles={Role.SUBMIT})


@openai_http.route("openai/v1/responses/{id}", trigger_arg_name="request", methods=["GET"])
async def get_response(request: func.HttpRequest) -> func.HttpResponse:
    """Read a response; 410 after its deadline."""
    return await web.answer(request, Face.OPENAI, _get, roles={Role.SUBMIT})


@openai_http.route("openai/v1/responses/{id}/cancel", trigger_arg_name="request", methods=["POST"])
async def cancel_response(request: func.HttpRequest) -> func.HttpResponse:
    """Cancel a response; one that has ended stays as it is."""
    return await web.answer(request, Face.OPENAI, _cancel, roles={Role.SUBMIT})


@openai_http.route("openai/v1/responses/{id}", trigger_arg_name="request", methods=["DELETE"])
async def delete_response(request: func.HttpRequest) -> func.HttpResponse:
    """Delete a response's content at once."""
    return await web.answer(request, Face.OPENAI, _delete, roles={Role.SUBMIT})


@openai_http.route("openai/v1/models", trigger_arg_name="request", methods=["GET"])
async def list_models(request: func.HttpRequest) -> func.HttpResponse:
    """List the model aliases of the caller's tenant."""
    return await web.answer(request, Face.OPENAI, _models, roles={Role.SUBMIT})


async def _create(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.generation.submit import submit

    key = request.headers.get("Idempotency-Key")
    envelope = openai_face.envelope(web.read_json(request), idempotency_key=key)
    record = await submit(envelope, caller.tenant_for(Role.SUBMIT), composition().generation, by=caller.principal)
    return web.json_response(views.response(record) | {"metadata": envelope["body"].get("metadata") or {}})


async def _get(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    if request.params.get("stream", "false").lower() != "false":
        raise openai_face.streaming_refused()
    return web.json_response(views.response(await _addressed(request, caller)))


async def _cancel(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.generation.read import cancel

    receipt = (await _addressed(request, caller)).receipt
    return web.json_response(views.response(await cancel(receipt.tenant_id, receipt.job_id, composition().generation)))


async def _delete(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.generation.read import delete

    receipt = (await _addressed(request, caller)).receipt
    await delete(receipt.tenant_id, receipt.job_id, composition().generation)
    return web.json_response(openai_face.deleted(request.route_params["id"]))


async def _models(_: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    return web.json_response(openai_face.models(list(caller.tenant_for(Role.SUBMIT).models)))


async def _addressed(request: func.HttpRequest, caller: Caller) -> Record:
    """Return the caller's job of this id, if it is one of the Responses endpoint: others are not seen on this face."""
    from shared.generation.read import read

    job_id = views.job_id(request.route_params["id"], views.RESPONSE)
    if job_id is None:
        raise NotFound
    record = await read(caller.tenant_for(Role.SUBMIT).tenant_id, job_id, composition().generation)
    if not views.has_response(record):
        raise NotFound
    return record
