"""Errors as Cosmos answers them: a status, sometimes a substatus, and a body of ``code`` and ``message``."""

from collections.abc import Mapping
from http import HTTPStatus

_CODES = {
    400: "BadRequest",
    401: "Unauthorized",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    409: "Conflict",
    410: "Gone",
    412: "PreconditionFailed",
    413: "RequestEntityTooLarge",
    424: "FailedDependency",
    429: "TooManyRequests",
    449: "RetryWith",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}

PARTITION_KEY_MISMATCH = 1001
COLLECTION_RID_MISMATCH = 1024


class CosmosError(Exception):
    """A request is refused; the message is static text and never quotes a document, an id or a query's literals."""

    def __init__(
        self, status: int, message: str, *, substatus: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        if substatus is not None:
            self.headers["x-ms-substatus"] = str(substatus)

    def body(self) -> dict[str, str]:
        """The error object of the response."""
        return {"code": _CODES.get(self.status, "InternalServerError"), "message": self.message}


def bad_request(message: str, *, substatus: int | None = None) -> CosmosError:
    """400: the request itself is wrong."""
    return CosmosError(HTTPStatus.BAD_REQUEST, message, substatus=substatus)


def not_found() -> CosmosError:
    """404: no such resource, or an item past its time to live."""
    return CosmosError(HTTPStatus.NOT_FOUND, "The resource does not exist.")


def conflict() -> CosmosError:
    """409: the id is taken."""
    return CosmosError(HTTPStatus.CONFLICT, "A resource with this id already exists.")


def precondition_failed() -> CosmosError:
    """412: an etag or a filter predicate does not hold."""
    return CosmosError(HTTPStatus.PRECONDITION_FAILED, "A precondition of the request does not hold.")


def too_large() -> CosmosError:
    """413: an item or a batch above 2 MB."""
    return CosmosError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is larger than 2 MB.")
