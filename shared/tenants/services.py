"""What the use cases of tenants work with; built by `shared.composition`, or by a test."""

from dataclasses import dataclass

from shared.azure.evidence import Evidence
from shared.azure.holds import Holds
from shared.azure.kept_documents import KeptDocuments
from shared.azure.keys import KeyStore
from shared.azure.policy_documents import PolicyDocuments
from shared.azure.queues import Queues
from shared.azure.submission_secrets import SubmissionSecrets
from shared.azure.tenant_documents import TenantDocuments
from shared.clock import Clock
from shared.delivery.services import Webhooks
from shared.domain.stamp import Stamp


@dataclass(frozen=True, kw_only=True)
class Tenants:
    """Stores, keys, queues and the stamp; ``settle`` in seconds: after so long nobody works on an old policy any more."""

    policies: PolicyDocuments
    kept: KeptDocuments
    kept_for_review: KeptDocuments
    documents: TenantDocuments
    holds: Holds
    keys: KeyStore
    submission: SubmissionSecrets
    webhooks: Webhooks
    queues: Queues
    evidence: Evidence
    stamp: Stamp
    clock: Clock
    settle: float
