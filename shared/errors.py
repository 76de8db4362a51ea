"""Every error that Lethe raises on purpose.

Messages are static: no value of a caller, a model or a service is ever in one.

LetheError
├── InvalidSettings            the app refuses to start
├── InvalidPolicy              an operator's document that is no policy of this stamp: fields and rules, never values
├── RequestRefused             a request that can never be accepted: reason code and field, never the value
├── Unauthenticated            no valid bearer token; nothing says why, but a code for the log
├── Forbidden                  a valid token that may not do this
├── Conflict                   the state of a thing does not allow this
├── UnsupportedMediaType       the body is not JSON
├── ServiceUnavailable         something in Azure did not answer: again later, nothing is decided
│   ├── StoreUnavailable
│   ├── QueueUnavailable
│   ├── KeysUnavailable
│   ├── IdentityUnavailable     the keys that sign tokens cannot be had
│   └── ManagementUnavailable   how a service is set up cannot be read: not checked, which is not "in order"
├── MessageTooLarge            the message does not fit the queue
├── TooManyRequests            the tenant's requests per minute are used up: again after so many seconds
├── ModelFailed                a model call gave no usable answer: which kind, and when it may be tried again
├── LeaseLost                  another worker, a cancel or a deadline took the job; the own result is discarded
├── NotFound                   unknown, deleted, or another tenant's: the caller cannot tell which
│   └── UnknownEndpoint         no webhook endpoint of this id
├── Gone                       past its deadline
├── HoldStands                 a hold keeps the tenant: it has to be released, or to end, before
├── WriteConflict              a document changed since it was read: read again
├── OutputTooLarge             the result does not fit the store
├── SealBroken                 a sealed content, or what stands beside it, is not as it was sealed
└── WebhookRefused             a webhook endpoint that Lethe does not take or call: reason code, never the value
"""

from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A field of a policy and the rule that it breaks."""

    field: str
    rule: str


class InvalidPolicy(LetheError):
    """The document is not a policy that this stamp can honour; see its problems."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__()
        self.problems = problems


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
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_INVALID = "signature_invalid"
    SIGNATURE_LATE = "signature_late"
    WRONG_GEOGRAPHY = "wrong_geography"
    RESIDENCY_FORBIDDEN = "residency_forbidden"
    GROUNDING_FORBIDDEN = "grounding_forbidden"
    ABUSE_MONITORING_UNCONFIRMED = "abuse_monitoring_unconfirmed"
    SUBJECT_BLOCKED = "subject_blocked"
    OUTPUT_LIMIT = "output_limit_exceeded"
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


class IdentityUnavailable(ServiceUnavailable):
    """The signing keys of the token issuer cannot be had; nothing is decided."""


class ManagementUnavailable(ServiceUnavailable):
    """The management API of Azure did not answer in full; nothing is decided."""


class Denial(StrEnum):
    """Why a caller was refused. For the log only: no caller is told which of these it was."""

    CREDENTIALS_MISSING = "credentials_missing"
    CREDENTIALS_MALFORMED = "credentials_malformed"
    ALGORITHM = "algorithm_refused"
    KEY = "key_unknown"
    SIGNATURE = "signature_invalid"
    ISSUER = "issuer_refused"
    AUDIENCE = "audience_refused"
    VERSION = "version_refused"
    DIRECTORY = "directory_refused"
    EXPIRED = "token_expired"
    NOT_YET_VALID = "token_not_yet_valid"
    CLAIMS = "claims_incomplete"
    DELEGATED = "token_delegated"
    ROLE = "role_missing"
    APP_ONLY = "token_app_only"
    TENANT = "tenant_unknown"
    TENANT_AMBIGUOUS = "tenant_ambiguous"


class Unauthenticated(LetheError):
    """A valid bearer token is required."""

    def __init__(self, denial: Denial) -> None:
        super().__init__()
        self.denial = denial


class Forbidden(LetheError):
    """The caller may not do this."""

    def __init__(self, denial: Denial) -> None:
        super().__init__()
        self.denial = denial


class Conflict(LetheError):
    """The present state does not allow this."""


class UnsupportedMediaType(LetheError):
    """The body must be JSON: Content-Type application/json, without Content-Encoding."""


class MessageTooLarge(LetheError):
    """The message does not fit the queue."""


class TooManyRequests(LetheError):
    """The tenant has used up its requests of this minute."""

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = retry_after


class LeaseLost(LetheError):
    """The job belongs to another worker or has ended; this result is discarded."""


class NotFound(LetheError):
    """There is no such thing for this caller."""


class Gone(LetheError):
    """The content is past its deadline."""


class HoldStands(LetheError):
    """A hold stands over data of the tenant: release it, or wait for its end."""


class WriteConflict(LetheError):
    """The document was written by somebody else since it was read; read it again."""


class OutputTooLarge(LetheError):
    """The result does not fit the store."""


class SealBroken(LetheError):
    """A sealed content is not as it was sealed."""


class Failure(StrEnum):
    """How a model call can fail. The value is the ``error.code`` of a generation that ends by it."""

    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "model_unavailable"
    TIMEOUT = "model_timeout"
    INVALID_OUTPUT = "invalid_model_output"
    REJECTED = "model_rejected_request"
    ACCESS_DENIED = "model_access_denied"
    DEPLOYMENT_NOT_FOUND = "deployment_not_found"
    UNFILTERED = "content_filter_unavailable"


class ModelFailed(LetheError):
    """A model call gave no usable answer."""

    def __init__(self, failure: Failure, *, retry_after: float | None = None) -> None:
        super().__init__()
        self.failure = failure
        self.retry_after = retry_after


class Refusal(StrEnum):
    """Why a webhook endpoint was refused, at its registration or at a delivery."""

    URL_INVALID = "url_invalid"
    URL_SCHEME = "url_scheme"
    URL_USERINFO = "url_userinfo"
    URL_QUERY = "url_query"
    URL_FRAGMENT = "url_fragment"
    URL_PORT = "url_port"
    URL_HOST = "url_host"
    URL_HOST_NOT_ALLOWED = "url_host_not_allowed"
    NAME_INVALID = "name_invalid"
    EVENT_TYPES_INVALID = "event_types_invalid"
    TOO_MANY_ENDPOINTS = "too_many_endpoints"
    TOO_MANY_TESTS = "too_many_tests"
    ENDPOINT_DISABLED = "endpoint_disabled"
    UNREACHABLE = "unreachable"


class WebhookRefused(LetheError):
    """The webhook endpoint is refused; see the reason."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__()
        self.reason = reason


class UnknownEndpoint(NotFound):
    """The tenant has no webhook endpoint of this id."""
