"""What a tenant allows, and the deadlines that follow from it."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.domain.webhook_url import HOST_PATTERN

DAY = 86_400
LONGEST_OUTPUT_RETENTION = 30 * DAY
LONGEST_RECEIPT_RETENTION = 400 * DAY

TENANT_ID = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
TenantId = Annotated[str, Field(pattern=TENANT_ID)]
WebhookHost = Annotated[str, Field(pattern=HOST_PATTERN)]
Alias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]

LETHES_QUEUES = frozenset({"generation-requests", "generation-rejected", "webhook-deliveries"})
_QUEUE = r"^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?$"


def _not_lethes(queue: str) -> str:
    if queue.lower() in LETHES_QUEUES:
        raise ValueError("must not be a queue of Lethe")
    return queue


QueueName = Annotated[str, Field(pattern=_QUEUE), AfterValidator(_not_lethes)]
Guid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Deployment(_Value):
    """Where a model alias may run: a deployment of one of the stamp's listed Azure OpenAI resources."""

    resource: Alias
    deployment: Alias


class PolicyPrincipal(_Value):
    """An application that acts for the tenant: its Entra ID directory and client id, each a GUID in lower case."""

    directory: Guid
    client_id: Guid


class Retention(_Value):
    """How long each class of data of a tenant is kept, in seconds from the admission of its request."""

    output_seconds: Annotated[int, Field(ge=1, le=LONGEST_OUTPUT_RETENTION)]
    receipt_seconds: Annotated[int, Field(ge=1, le=LONGEST_RECEIPT_RETENTION)]

    @model_validator(mode="after")
    def _receipt_outlives_output(self) -> Self:
        if self.receipt_seconds < self.output_seconds:
            raise ValueError("receipt_seconds must be at least output_seconds")
        return self

    @property
    def shortest_seconds(self) -> int:
        """The shortest clock of the tenant's content: what a rejected message of this tenant may live."""
        return self.output_seconds


class TenantPolicy(_Value):
    """A tenant's policy. Half-specified input is refused: every field is required."""

    tenant_id: TenantId
    retention: Retention
    models: dict[Alias, Annotated[tuple[Deployment, ...], Field(min_length=1)]]
    queue_submission: Literal["open", "forbidden"]
    principals: tuple[PolicyPrincipal, ...]
    webhook_hosts: tuple[WebhookHost, ...]
    reply_queues: tuple[QueueName, ...]


class Deadlines(_Value):
    """Absolute deadlines of one job, in seconds since the epoch. Fixed on admission; a later write may only shorten them."""

    content: float
    receipt: float


def deadlines(retention: Retention, *, admitted_at: float, expires_after: int | None) -> Deadlines:
    """Fix a job's deadlines; ``expires_after`` (seconds) can only shorten the policy's."""
    kept = min(retention.output_seconds, expires_after or retention.output_seconds)
    return Deadlines(content=admitted_at + kept, receipt=admitted_at + retention.receipt_seconds)


def ttl(expires_at: float, *, now: float, grace: int) -> int:
    """Return Cosmos's ``ttl`` (whole seconds, counted from this write) for a document with this deadline.

    The grace keeps the document visible to the timer, which deletes and measures it; the TTL is the backstop behind it.
    """
    return max(1, int(expires_at - now)) + grace
