"""What Azure Resource Manager answers when it cannot answer: ``{"error": {"code", "message"}}``."""

from http import HTTPStatus

_CODES: dict[int, str] = {
    HTTPStatus.TOO_MANY_REQUESTS: "TooManyRequests",
    HTTPStatus.FORBIDDEN: "AuthorizationFailed",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
    HTTPStatus.GATEWAY_TIMEOUT: "GatewayTimeout",
}


class ArmError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.headers = headers or {}
        self.body = {"error": {"code": code, "message": message}}


def unauthenticated() -> ArmError:
    """Error of a request without a bearer token."""
    text = "Authentication failed. The 'Authorization' header is missing."
    return ArmError(HTTPStatus.UNAUTHORIZED, "AuthenticationFailed", text, {"WWW-Authenticate": "Bearer"})


def no_api_version() -> ArmError:
    """Error of a request that does not say by which version it wants to be read."""
    text = "The api-version query parameter (?api-version=) is required for all requests."
    return ArmError(HTTPStatus.BAD_REQUEST, "MissingApiVersionParameter", text)


def not_found() -> ArmError:
    """Error of an id under which there is nothing."""
    return ArmError(HTTPStatus.NOT_FOUND, "ResourceNotFound", "The resource was not found.")


def only_reads() -> ArmError:
    """Error of everything that is not a GET."""
    return ArmError(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", "This endpoint only reads.", {"Allow": "GET"})


def unavailable() -> ArmError:
    """Error when the service that would be described does not answer."""
    return of_status(HTTPStatus.SERVICE_UNAVAILABLE)


def timed_out() -> ArmError:
    """Error when the service that would be described takes too long."""
    return of_status(HTTPStatus.GATEWAY_TIMEOUT)


def of_status(status: int) -> ArmError:
    """Error of a status that a test asked for, or that a service caused."""
    return ArmError(status, _CODES.get(status, "InternalServerError"), "The request could not be served.")


def bad_control(rule: str) -> ArmError:
    """Error of a request to ``/_control`` that means nothing; the text is the rule that it breaks."""
    return ArmError(HTTPStatus.BAD_REQUEST, "InvalidControl", rule)
