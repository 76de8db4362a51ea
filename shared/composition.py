"""Builds what the use cases work with, once per process, on first use; nothing is made when a module is imported."""

from functools import cached_property
from secrets import token_hex

from azure.identity.aio import get_bearer_token_provider

from shared.azure.census import Census
from shared.azure.counts import Counts
from shared.azure.due_documents import DueDocuments
from shared.azure.generations import Generations
from shared.azure.held_jobs import HeldJobs
from shared.azure.lying import LyingMessages
from shared.azure.markers import CACHE_SECONDS as MARKER_CACHE_SECONDS
from shared.azure.policies import CACHE_SECONDS
from shared.azure.records import Records
from shared.azure.stamp_state import StampState
from shared.azure.subject_documents import SubjectDocuments
from shared.azure.submission_secrets import SubmissionSecrets
from shared.azure.tenant_documents import OF_TENANTS, TenantDocuments
from shared.azure.timer_stores import TimerStores
from shared.callers import Callers
from shared.composition_of_abuse import AbuseComposition
from shared.domain.expected import Expected
from shared.generation.ahead import Ahead
from shared.generation.services import Limits, Services
from shared.generation.throttle import Throttle
from shared.identity import Verifier
from shared.privacy.configuration import Configuration
from shared.privacy.evidence_watch import EvidenceWatch
from shared.privacy.holding import Holding
from shared.privacy.overview import Overview
from shared.privacy.retention import Retention
from shared.privacy.safeguards import Safeguards
from shared.privacy.statement import Statements
from shared.privacy.sweep import Erasing, Part
from shared.privacy.violations import Violations
from shared.settings import App
from shared.tenants.services import Tenants


class Composition(AbuseComposition):
    """What the use cases of one process work with."""

    @cached_property
    def generation(self) -> Services:
        """What a job works with."""
        from shared.azure.model import Models  # noqa: PLC0415 - half of all import time, which timer and commands need not pay

        chosen, container, instance = self._settings, self._cosmos.container("generations"), token_hex(4)
        return Services(
            generations=Generations(container, clock=self._clock, grace=chosen.grace),
            records=Records(container, clock=self._clock, grace=chosen.grace),
            holds=self._holds,
            held_jobs=self._held_jobs,
            policies=self._policies,
            content_logging=self._content_logging,
            queues=self._queues,
            keys=self._keys,
            markers=self._markers,
            submission_secrets=self.submission_secrets,
            models=Models(
                [deployment.endpoint for deployment in chosen.stamp.deployments.values()],
                token=get_bearer_token_provider(self._credential, chosen.model_token_scope),
                timeout=chosen.model_timeout,
            ),
            webhooks=self.webhooks,
            abuse=self.abuse,
            stamp=chosen.stamp,
            throttle=Throttle(Census(container, clock=self._clock, instance=instance), clock=self._clock),
            ahead=Ahead(self._queues, max_request_bytes=chosen.max_request_bytes),
            instance=instance,
            clock=self._clock,
            limits=Limits(
                lease=chosen.lease,
                max_wait_in_place=chosen.max_wait_in_place,
                max_request_bytes=chosen.max_request_bytes,
                max_delivery_count=chosen.max_delivery_count,
            ),
        )

    @cached_property
    def retention(self) -> Retention:
        """What the timer works with."""
        chosen, container = self._settings, self._cosmos.container("generations")
        return Retention(
            documents=DueDocuments(container, clock=self._clock, grace=chosen.grace),
            messages=LyingMessages(self._service_bus),
            webhooks=self.webhooks,
            policies=self._policy_documents,
            kept=self._kept_documents,
            review=DueDocuments(self._cosmos.container("abuse-monitoring"), clock=self._clock, grace=chosen.grace),
            kept_for_review=self._kept_for_review,
            stores=TimerStores.of(
                container,
                self._cosmos.container("privacy"),
                self._cosmos.container("abuse-monitoring"),
                clock=self._clock,
                grace=chosen.grace,
            ),
            configuration=self._configuration,
            evidence=self.evidence,
            watch=EvidenceWatch(evidence=self.evidence),
            violations=Violations(
                statements=self.statements, state=StampState(self._cosmos.container("privacy")), webhooks=self.webhooks
            ),
            holding=self.holding,
            erasing=self.erasing,
            abuse=self.abuse,
            detecting=self.detecting,
            clock=self._clock,
            dead_letter_max_age=chosen.dead_letter_max_age,
            grace=chosen.grace,
            lease=chosen.lease,
            budget=chosen.retention_budget,
        )

    @cached_property
    def holding(self) -> Holding:
        """What holds work with."""
        return Holding(
            holds=self._holds,
            jobs=self._held_jobs,
            review=self._held_for_review,
            policies=self._policy_documents,
            keys=self._keys,
            evidence=self.evidence,
            clock=self._clock,
        )

    @cached_property
    def erasing(self) -> Erasing:
        """What erasures and exports work with."""
        chosen = self._settings
        return Erasing(
            erasures=self._erasures,
            jobs=self._part("generations", self._held_jobs),
            review=self._part("abuse-monitoring", self._held_for_review),
            holds=self._holds,
            markers=self._markers,
            keys=self._keys,
            queues=self._queues,
            evidence=self.evidence,
            clock=self._clock,
            settle=MARKER_CACHE_SECONDS + chosen.model_timeout + chosen.lease,
        )

    def _part(self, container: str, held: HeldJobs) -> Part:
        documents = SubjectDocuments(self._cosmos.container(container), clock=self._clock, grace=self._settings.grace)
        return Part(documents=documents, held=held)

    @cached_property
    def submission_secrets(self) -> SubmissionSecrets:
        """By which senders of the queue are known."""
        return SubmissionSecrets(self._cosmos.container("policies"), secrets=self._secrets, clock=self._clock)

    @cached_property
    def callers(self) -> Callers:
        """By which the HTTP faces know who calls."""
        chosen = self._settings
        verifier = Verifier(
            chosen.token_issuers,
            audiences=chosen.token_audiences,
            clock=self._clock,
            takes_strangers=chosen.app is App.REVIEW,
        )
        return Callers(verifier=verifier, policies=self._policies)

    @cached_property
    def statements(self) -> Statements:
        """What the privacy statement is made from."""
        chosen = self._settings
        return Statements(
            evidence=self.evidence,
            geography=chosen.stamp.geography,
            interval=chosen.retention_interval,
            grace=chosen.grace,
            clock=self._clock,
        )

    @cached_property
    def safeguards(self) -> Safeguards:
        """What the responsible-AI settings are read from."""
        chosen = self._settings
        return Safeguards(
            policies=self._policy_documents,
            content_logging=self._content_logging,
            evidence=self.evidence,
            stamp=chosen.stamp,
            recovery_days=chosen.abuse_key_recovery_days,
            clock=self._clock,
        )

    @cached_property
    def overview(self) -> Overview:
        """What the page's figures are made from."""
        return Overview(statements=self.statements, counts=Counts(self._cosmos.container("generations")))

    @cached_property
    def tenants(self) -> Tenants:
        """What those who run the service work with."""
        chosen = self._settings
        return Tenants(
            policies=self._policy_documents,
            kept=self._kept_documents,
            kept_for_review=self._kept_for_review,
            holds=self._holds,
            documents=TenantDocuments({name: self._cosmos.container(name) for name in OF_TENANTS}),
            keys=self._keys,
            submission=self.submission_secrets,
            webhooks=self.webhooks,
            queues=self._queues,
            evidence=self.evidence,
            stamp=chosen.stamp,
            clock=self._clock,
            settle=CACHE_SECONDS + chosen.model_timeout + chosen.lease,
        )

    @property
    def max_request_bytes(self) -> int:
        """The longest body that a request may have."""
        return self._settings.max_request_bytes

    @property
    def backup_horizon(self) -> int:
        """Seconds for which a backup has what was deleted, as it is stated."""
        return self._settings.backups.horizon_seconds

    @cached_property
    def _configuration(self) -> Configuration:
        chosen = self._settings
        return Configuration(
            management=self._management,
            policies=self._policy_documents,
            content_logging=self._content_logging,
            evidence=self.evidence,
            stamp=chosen.stamp,
            clock=self._clock,
            abuse_keys=self._abuse_keys,
            expected=Expected.of(
                chosen.stamp,
                lease=chosen.lease,
                max_delivery_count=chosen.max_delivery_count,
                cosmos_id=chosen.cosmos_id,
                cosmos_endpoint=chosen.cosmos_endpoint,
                backups=chosen.backups,
                abuse_vault=chosen.abuse_vault,
                recovery_days=chosen.abuse_key_recovery_days,
            ),
        )
