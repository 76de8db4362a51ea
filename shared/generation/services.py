"""What the use cases of a job work with; built once per process by `shared.composition`, or by a test."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.abuse.services import AbuseMonitor
from shared.azure.content_logging import ContentLogging
from shared.azure.generations import Generations
from shared.azure.held_jobs import HeldJobs
from shared.azure.holds import Holds
from shared.azure.keys import KeyStore
from shared.azure.markers import Markers
from shared.azure.policies import Policies
from shared.azure.queues import Queues
from shared.azure.records import Records
from shared.azure.submission_secrets import SubmissionSecrets
from shared.clock import Clock
from shared.delivery.services import Webhooks
from shared.domain.stamp import Stamp
from shared.generation.ahead import Ahead
from shared.generation.throttle import Throttle

if TYPE_CHECKING:
    from shared.azure.model import Models


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Settings of the use cases; durations in seconds."""

    lease: int
    max_wait_in_place: int
    max_request_bytes: int
    max_delivery_count: int


@dataclass(frozen=True, kw_only=True)
class Services:
    """What a job works with: stores, holds, opt-outs, queues, keys, markers, secrets, models, webhooks, stamp, throttle, clock.

    ``instance`` is the process's name: 8 hexadecimal digits, with which its attempt tokens begin, so that others can tell its
    jobs from their own.
    """

    generations: Generations
    records: Records
    holds: Holds
    held_jobs: HeldJobs
    policies: Policies
    content_logging: ContentLogging
    queues: Queues
    keys: KeyStore
    markers: Markers
    submission_secrets: SubmissionSecrets
    models: "Models"
    webhooks: Webhooks
    abuse: AbuseMonitor
    stamp: Stamp
    throttle: Throttle
    ahead: Ahead
    instance: str
    clock: Clock
    limits: Limits
