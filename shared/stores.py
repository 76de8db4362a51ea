"""The stores, queues, keys and clients of one process: made on first use, and each of them once.

Every client is shared: they are made for concurrent use, or locked.
"""

from functools import cached_property

from azure.core.credentials_async import AsyncTokenCredential
from azure.servicebus.aio import ServiceBusClient

from shared import clock, settings
from shared.azure import held_jobs, kept_documents
from shared.azure.abuse_alerts import AbuseAlerts
from shared.azure.abuse_keys import AbuseKeys
from shared.azure.abuse_records import AbuseRecords
from shared.azure.abuse_unwrapping import Unwrapper
from shared.azure.content_logging import ContentLogging
from shared.azure.cosmos import Cosmos
from shared.azure.credential import app_credential
from shared.azure.erasures import Erasures
from shared.azure.evidence import Evidence
from shared.azure.held_jobs import HeldJobs
from shared.azure.holds import Holds
from shared.azure.kept_documents import KeptDocuments
from shared.azure.keys import KeyStore, open_store
from shared.azure.management import Management
from shared.azure.markers import Markers
from shared.azure.policies import Policies
from shared.azure.policy_documents import PolicyDocuments
from shared.azure.queues import Queues
from shared.azure.secret_store import SecretStore, open_secrets
from shared.azure.signer import VaultSigner
from shared.azure.stamp_state import StampState


class Stores:
    """What is below the use cases."""

    def __init__(self, chosen: settings.Settings) -> None:
        self._settings = chosen
        self._clock = clock.clock(chosen.clock_offset_file)

    @cached_property
    def evidence(self) -> Evidence:
        """The chains of evidence."""
        return Evidence(self._cosmos.container("evidence"), signer=self._signer, clock=self._clock)

    async def close(self) -> None:
        """Close the connections that were opened; for commands and tests, because Azure Functions has no hook for it."""
        built = vars(self)
        for name in (
            "_service_bus",
            "_cosmos",
            "_keys",
            "_secrets",
            "_signer",
            "_abuse_keys",
            "_unwrapper",
            "_management",
            "_credential",
        ):
            if name in built:
                await built[name].close()

    @cached_property
    def _management(self) -> Management:
        chosen = self._settings
        return Management(
            endpoint=chosen.management_endpoint,
            credential=self._credential,
            service_bus_id=chosen.service_bus_id,
            cosmos_id=chosen.cosmos_id,
            cosmos_database=chosen.cosmos_database,
            accounts={each.resource: each.resource_id for each in chosen.stamp.deployments.values()},
        )

    @cached_property
    def _keys(self) -> KeyStore:
        return open_store(self._settings.key_store, credential=self._credential, clock=self._clock)

    @cached_property
    def _holds(self) -> Holds:
        return Holds(self._cosmos.container("privacy"), clock=self._clock)

    @cached_property
    def _held_jobs(self) -> HeldJobs:
        return HeldJobs(self._cosmos.container("generations"), clock=self._clock, grace=self._settings.grace)

    @cached_property
    def _held_for_review(self) -> HeldJobs:
        container = self._cosmos.container("abuse-monitoring")
        return HeldJobs(container, clock=self._clock, grace=self._settings.grace, root=held_jobs.OF_REVIEW)

    @cached_property
    def _kept_documents(self) -> KeptDocuments:
        return KeptDocuments(self._cosmos.container("generations"), clock=self._clock, grace=self._settings.grace)

    @cached_property
    def _kept_for_review(self) -> KeptDocuments:
        container = self._cosmos.container("abuse-monitoring")
        return KeptDocuments(container, clock=self._clock, grace=self._settings.grace, classes=kept_documents.OF_REVIEW)

    @cached_property
    def _policy_documents(self) -> PolicyDocuments:
        return PolicyDocuments(self._cosmos.container("policies"), clock=self._clock)

    @cached_property
    def _erasures(self) -> Erasures:
        return Erasures(self._cosmos.container("privacy"), clock=self._clock, grace=self._settings.grace)

    @cached_property
    def _markers(self) -> Markers:
        return Markers(self._erasures, clock=self._clock)

    @cached_property
    def _policies(self) -> Policies:
        return Policies(self._cosmos.container("policies"), clock=self._clock)

    @cached_property
    def _content_logging(self) -> ContentLogging:
        """Twice the timer's interval: then it has missed a run, and a worker looks by itself."""
        chosen = self._settings
        return ContentLogging(
            StampState(self._cosmos.container("privacy")),
            self._management,
            resources={each.resource for each in chosen.stamp.deployments.values()},
            late_after=2 * chosen.retention_interval,
            clock=self._clock,
        )

    @cached_property
    def _secrets(self) -> SecretStore:
        return open_secrets(self._settings.key_store, credential=self._credential)

    @cached_property
    def _signer(self) -> VaultSigner:
        return VaultSigner(self._settings.evidence_key, credential=self._credential)

    @cached_property
    def _abuse_keys(self) -> AbuseKeys:
        return AbuseKeys(self._settings.abuse_vault, credential=self._credential)

    @cached_property
    def _unwrapper(self) -> Unwrapper:
        return Unwrapper(self._settings.abuse_vault, credential=self._credential)

    @cached_property
    def _abuse_records(self) -> AbuseRecords:
        container = self._cosmos.container("abuse-monitoring")
        return AbuseRecords(container, clock=self._clock, grace=self._settings.grace)

    @cached_property
    def _abuse_alerts(self) -> AbuseAlerts:
        container = self._cosmos.container("abuse-monitoring")
        return AbuseAlerts(container, clock=self._clock, grace=self._settings.grace)

    @cached_property
    def _credential(self) -> AsyncTokenCredential:
        return app_credential()

    @cached_property
    def _cosmos(self) -> Cosmos:
        chosen = self._settings
        return Cosmos(
            endpoint=chosen.cosmos_endpoint,
            credential=chosen.cosmos_key or self._credential,
            database=chosen.cosmos_database,
        )

    @cached_property
    def _queues(self) -> Queues:
        return Queues(self._service_bus)

    @cached_property
    def _service_bus(self) -> ServiceBusClient:
        chosen = self._settings
        if chosen.service_bus_connection is not None:
            return ServiceBusClient.from_connection_string(chosen.service_bus_connection)
        return ServiceBusClient(chosen.service_bus_namespace or "", self._credential)
