"""What the use cases of webhooks work with; built once per process by `shared.composition`, or by a test."""

from dataclasses import dataclass

from shared.azure.events import Events
from shared.azure.policies import Policies
from shared.azure.queues import Queues
from shared.azure.secret_store import SecretStore
from shared.azure.webhook_endpoints import WebhookEndpoints
from shared.clock import Clock
from shared.delivery.sender import Sender


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Stores, queues, secrets, the guarded sender and the clock. ``allow_loopback`` on the embedded stack only."""

    events: Events
    endpoints: WebhookEndpoints
    policies: Policies
    queues: Queues
    secrets: SecretStore
    sender: Sender
    clock: Clock
    allow_loopback: bool
