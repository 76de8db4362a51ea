"""What a tenant allows, and the deadlines that follow from it."""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.domain.principal import TENANT_ROLES, Role
from shared.domain.residency import Geography, Residency
from shared.domain.webhook_url import HOST_PATTERN

DAY = 86_400
LONGEST_OUTPUT_RETENTION = 30 * DAY
LONGEST_RECEIPT_RETENTION = 400 * DAY
LONGEST_ABUSE_RECORD_RETENTION = 30 * DAY
SHORTEST_SIGNED_RECEIPT_RETENTION = 3600
"""Seconds; a receipt recognises a repeated message, so it has to outlive the time in which a signature counts."""

TENANT_ID = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
STAMP = "$stamp"
"""In place of a tenant: those who run the service, and its timer. No tenant can have this id (`TENANT_ID`)."""
TenantId = Annotated[str, Field(pattern=TENANT_ID)]
WebhookHost = Annotated[str, Field(pattern=HOST_PATTERN)]
Alias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]

LETHES_QUEUES = frozenset({"generation-requests", "generation-rejected", "webhook-deliveries"})
_QUEUE = r"^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?$"


def _not_lethes(queue: str) -> str:
    if queue.lower() in LETHES_QUEUES:
        raise ValueError("must not be a queue of Lethe")
    return queue


def _of_tenants(role: Role) -> Role:
    if role not in TENANT_ROLES:
        raise ValueError("must be a role that acts for a tenant")
    return role


QueueName = Annotated[str, Field(pattern=_QUEUE), AfterValidator(_not_lethes)]
Guid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Submission(StrEnum):
    """Who may put a tenant's requests on the queue: who has its secret, everybody who may send, or nobody."""

    SIGNED = "signed"
    OPEN = "open"
    FORBIDDEN = "forbidden"


class Filtering(StrEnum):
    """What becomes of a completion that the content filter did not see: it is not handed out, or it says so."""

    REQUIRED = "required"
    REPORT = "report"


class PolicyPrincipal(_Value):
    """An application that acts for the tenant: its Entra ID directory and client id (GUIDs in lower case), and as what."""

    directory: Guid
    client_id: Guid
    roles: Annotated[tuple[Annotated[Role, AfterValidator(_of_tenants)], ...], Field(min_length=1)]


class Retention(_Value):
    """How long each class of data of a tenant is kept, in seconds from the admission of its request."""

    output_seconds: Annotated[int, Field(ge=1, le=LONGEST_OUTPUT_RETENTION)]
    receipt_seconds: Annotated[int, Field(ge=1, le=LONGEST_RECEIPT_RETENTION)]
    abuse_record_seconds: Annotated[int, Field(ge=1, le=LONGEST_ABUSE_RECORD_RETENTION)]

    @model_validator(mode="after")
    def _receipt_outlives_output(self) -> Self:
        if self.receipt_seconds < self.output_seconds:
            raise ValueError("receipt_seconds must be at least output_seconds")
        return self

    @property
    def shortest_seconds(self) -> int:
        """The shortest clock of the tenant's content: what a rejected message of this tenant may live."""
        return self.output_seconds


class Detection(_Value):
    """From how many signs of one kind within the window (seconds) an alert is made; None: that kind is not looked for.

    ``block_seconds``: for how long an alert blocks its data subject; None: it does not.
    """

    window_seconds: Annotated[int, Field(ge=60, le=DAY)]
    jailbreak_attempts: Annotated[int, Field(ge=1, le=10_000)] | None
    blocked_prompts: Annotated[int, Field(ge=1, le=10_000)] | None
    new_subjects: Annotated[int, Field(ge=2, le=10_000)] | None
    block_seconds: Annotated[int, Field(ge=60, le=30 * DAY)] | None = None


DEFAULT_DETECTION = Detection(window_seconds=3600, jailbreak_attempts=3, blocked_prompts=10, new_subjects=10)
"""Where a policy that monitors abuse says nothing else."""


class AbuseMonitoring(_Value):
    """What is kept for abuse review. ``opted_out`` needs the approval that Microsoft gave: its reference and its date."""

    mode: Literal["off", "flagged", "all", "opted_out"]
    approval: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = None
    approved_on: date | None = None
    detection: Detection | None = None

    @model_validator(mode="after")
    def _approval_is_of_an_opt_out(self) -> Self:
        given = (self.approval is not None, self.approved_on is not None)
        if given != ((True, True) if self.opted_out else (False, False)):
            raise ValueError("approval and approved_on belong to mode opted_out, both of them, and to no other")
        return self

    @model_validator(mode="after")
    def _detection_is_of_monitoring(self) -> Self:
        if self.detection is not None and not self.keeps_records:
            raise ValueError("detection belongs to the modes flagged and all")
        return self

    @property
    def keeps_records(self) -> bool:
        """Whether anything is kept for review, and abuse looked for."""
        return self.mode in {"flagged", "all"}

    @property
    def thresholds(self) -> Detection:
        """What is looked for, as long as anything is kept for review."""
        return self.detection or DEFAULT_DETECTION

    @property
    def opted_out(self) -> bool:
        """Whether nothing may be kept for review, here and by Azure."""
        return self.mode == "opted_out"


class Limits(_Value):
    """What a tenant may use at once; a limit that is missing is the stamp's."""

    requests_in_flight: Annotated[int, Field(ge=1, le=10_000)] | None = None
    output_tokens_per_request: Annotated[int, Field(ge=16, le=1_000_000)] | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class TenantPolicy(_Value):
    """A tenant's policy. Half-specified input is refused: all is required but ``queue_submission`` and single limits."""

    tenant_id: TenantId
    geography: Geography
    residency: Residency
    retention: Retention
    content_filter: Filtering
    abuse_monitoring: AbuseMonitoring
    models: dict[Alias, Annotated[tuple[Alias, ...], Field(min_length=1)]]
    principals: tuple[PolicyPrincipal, ...]
    webhook_hosts: tuple[WebhookHost, ...]
    reply_queues: tuple[QueueName, ...]
    grounding: Literal["allowed", "forbidden"]
    limits: Limits
    queue_submission: Submission = Submission.SIGNED

    @model_validator(mode="after")
    def _receipt_outlives_signature(self) -> Self:
        signed = self.queue_submission is Submission.SIGNED
        if signed and self.retention.receipt_seconds < SHORTEST_SIGNED_RECEIPT_RETENTION:
            raise ValueError("receipt_seconds must be at least 3600 where submission is signed")
        return self

    def roles_of(self, *, directory: str, client_id: str) -> frozenset[Role]:
        """Return the roles in which an application acts for the tenant."""
        name = (directory, client_id)
        return frozenset(role for one in self.principals if (one.directory, one.client_id) == name for role in one.roles)


class Deadlines(_Value):
    """Absolute deadlines of one job, in seconds since the epoch. Fixed on admission; a later write may only shorten them."""

    content: float
    receipt: float


def is_tenant_id(text: str) -> bool:
    """Whether there could be a tenant of this name."""
    return re.fullmatch(TENANT_ID, text) is not None


def deadlines(retention: Retention, *, admitted_at: float, expires_after: int | None) -> Deadlines:
    """Fix a job's deadlines; ``expires_after`` (seconds) can only shorten the policy's."""
    kept = min(retention.output_seconds, expires_after or retention.output_seconds)
    return Deadlines(content=admitted_at + kept, receipt=admitted_at + retention.receipt_seconds)


def ttl(expires_at: float, *, now: float, grace: int, held_until: float = 0.0) -> int:
    """Return Cosmos's ``ttl`` (whole seconds, counted from this write) for a document with this deadline.

    The grace keeps the document visible to the timer, which deletes and measures it; the TTL is the backstop behind it.

    Cosmos DB counts from the last write, whatever it wrote, so **every write of a document restates its ttl**, and reaches past
    the hold on it (``held_until``; 0 or past when there is none). A writer may hold an old view of that: a hold placed a moment
    ago would be cut off by a ttl that was computed before. So **a write that restates a ttl holds for one view of the hold
    only**: it is conditional on the document's etag, or on the mark that it was computed with (`shared.azure.marks.marked_as`);
    when that fails, the mark is read and the write is made again.
    """
    return max(1, int(max(expires_at, held_until) - now)) + grace
