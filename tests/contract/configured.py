"""The configuration check as the app composes it, over the parts of one test module."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from local import clock
from local.management import ids
from shared.azure.content_logging import ContentLogging
from shared.azure.evidence import Evidence
from shared.azure.management import Management
from shared.azure.policy_documents import PolicyDocuments
from shared.azure.stamp_state import StampState
from shared.domain.configuration import Backup, Backups, DeploymentSettings
from shared.domain.drift import ExpectedAccount, ExpectedQueue, ExpectedStore
from shared.domain.expected import CONTAINERS, Expected
from shared.privacy.configuration import Configuration
from tests import policies
from tests.contract import management
from tests.contract.cosmos import DATABASE, Endpoint
from tests.contract.management import Token
from tests.contract.memory_signer import MemorySigner
from tests.contract.vault import Running

SMALL = DeploymentSettings(name="gpt-small-eu", sku="Standard", model="gpt-4.1-mini")
PRIMARY = ExpectedAccount(resource="primary", region="swedencentral", endpoint_host="127.0.0.1:8082", deployments=(SMALL,))
ONCE = ExpectedQueue(name="once", lease_seconds=10, max_delivery_count=20, longest_ttl_seconds=86_400)
SIGNER = MemorySigner()


@asynccontextmanager
async def configured(azure: management.Management, cosmos: Endpoint, vault: Running) -> AsyncIterator[Configuration]:
    """A check that expects one queue, all containers, one model resource, the store and the vault."""
    reads = Management(
        endpoint=azure.url,
        credential=Token(),
        service_bus_id=ids.SERVICE_BUS,
        cosmos_id=ids.COSMOS,
        cosmos_database=DATABASE,
        accounts={"primary": ids.account("primary")},
    )
    store = ExpectedStore(
        name="lethe",
        endpoint_host=f"127.0.0.1:{cosmos.part.port}",
        regions=frozenset({"swedencentral"}),
        backups=Backups(mode=Backup.PERIODIC, horizon_hours=168),
    )
    async with (
        cosmos.container("policies") as stored,
        cosmos.container("evidence") as evidence,
        cosmos.container("privacy") as privacy,
        vault.abuse_keys() as abuse_keys,
    ):
        yield Configuration(
            management=reads,
            policies=PolicyDocuments(stored, clock=clock.now),
            content_logging=ContentLogging(StampState(privacy), reads, resources=("primary",), late_after=600, clock=clock.now),
            abuse_keys=abuse_keys,
            evidence=Evidence(evidence, signer=SIGNER, clock=clock.now),
            stamp=policies.stamp(),
            expected=Expected(queues=(ONCE,), containers=CONTAINERS, accounts=(PRIMARY,), store=store, vault=vault.expected),
            clock=clock.now,
        )
    await reads.close()
