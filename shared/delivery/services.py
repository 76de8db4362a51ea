"""What the use cases of webhooks work with; built once per process by `shared.composition`, or by a test."""

from dataclasses import dataclass

from shared.azure.events import Events
from shared.azure.evidence import Evidence
from shared.azure.policies import Policies
from shared.azure.queues import Queues
from shared.azure.secret_store import SecretStore
from shared.azure.webhook_endpoints import WebhookEndpoints
from shared.clock import Clock
from shared.delivery.sender import Sender
from shared.domain.policy import STAMP


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Stores, queues, secrets, the guarded sender, evidence and the clock.

    ``operator_hosts`` are for those who run the service what a policy's ``webhook_hosts`` are for a tenant. ``allow_loopback``
    on the embedded stack only.
    """

    events: Events
    endpoints: WebhookEndpoints
    policies: Policies
    queues: Queues
    secrets: SecretStore
    sender: Sender
    evidence: Evidence
    clock: Clock
    operator_hosts: tuple[str, ...]
    allow_loopback: bool

    async def hosts(self, tenant: str) -> tuple[str, ...]:
        """Hosts to which webhooks of a tenant, or of `STAMP`, may go at this moment."""
        if tenant == STAMP:
            return self.operator_hosts
        policy = await self.policies.get(tenant)
        return policy.webhook_hosts if policy else ()
