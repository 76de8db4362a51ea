"""What the use cases of holds work with; built once per process by `shared.composition`, or by a test."""

from dataclasses import dataclass

from shared.azure.evidence import Evidence
from shared.azure.held_jobs import HeldJobs
from shared.azure.holds import Holds
from shared.azure.keys import KeyStore
from shared.azure.policy_documents import PolicyDocuments
from shared.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Holds, what they hold of ``jobs`` and of their ``review`` for abuse, policies, keys, evidence and the clock."""

    holds: Holds
    jobs: HeldJobs
    review: HeldJobs
    policies: PolicyDocuments
    keys: KeyStore
    evidence: Evidence
    clock: Clock

    @property
    def everything(self) -> tuple[HeldJobs, ...]:
        """All that a hold holds."""
        return self.jobs, self.review
