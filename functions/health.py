"""Liveness, for load balancers and for people who wait for a start."""

import azure.functions as func

health = func.Blueprint()


@health.route(route="healthz", trigger_arg_name="request", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def healthz(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs the name
    """Answer that the process is up and has indexed its functions; looks at no other service, on purpose."""
    return func.HttpResponse('{"status": "ok"}', mimetype="application/json")
