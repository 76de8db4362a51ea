"""A generation and its states: what is known of a job without any of its content, and what it became."""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.bodies import Endpoint
from shared.domain.filter_outcome import FilterOutcome
from shared.domain.hold import Mark
from shared.domain.json_document import Json
from shared.domain.macs import Mac


class Status(StrEnum):
    """States of a generation. A terminal state is never left."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def terminal(self) -> bool:
        """Whether the job has ended."""
        return self not in {Status.QUEUED, Status.IN_PROGRESS}


class ErrorCode(StrEnum):
    """``error.code`` of a generation that failed for a reason of Lethe's own; `Failure` has those of the model."""

    CONTENT_FILTER = "content_filter"
    OUTPUT_TOO_LARGE = "output_too_large"
    DELIVERY_ATTEMPTS_EXHAUSTED = "delivery_attempts_exhausted"
    EXPIRED = "expired"


MESSAGES: dict[str, str] = {
    "content_filter": "The content filter blocked the request.",
    "output_too_large": "The result is larger than the store takes.",
    "delivery_attempts_exhausted": "The request was delivered too many times without an end.",
    "expired": "The deadline passed before the request was done.",
    "rate_limited": "The model was rate limited until the last attempt.",
    "model_unavailable": "The model service failed at each attempt.",
    "model_timeout": "The model did not answer in time at each attempt.",
    "invalid_model_output": "The model service answered with something unreadable at each attempt.",
    "model_rejected_request": "The model service refused the request as invalid.",
    "model_access_denied": "The model service denied access to Lethe.",
    "content_filter_unavailable": "The content filter, which the policy requires, did not see the completion at each attempt.",
    "deployment_not_found": "The deployment behind the model alias does not exist.",
}
"""``error.message`` by code: static, because a service's own message may quote the prompt."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The content-free record of a job. Times are seconds since the epoch.

    ``principal``: client id of the application that submitted it over HTTP; None for a message of the queue.
    ``abuse_record_expires_at``: when the sealed record for abuse review ends, None when there is none.
    """

    tenant_id: str
    job_id: str
    status: Status
    endpoint: Endpoint
    model: str
    created_at: float
    content_expires_at: float
    expires_at: float
    content_mac: Mac | None
    subject: Mac | None
    attempt: int
    attempt_token: str
    lease_until: float
    not_before: float
    model_calls: int
    grounding_documents: int = 0
    principal: str | None = None
    abuse_record_expires_at: float | None = None
    deleted_at: float | None = None
    scheduled_sequence_number: int | None = None
    held: Mark | None = None

    @property
    def forgotten_at(self) -> float:
        """When the content is or was forgotten: at its deadline, or when it was deleted."""
        return self.content_expires_at if self.deleted_at is None else min(self.deleted_at, self.content_expires_at)

    def ready_at(self) -> float:
        """When the next worker may take a job that has not ended."""
        return self.lease_until if self.status is Status.IN_PROGRESS else self.not_before


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens as the model service counted them."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a job: its terminal state, and the content that goes to the caller, if there is any."""

    status: Status
    error_code: str | None = None
    content_filter: FilterOutcome | None = None
    status_code: int | None = None
    request_id: str | None = None
    body: Json | None = None
    usage: Usage | None = None
    processed_in: str | None = None

    @property
    def has_output(self) -> bool:
        """Whether the caller gets an output document; a job that expired unread leaves a receipt only."""
        return self.status is not Status.EXPIRED

    @property
    def error(self) -> dict[str, str] | None:
        """``error`` of the generation."""
        return {"code": self.error_code, "message": MESSAGES[self.error_code]} if self.error_code else None


EXPIRED = Outcome(status=Status.EXPIRED, error_code=ErrorCode.EXPIRED)
"""What becomes of a job whose deadline comes first."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """All that is stored of a job: its receipt with the end it came to, and the output document while that exists."""

    receipt: Receipt
    completed_at: float | None
    error_code: str | None
    output: Json | None


def event_type(endpoint: Endpoint, status: Status) -> str:
    """Return the type of the event that announces a terminal state; an expired job is announced as failed."""
    family = "response" if endpoint is Endpoint.RESPONSES else "generation"
    return f"{family}.{Status.FAILED if status is Status.EXPIRED else status}"
