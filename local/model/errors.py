"""Refusals in the shape in which Azure OpenAI answers them."""


class ModelError(Exception):
    """A request that the resource refuses. Only its code is the exception's text, because the answer may quote."""

    def __init__(self, status: int, code: str, message: str, /, **details: object) -> None:
        super().__init__(code)
        self.status = status
        self.body: dict[str, object] = {"error": {"code": code, "message": message, **details}}
        self.headers: dict[str, str] = {}


def invalid(code: str, message: str, param: str | None = None) -> ModelError:
    """400 in the shape that Azure took over from OpenAI."""
    return ModelError(400, code, message, type="invalid_request_error", param=param)


def unauthorized() -> ModelError:
    """401 for a request without an Entra ID token."""
    return ModelError(401, "Unauthorized", "Access token is missing, invalid, audience is incorrect, or have expired.")


def key_refused() -> ModelError:
    """401 for an API key: like a resource with ``disableLocalAuth``, this one takes tokens only."""
    return ModelError(401, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource.")


def unknown_deployment() -> ModelError:
    """404 for a model name that is not a deployment of this resource."""
    return ModelError(
        404,
        "DeploymentNotFound",
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
        "please wait a moment and try again.",
    )


def not_found() -> ModelError:
    """404 for a path that this resource does not serve."""
    return ModelError(404, "404", "Resource not found")


def status(code: int, retry_after: float) -> ModelError:
    """An asked-for status, with the header that tells when to come back."""
    message = {429: "Requests have exceeded the call rate limit of your current pricing tier."}.get(
        code,
        "The server had an error while processing your request." if code >= 500 else "The request was refused.",  # noqa: PLR2004
    )
    error = ModelError(code, str(code), message)
    error.headers = {"Retry-After": f"{retry_after:g}"}
    return error
