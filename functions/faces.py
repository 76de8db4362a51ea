"""How an error is told: its status and code, in the words of each HTTP face. Never a value of the request."""

import math
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus

from shared.errors import (
    Conflict,
    Forbidden,
    Gone,
    LetheError,
    MessageTooLarge,
    NotFound,
    Reason,
    Refusal,
    RequestRefused,
    ServiceUnavailable,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
    WebhookRefused,
)
from shared.refusals import REFUSALS

RETRY_AFTER_SECONDS = 5
"""After a service of Azure did not answer."""


class Face(Enum):
    """Who is spoken to: a client of Lethe's own interface (RFC 9457 problem details), or a client of OpenAI's."""

    LETHE = auto()
    OPENAI = auto()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An error as HTTP tells it. ``message`` is static; ``field_name`` is a field of ours."""

    status: HTTPStatus
    code: str
    message: str
    field_name: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def written_for(self, face: Face) -> tuple[dict[str, object], str]:
        """Return the body and its media type."""
        if face is Face.OPENAI:
            param = None if self.field_name in {None, "message", "body"} else str(self.field_name).removeprefix("body.")
            error = {"message": self.message, "type": _openai_type(self.status), "param": param, "code": self.code}
            return {"error": error}, "application/json"
        problem: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.message,
            "code": self.code,
        }
        if self.field_name is not None:
            problem["field"] = self.field_name
        return problem, "application/problem+json"


def answer_to(error: Exception) -> Answer:
    """Decide what an exception is for the caller; whatever is not told on purpose is a plain 500."""
    if isinstance(error, RequestRefused):
        status = _REASONS.get(error.reason, HTTPStatus.BAD_REQUEST)
        return _of(status, error.reason, REFUSALS[error.reason], field_name=error.field)
    if isinstance(error, WebhookRefused):
        return _of(_REFUSALS.get(error.reason, HTTPStatus.BAD_REQUEST), error.reason, str(error))
    if isinstance(error, TooManyRequests):
        retry_after = {"Retry-After": str(math.ceil(error.retry_after))}  # which OpenAI's client obeys by itself
        status = HTTPStatus.TOO_MANY_REQUESTS
        return Answer(status=status, code="rate_limit_exceeded", message=str(error), headers=retry_after)
    for kind, (status, code) in _STATIC.items():
        if isinstance(error, kind):
            return _of(status, code, str(error))
    return _of(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "The request failed inside the service.")


_STATIC: dict[type[LetheError], tuple[HTTPStatus, str]] = {
    Unauthenticated: (HTTPStatus.UNAUTHORIZED, "unauthenticated"),
    Forbidden: (HTTPStatus.FORBIDDEN, "forbidden"),
    NotFound: (HTTPStatus.NOT_FOUND, "not_found"),
    Conflict: (HTTPStatus.CONFLICT, "conflict"),
    Gone: (HTTPStatus.GONE, "gone"),
    MessageTooLarge: (HTTPStatus.CONTENT_TOO_LARGE, Reason.REQUEST_TOO_LARGE),
    UnsupportedMediaType: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
    ServiceUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable"),
}
_REASONS = {
    Reason.CONFLICT: HTTPStatus.CONFLICT,
    Reason.REQUEST_TOO_LARGE: HTTPStatus.CONTENT_TOO_LARGE,
    Reason.WRONG_GEOGRAPHY: HTTPStatus.FORBIDDEN,
    Reason.RESIDENCY_FORBIDDEN: HTTPStatus.FORBIDDEN,
    Reason.GROUNDING_FORBIDDEN: HTTPStatus.FORBIDDEN,
    Reason.ABUSE_MONITORING_UNCONFIRMED: HTTPStatus.FORBIDDEN,
    Reason.SUBJECT_BLOCKED: HTTPStatus.FORBIDDEN,
}
_REFUSALS = {
    Refusal.TOO_MANY_ENDPOINTS: HTTPStatus.CONFLICT,
    Refusal.TOO_MANY_TESTS: HTTPStatus.TOO_MANY_REQUESTS,
    Refusal.UNREACHABLE: HTTPStatus.BAD_GATEWAY,
}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    HTTPStatus.CONFLICT: {"x-should-retry": "false"},
    HTTPStatus.TOO_MANY_REQUESTS: {"x-should-retry": "false", "Retry-After": "60"},
    HTTPStatus.BAD_GATEWAY: {"x-should-retry": "false"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_SECONDS)},
}


def _of(status: HTTPStatus, code: str, message: str, *, field_name: str | None = None) -> Answer:
    return Answer(status=status, code=code, message=message, field_name=field_name, headers=_HEADERS.get(status, {}))


def _openai_type(status: HTTPStatus) -> str:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return "authentication_error"
        case HTTPStatus.FORBIDDEN:
            return "permission_error"
        case HTTPStatus.TOO_MANY_REQUESTS:
            return "rate_limit_error"
        case _:
            return "server_error" if status.is_server_error else "invalid_request_error"
