"""The app's reads of configuration, against the parts that have it: what is read, and what is found when something drifts."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient
from azure.identity.aio import ManagedIdentityCredential
from azure.servicebus import ServiceBusMessage

from local.cosmos.auth import EMULATOR_KEY
from local.management import ids
from shared.azure.management import Management
from shared.domain.configuration import AccountSettings, Backup, DeploymentSettings, QueueCounts, QueueSettings, StoreSettings
from shared.domain.drift import (
    Drift,
    ExpectedAccount,
    ExpectedContainer,
    ExpectedQueue,
    Finding,
    account_drift,
    container_drift,
    queue_drift,
)
from shared.errors import ManagementUnavailable
from tests.contract import management
from tests.contract.broker import Broker, desk, fresh_broker
from tests.contract.cosmos import DATABASE, Endpoint, fresh_endpoint
from tests.contract.management import Token, managing
from tests.parts import running

HOST = "127.0.0.1:8082"
DEPLOYMENTS = (
    DeploymentSettings(name="gpt-small-eu", sku="Standard", model="gpt-4.1-mini"),
    DeploymentSettings(name="gpt-small-eu-2", sku="DataZoneStandard", model="gpt-4.1-mini"),
    DeploymentSettings(name="gpt-small-world", sku="GlobalStandard", model="gpt-4.1-mini"),
    DeploymentSettings(name="embed-small-eu", sku="Standard", model="text-embedding-3-small"),
)
PRIMARY = ExpectedAccount(resource="primary", region="swedencentral", endpoint_host=HOST, deployments=DEPLOYMENTS)
ONCE = ExpectedQueue(name="once", lease_seconds=10, max_delivery_count=20, longest_ttl_seconds=86_400)
PRIVACY = ExpectedContainer(name="privacy", partition_key=("/tenantId",))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with pytest.MonkeyPatch.context() as patch, fresh_broker(tmp_path_factory.mktemp("broker"), patch) as running_broker:
        yield running_broker


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def endpoint(broker: Broker, cosmos: Endpoint) -> Iterator[management.Management]:
    settings = {"LETHE_COSMOS_PORT": str(cosmos.part.port), "LETHE_MODEL_PORT": "8082", "LETHE_MANAGEMENT_PAGE_SIZE": "2"}
    with managing(broker.state, **settings) as part:
        yield part


@pytest.fixture
def azure(endpoint: management.Management) -> management.Management:
    endpoint.reset()
    return endpoint


@pytest.fixture
async def app(azure: management.Management) -> AsyncIterator[Management]:
    opened = reads(azure.url, Token())
    yield opened
    await opened.close()


def reads(endpoint: str, credential: Token | ManagedIdentityCredential) -> Management:
    return Management(
        endpoint=endpoint,
        credential=credential,
        service_bus_id=ids.SERVICE_BUS,
        cosmos_id=ids.COSMOS,
        cosmos_database=DATABASE,
        accounts={name: ids.account(name) for name in ("primary", "unlogged")},
    )


async def test_queues_are_read_with_what_lies_in_them(app: Management, broker: Broker) -> None:
    async with desk(broker, "once") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x", message_id="one"))
        read = {queue.name: queue for queue in await app.queues()}
        await receiver.receive_messages(max_wait_time=5)
    assert set(read) == {"Plain", "once", "brief", "keeps-expired", "patient-twice"}
    assert read["once"] == QueueSettings(
        name="once",
        lock_seconds=10,
        max_delivery_count=20,
        ttl_seconds=86_400,
        dead_letter_on_expiration=False,
        duplicate_window_seconds=600,
        sessions=False,
        counts=QueueCounts(active=1, scheduled=0, dead_lettered=0, transfer=0, transfer_dead_lettered=0),
    )


async def test_an_account_is_read_with_all_its_deployments(app: Management) -> None:
    assert await app.account("primary") == AccountSettings(
        resource="primary",
        region="swedencentral",
        endpoint_hosts=frozenset({HOST}),
        content_logging=True,
        local_auth=False,
        deployments=DEPLOYMENTS,
    )


async def test_the_store_is_read_with_the_horizon_of_its_backups(app: Management, cosmos: Endpoint) -> None:
    assert await app.store() == StoreSettings(
        endpoint_host=urlsplit(cosmos.url).netloc,
        regions=("swedencentral",),
        backup=Backup.PERIODIC,
        backup_horizon_hours=8,
        local_auth=True,
        analytical_storage=False,
    )


async def test_modified_abuse_monitoring_is_read(app: Management, azure: management.Management) -> None:
    off = {"name": "ContentLogging", "value": "false"}
    azure.override(ids.account("primary"), properties={"capabilities": [off]})
    assert (await app.account("primary")).content_logging is False


@pytest.mark.parametrize("resource", ["primary", "unlogged"])
@pytest.mark.parametrize(
    ("capabilities", "logs"),
    [
        ([{"name": "ContentLogging", "value": "false"}], False),
        ([{"name": "VirtualNetworks"}], True),
        (None, None),
        ([{"name": "ContentLogging", "value": "partly"}], None),
    ],
)
async def test_whether_content_is_logged_is_read_alone_as_with_the_account(
    app: Management, azure: management.Management, resource: str, capabilities: object, *, logs: bool | None
) -> None:
    azure.override(ids.account(resource), properties={"capabilities": capabilities})
    assert await app.content_logging(resource) is (await app.account(resource)).content_logging is logs


async def test_it_is_read_without_the_deployments_and_of_listed_resources_only(
    app: Management, azure: management.Management
) -> None:
    azure.fault(status=403, path="/deployments")
    assert (await app.content_logging("primary"), await app.content_logging("unlogged")) == (True, False)
    with pytest.raises(ManagementUnavailable):
        await app.content_logging("another")


async def test_another_backup_policy_is_read(app: Management, azure: management.Management) -> None:
    policy = {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}, "periodicModeProperties": None}
    azure.override(ids.COSMOS, properties={"backupPolicy": policy})
    read = await app.store()
    assert (read.backup, read.backup_horizon_hours) == (Backup.CONTINUOUS, 168)


async def test_the_apps_own_identity_is_what_it_reads_with(
    azure: management.Management, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running("issuer", broker.state) as issuer:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{issuer.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "local")
        async with ManagedIdentityCredential() as identity:
            app = reads(azure.url, identity)
            assert (await app.account("primary")).resource == "primary"
            await app.close()


async def test_a_queue_that_a_broker_starts_with_other_settings_has_drifted(app: Management, broker: Broker) -> None:
    assert queue_drift([ONCE], await app.queues()) == ()
    file = broker.state.parent / "queues.json"
    original = file.read_text()
    wrong = {"lock_seconds": 5, "max_delivery_count": 3, "ttl_seconds": 86_401, "dead_letter_on_expiration": True}
    file.write_text(json.dumps({**json.loads(original), "once": wrong}))
    broker.crash_and_restart()
    found = queue_drift([ONCE], await app.queues())
    file.write_text(original)
    broker.crash_and_restart()
    assert [finding.kind for finding in found] == [
        Drift.QUEUE_LOCK,
        Drift.QUEUE_DELIVERY_COUNT,
        Drift.QUEUE_TTL,
        Drift.QUEUE_KEEPS_EXPIRED,
        Drift.QUEUE_DUPLICATE_DETECTION,
    ]
    assert queue_drift([ONCE], await app.queues()) == ()


async def test_a_queue_with_sessions_or_none_at_all_has_drifted(app: Management, azure: management.Management) -> None:
    azure.override(f"{ids.QUEUES}/once", properties={"requiresSession": True})
    azure.override(f"{ids.QUEUES}/plain", missing=True)
    found = queue_drift([ONCE, replace(ONCE, name="plain")], await app.queues())
    assert found == (
        Finding(kind=Drift.QUEUE_SESSIONS, target="once"),
        Finding(kind=Drift.QUEUE_MISSING, target="plain"),
    )


async def test_a_container_that_is_changed_in_the_store_has_drifted(app: Management, cosmos: Endpoint) -> None:
    assert container_drift([PRIVACY], await app.containers()) == ()
    async with CosmosClient(cosmos.url, EMULATOR_KEY) as client:
        database = client.get_database_client(DATABASE)
        await database.replace_container("privacy", PartitionKey("/tenantId"))
        off = container_drift([PRIVACY], await app.containers())
        await database.delete_container("privacy")
        gone = container_drift([PRIVACY], await app.containers())
        await database.create_container("privacy", PartitionKey("/jobId"), default_ttl=-1)
        other = container_drift([PRIVACY], await app.containers())
    kinds = [finding.kind for found in (off, gone, other) for finding in found]
    assert kinds == [Drift.CONTAINER_TTL_OFF, Drift.CONTAINER_MISSING, Drift.CONTAINER_PARTITION_KEY]


async def test_an_account_and_its_deployments_can_drift(app: Management, azure: management.Management) -> None:
    assert account_drift(PRIMARY, await app.account("primary")) == ()
    account = ids.account("primary")
    other = {"endpoint": "https://other.openai.azure.com/", "disableLocalAuth": False, "capabilities": None}
    azure.override(account, location="East US", properties=other)
    azure.override(f"{account}/deployments/gpt-small-eu", sku={"name": "GlobalStandard"})
    azure.override(f"{account}/deployments/gpt-small-eu-2", properties={"model": {"name": "gpt-4.1"}})
    azure.override(f"{account}/deployments/embed-small-eu", missing=True)
    assert account_drift(PRIMARY, await app.account("primary")) == (
        Finding(kind=Drift.ACCOUNT_REGION, target="primary"),
        Finding(kind=Drift.ACCOUNT_ENDPOINT, target="primary"),
        Finding(kind=Drift.ACCOUNT_CONTENT_LOGGING_UNREADABLE, target="primary"),
        Finding(kind=Drift.ACCOUNT_LOCAL_AUTH, target="primary"),
        Finding(kind=Drift.DEPLOYMENT_SKU, target="primary/gpt-small-eu"),
        Finding(kind=Drift.DEPLOYMENT_MODEL, target="primary/gpt-small-eu-2"),
        Finding(kind=Drift.DEPLOYMENT_MISSING, target="primary/embed-small-eu"),
    )
