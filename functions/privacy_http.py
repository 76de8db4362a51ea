"""The privacy statement for everybody, and the report for those who run the service."""

import azure.functions as func

from functions import web
from functions.faces import Face
from functions.runtime import composition
from shared.callers import Caller
from shared.domain.principal import Role

privacy_http = func.Blueprint()


@privacy_http.route("v1/privacy/statement", trigger_arg_name="request", methods=["GET"])
async def get_privacy_statement(request: func.HttpRequest) -> func.HttpResponse:
    """State every promise: holding, violated or unknown, on which basis, and when it was last checked. Names no tenant."""
    return await web.answer_anybody(request, Face.LETHE, _statement)


@privacy_http.route("v1/privacy/report", trigger_arg_name="request", methods=["GET"])
async def get_privacy_report(request: func.HttpRequest) -> func.HttpResponse:
    """Report the runs behind the statement, step by step."""
    return await web.answer(request, Face.LETHE, _report, roles={Role.OPERATOR})


async def _statement(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - a handler's shape
    from shared.privacy.statement import public

    return web.json_response(await public(composition().statements, composition().safeguards))


async def _report(request: func.HttpRequest, caller: Caller) -> func.HttpResponse:  # noqa: ARG001 - a handler's shape
    from shared.privacy.statement import report

    return web.json_response(await report(composition().statements, composition().safeguards))
