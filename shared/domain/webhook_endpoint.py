"""A webhook endpoint of a tenant, or of those who run the service, and what its owner is shown of it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from secrets import token_hex

from shared.domain.json_document import Json
from shared.domain.policy import STAMP
from shared.domain.signing import Signing
from shared.domain.webhook_schedule import Failing

ENDPOINT_ID = re.compile(r"we_[0-9a-f]{32}")


class DisabledReason(StrEnum):
    """Why an endpoint gets nothing any more."""

    GONE = "gone"
    FAILING = "failing"


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint:
    """An endpoint. Times are seconds since the epoch; ``tests`` are the times of its latest test events."""

    id: str
    tenant_id: str
    name: str
    url: str
    event_types: tuple[str, ...]
    created_at: float
    updated_at: float
    signing: Signing
    signing_secret_hint: str
    disabled_at: float | None = None
    disabled_reason: DisabledReason | None = None
    failing: Failing | None = None
    tests: tuple[float, ...] = ()

    @property
    def active(self) -> bool:
        """Whether events go there."""
        return self.disabled_at is None

    def as_json(self) -> Json:
        """Write what the owner sees: the OpenAI client's ``WebhookEndpoint``, and whether and why it is disabled."""
        return {
            "id": self.id,
            "object": "webhook_endpoint",
            "name": self.name,
            "url": self.url,
            "event_types": list(self.event_types),
            "created_at": int(self.created_at),
            "updated_at": int(self.updated_at),
            "signing_secret_hint": self.signing_secret_hint,
            "disabled_at": None if self.disabled_at is None else int(self.disabled_at),
            "disabled_reason": self.disabled_reason,
        }


def new_endpoint_id() -> str:
    """Make an id that cannot be guessed."""
    return f"we_{token_hex(16)}"


_OPERATORS = "-operators"
SECRETS_OF = "lethe-{tenant}-webhook-we-"
"""With what the names of all secrets of a tenant's endpoints begin; perhaps others too, see `is_secret_of`."""


def secret_name(tenant: str, endpoint_id: str) -> str:
    """Name of the endpoint's secret in the key store; Key Vault takes letters, digits and hyphens only.

    No tenant's id is long enough to make the name of another tenant's secret, and none begins with a hyphen, as the word
    does that stands for `STAMP`.
    """
    return f"lethe-{_OPERATORS if tenant == STAMP else tenant}-webhook-{endpoint_id.replace('_', '-')}"


def is_secret_of(tenant: str, name: str) -> bool:
    """Whether a secret of the key store is that of an endpoint of this tenant, be there such an endpoint or not."""
    return re.fullmatch(rf"{SECRETS_OF.format(tenant=tenant)}[0-9a-f]{{32}}", name) is not None
