"""Webhook endpoints of the caller's tenant, or of those who run the service, on OpenAI's interface."""

import azure.functions as func

from functions import web
from functions.faces import Face
from functions.runtime import composition
from shared.callers import Caller
from shared.domain.policy import STAMP
from shared.domain.principal import Role
from shared.domain.validation import validate
from shared.domain.webhook_requests import CreateEndpoint, RotateSecret, SendTest, UpdateEndpoint

webhook_endpoints_http = func.Blueprint()

_ROLES = frozenset({Role.SUBMIT, Role.OPERATOR})


@webhook_endpoints_http.route("openai/v1/webhook_endpoints", trigger_arg_name="request", methods=["POST"])
async def create_webhook_endpoint(request: func.HttpRequest) -> func.HttpResponse:
    """Register an endpoint and show its secret, this once."""
    return await web.answer(request, Face.OPENAI, _create, roles=_ROLES)


@webhook_endpoints_http.route("openai/v1/webhook_endpoints", trigger_arg_name="request", methods=["GET"])
async def list_webhook_endpoints(request: func.HttpRequest) -> func.HttpResponse:
    """List the tenant's endpoints, the newest first."""
    return await web.answer(request, Face.OPENAI, _list, roles=_ROLES)


@webhook_endpoints_http.route("openai/v1/webhook_endpoints/{id}", trigger_arg_name="request", methods=["GET"])
async def get_webhook_endpoint(request: func.HttpRequest) -> func.HttpResponse:
    """Read an endpoint."""
    return await web.answer(request, Face.OPENAI, _get, roles=_ROLES)


@webhook_endpoints_http.route("openai/v1/webhook_endpoints/{id}", trigger_arg_name="request", methods=["POST"])
async def update_webhook_endpoint(request: func.HttpRequest) -> func.HttpResponse:
    """Change an endpoint; one that was disabled is enabled again."""
    return await web.answer(request, Face.OPENAI, _update, roles=_ROLES)


@webhook_endpoints_http.route("openai/v1/webhook_endpoints/{id}", trigger_arg_name="request", methods=["DELETE"])
async def delete_webhook_endpoint(request: func.HttpRequest) -> func.HttpResponse:
    """Delete an endpoint with its secrets."""
    return await web.answer(request, Face.OPENAI, _delete, roles=_ROLES)


@webhook_endpoints_http.route("openai/v1/webhook_endpoints/{id}/rotate_secret", trigger_arg_name="request", methods=["POST"])
async def rotate_webhook_secret(request: func.HttpRequest) -> func.HttpResponse:
    """Give an endpoint a new secret."""
    return await web.answer(request, Face.OPENAI, _rotate, roles=_ROLES)


@webhook_endpoints_http.route("openai/v1/webhook_endpoints/{id}/test", trigger_arg_name="request", methods=["POST"])
async def test_webhook_endpoint(request: func.HttpRequest) -> func.HttpResponse:
    """Send a sample event to an endpoint."""
    return await web.answer(request, Face.OPENAI, _test, roles=_ROLES)


async def _create(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.delivery.endpoints import create_endpoint

    body = validate(CreateEndpoint, web.read_json(request))
    created = await create_endpoint(
        _owner(caller),
        name=body.name,
        url=body.url,
        event_types=body.event_types,
        webhooks=composition().webhooks,
        actor=caller.principal,
    )
    return web.json_response(created.as_json())


async def _list(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.delivery.endpoints import list_endpoints

    page = await list_endpoints(
        _owner(caller), after=request.params.get("after"), limit=web.page_size(request), webhooks=composition().webhooks
    )
    return web.json_response(page.as_json())


async def _get(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.delivery.endpoints import get_endpoint

    return web.json_response((await get_endpoint(_owner(caller), _id(request), composition().webhooks)).as_json())


async def _update(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.delivery.endpoints import Changes, update_endpoint

    body = validate(UpdateEndpoint, web.read_json(request))
    changes = Changes(name=body.name, url=body.url, event_types=body.event_types)
    changed = await update_endpoint(_owner(caller), _id(request), changes, composition().webhooks, actor=caller.principal)
    return web.json_response(changed.as_json())


async def _delete(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.delivery.endpoints import delete_endpoint

    await delete_endpoint(_owner(caller), _id(request), composition().webhooks, actor=caller.principal)
    return web.json_response({"id": _id(request), "object": "webhook_endpoint.deleted", "deleted": True})


async def _rotate(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.delivery.endpoints import rotate_secret

    body = validate(RotateSecret, web.read_json(request) if request.get_body() else {})
    rotated = await rotate_secret(
        _owner(caller),
        _id(request),
        keep_old=body.keep_old_secret_active_for_24_hours,
        webhooks=composition().webhooks,
        actor=caller.principal,
    )
    return web.json_response(rotated.as_json())


async def _test(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from shared.delivery.endpoints import send_test

    body = validate(SendTest, web.read_json(request))
    status = await send_test(_owner(caller), _id(request), event_type=body.event_type, webhooks=composition().webhooks)
    return web.json_response(
        {
            "object": "webhook_endpoint.test",
            "webhook_endpoint_id": _id(request),
            "event_type": body.event_type,
            "status_code": status,
            "success": True,
        }
    )


def _owner(caller: Caller) -> str:
    """The tenant, for whoever acts for one; those who only run the service have endpoints of their own."""
    if Role.SUBMIT not in caller.principal.roles:
        caller.require(Role.OPERATOR)
        return STAMP
    return caller.tenant_for(Role.SUBMIT).tenant_id


def _id(request: func.HttpRequest) -> str:
    return str(request.route_params["id"])
