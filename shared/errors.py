"""Every error that Lethe raises on purpose.

Messages are static: no value of a caller, a model or a service is ever in one.

LetheError
├── InvalidSettings            the app refuses to start
├── RequestRefused             a request that can never be accepted: reason code and field, never the value
├── ServiceUnavailable         something in Azure did not answer: again later, nothing is decided
│   ├── StoreUnavailable
│   ├── QueueUnavailable
│   └── KeysUnavailable
├── MessageTooLarge            the message does not fit the queue
├── ModelFailed                a model call gave no usable answer: which kind, and when it may be tried again
├── LeaseLost                  another worker, a cancel or a deadline took the job; the own result is discarded
└── OutputTooLarge             the result does not fit the store
"""

from enum import StrEnum


class LetheError(Exception):
    """Root of all. The first line of a class's docstring is the text of its exceptions."""

    def __init__(self) -> None:
        super().__init__((type(self).__doc__ or "").partition("\n")[0])


class InvalidSettings(LetheError):
    """The app's settings are incomplete or forbidden; see the field."""

    def __init__(self, setting: str, rule: str) -> None:
        super().__init__()
        self.setting = setting
        self.rule = rule

    def __str__(self) -> str:
        """Name the setting and the rule (static text); a setting's value may be a secret."""
        return f"setting {self.setting}: {self.rule}"


class Reason(StrEnum):
    """Why a request was refused. Fixed names: they travel as application property ``reason`` of a rejected message."""

    EMPTY = "empty"
    INVALID_ENCODING = "invalid_encoding"
    INVALID_JSON = "invalid_json"
    DUPLICATE_KEY = "duplicate_key"
    TOO_DEEP = "too_deep"
    REQUEST_TOO_LARGE = "request_too_large"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    UNSUPPORTED_FIELD = "unsupported_field"
    UNSUPPORTED_VALUE = "unsupported_value"
    INVALID_TYPE = "invalid_type"
    INVALID_VALUE = "invalid_value"
    UNKNOWN_TENANT = "unknown_tenant"
    UNKNOWN_MODEL = "unknown_model"
    SUBMISSION_FORBIDDEN = "submission_forbidden"
    CONFLICT = "conflict"


class RequestRefused(LetheError):
    """The request cannot be accepted; see its reason and field."""

    def __init__(self, reason: Reason, field: str) -> None:
        super().__init__()
        self.reason = reason
        self.field = field


class ServiceUnavailable(LetheError):
    """A service of Azure did not answer; nothing is decided."""


class StoreUnavailable(ServiceUnavailable):
    """Cosmos DB did not answer; nothing is decided."""


class QueueUnavailable(ServiceUnavailable):
    """Service Bus did not answer; nothing is decided."""


class KeysUnavailable(ServiceUnavailable):
    """The key store did not answer; nothing is decided."""


class MessageTooLarge(LetheError):
    """The message does not fit the queue."""


class LeaseLost(LetheError):
    """The job belongs to another worker or has ended; this result is discarded."""


class OutputTooLarge(LetheError):
    """The result does not fit the store."""


class Failure(StrEnum):
    """How a model call can fail. The value is the ``error.code`` of a generation that ends by it."""

    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "model_unavailable"
    TIMEOUT = "model_timeout"
    INVALID_OUTPUT = "invalid_model_output"
    REJECTED = "model_rejected_request"
    ACCESS_DENIED = "model_access_denied"
    DEPLOYMENT_NOT_FOUND = "deployment_not_found"


class ModelFailed(LetheError):
    """A model call gave no usable answer."""

    def __init__(self, failure: Failure, *, retry_after: float | None = None) -> None:
        super().__init__()
        self.failure = failure
        self.retry_after = retry_after
