"""What the use cases of a job work with; built once per process by `shared.composition`, or by a test."""

from dataclasses import dataclass

from shared.azure.generations import Generations
from shared.azure.held_jobs import HeldJobs
from shared.azure.holds import Holds
from shared.azure.keys import KeyStore
from shared.azure.model import Models
from shared.azure.policies import Policies
from shared.azure.queues import Queues
from shared.azure.records import Records
from shared.azure.submission_secrets import SubmissionSecrets
from shared.clock import Clock
from shared.delivery.services import Webhooks
from shared.domain.stamp import Stamp


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Settings of the use cases; durations in seconds."""

    lease: int
    max_wait_in_place: int
    max_request_bytes: int
    max_delivery_count: int


@dataclass(frozen=True, kw_only=True)
class Services:
    """The stores, holds, queues, keys, secrets, models, webhooks, stamp and clock of a job."""

    generations: Generations
    records: Records
    holds: Holds
    held_jobs: HeldJobs
    policies: Policies
    queues: Queues
    keys: KeyStore
    submission_secrets: SubmissionSecrets
    models: Models
    webhooks: Webhooks
    stamp: Stamp
    clock: Clock
    limits: Limits
