"""The check of the configuration against the parts that have it: what counts when one is away, and what is said once."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from local import clock
from local.management import ids
from shared.azure.content_logging import ContentLogging
from shared.azure.evidence import Evidence
from shared.azure.management import Management
from shared.azure.policy_documents import PolicyDocuments
from shared.azure.stamp_state import StampState
from shared.domain.checked import Checked, Part, Unchecked
from shared.domain.configuration import Backup, Backups, DeploymentSettings
from shared.domain.drift import Drift, ExpectedAccount, ExpectedQueue, ExpectedStore, Finding
from shared.domain.evidence import Chain, Record
from shared.domain.expected import CONTAINERS, Expected
from shared.errors import StoreUnavailable
from shared.privacy import configuration as checking
from shared.privacy.configuration import Configuration, Memory, check, report
from tests import policies
from tests.contract import management
from tests.contract.broker import Broker, fresh_broker
from tests.contract.cosmos import DATABASE, Endpoint, fresh_endpoint
from tests.contract.management import Token, managing
from tests.contract.memory_signer import MemorySigner
from tests.contract.vault import Running, running_vault

SMALL = DeploymentSettings(name="gpt-small-eu", sku="Standard", model="gpt-4.1-mini")
MODEL = "127.0.0.1:8082"
SIGNER = MemorySigner()
PRIMARY = ExpectedAccount(resource="primary", region="swedencentral", endpoint_host=MODEL, deployments=(SMALL,))
ONCE = ExpectedQueue(name="once", lease_seconds=10, max_delivery_count=20, longest_ttl_seconds=86_400)
KEYS = Finding(kind=Drift.STORE_LOCAL_AUTH, target="lethe")
OPEN = Finding(kind=Drift.QUEUE_SUBMISSION_OPEN, target="contoso")
ACCOUNT = "Microsoft.CognitiveServices/accounts"
COMPARED = {Part.QUEUES: 1, Part.CONTAINERS: len(CONTAINERS), Part.ACCOUNT: 2, Part.STORE: 1, Part.POLICIES: 2}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with pytest.MonkeyPatch.context() as patch, fresh_broker(tmp_path_factory.mktemp("broker"), patch) as running:
        yield running


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def endpoint(broker: Broker, cosmos: Endpoint) -> Iterator[management.Management]:
    settings = {"LETHE_COSMOS_PORT": str(cosmos.part.port), "LETHE_MODEL_PORT": "8082"}
    with managing(broker.state, **settings) as part:
        yield part


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_vault(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
async def azure(endpoint: management.Management, cosmos: Endpoint) -> management.Management:
    """The management endpoint of a stamp with two tenants, one of them open."""
    endpoint.reset()
    cosmos.reset()
    async with cosmos.container("policies") as container:
        await container.upsert_item(policies.stored("contoso", queue_submission="open"))
        await container.upsert_item(policies.stored("fabrikam", queue_submission="signed"))
    return endpoint


@pytest.fixture
async def configuration(azure: management.Management, cosmos: Endpoint, vault: Running) -> AsyncIterator[Configuration]:
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


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="lethe"):
        yield caplog


def said(lines: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What was logged since the last look."""
    found = [json.loads(record.getMessage()) for record in lines.records if record.name == "lethe"]
    lines.clear()
    return found


async def recorded(configuration: Configuration) -> list[Record]:
    return [each async for each in configuration.evidence.read(Chain.CONFIGURATION) if isinstance(each, Record)]


async def test_everything_is_compared_and_values_are_kept(configuration: Configuration) -> None:
    assert await check(configuration) == Checked(
        compared=sum(COMPARED.values()),
        findings=(KEYS, OPEN),
        content_logging={"primary": True},
        backup=Backup.PERIODIC,
        backup_horizon_hours=8,
    )


@pytest.mark.parametrize(
    ("path", "unchecked", "kept"),
    [
        (f"{ids.SERVICE_BUS}/queues", Unchecked(part=Part.QUEUES), (KEYS, OPEN)),
        ("/containers", Unchecked(part=Part.CONTAINERS), (KEYS, OPEN)),
        (f"{ACCOUNT}/primary", Unchecked(part=Part.ACCOUNT, target="primary"), (KEYS, OPEN)),
        (f"{ACCOUNT}/primary/deployments", Unchecked(part=Part.ACCOUNT, target="primary"), (KEYS, OPEN)),
    ],
)
async def test_a_part_that_cannot_be_read_is_unchecked_and_the_others_count(
    configuration: Configuration, azure: management.Management, path: str, unchecked: Unchecked, kept: tuple[Finding, ...]
) -> None:
    azure.fault(status=403, path=path)
    checked = await check(configuration)
    assert (checked.unchecked, checked.findings) == ((unchecked,), kept)
    assert checked.compared == sum(COMPARED.values()) - COMPARED[unchecked.part]
    assert not checked.complete


async def test_a_store_that_cannot_be_read_has_no_horizon(configuration: Configuration, azure: management.Management) -> None:
    azure.override(ids.COSMOS, missing=True)
    checked = await check(configuration)
    assert (checked.unchecked, checked.findings) == ((Unchecked(part=Part.STORE),), (OPEN,))
    assert (checked.backup, checked.backup_horizon_hours) == (None, None)


WEEK = {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}}
MONTH = {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous30Days"}}
MODE = Finding(kind=Drift.STORE_BACKUP_MODE, target="lethe")
HORIZON = Finding(kind=Drift.STORE_BACKUP_HORIZON, target="lethe")


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ({"type": "Periodic", "periodicModeProperties": {"backupRetentionIntervalInHours": 168}}, ()),
        ({"type": "Periodic", "periodicModeProperties": {"backupRetentionIntervalInHours": 169}}, (HORIZON,)),
        (WEEK, (MODE,)),
        (MONTH, (MODE, HORIZON)),
    ],
)
async def test_a_store_that_is_backed_up_otherwise_than_stated_is_found(
    configuration: Configuration, azure: management.Management, policy: dict[str, Any], found: tuple[Finding, ...]
) -> None:
    azure.override(ids.COSMOS, properties={"backupPolicy": policy})
    checked = await check(configuration)
    assert (checked.findings, checked.complete) == ((KEYS, *found, OPEN), True)
    assert {*found} <= {*checked.serious}


async def test_a_policy_that_cannot_be_read_is_unchecked_and_its_tenant_counts(
    configuration: Configuration, cosmos: Endpoint
) -> None:
    async with cosmos.container("policies") as container:
        await container.upsert_item(policies.stored("fabrikam", queue_submission="nobody knows"))
    checked = await check(configuration)
    assert checked.unchecked == (Unchecked(part=Part.POLICIES, target="fabrikam"),)
    assert checked.findings == (KEYS, OPEN)


async def test_policies_that_cannot_be_listed_are_unchecked_in_good_time(
    configuration: Configuration, cosmos: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PATIENCE", 0.2)
    cosmos.fault(container="policies", status=503, count=1000)
    checked = await check(configuration)
    assert (checked.unchecked, checked.findings) == ((Unchecked(part=Part.POLICIES),), (KEYS,))


async def test_a_resource_that_is_expected_twice_is_read_once(
    configuration: Configuration, azure: management.Management
) -> None:
    second = replace(PRIMARY, region="germanywestcentral", deployments=(replace(SMALL, name="embed-small-eu"),))
    twice = replace(configuration, expected=replace(configuration.expected, accounts=(PRIMARY, second)))
    azure.override(ids.account("primary"), properties={"capabilities": None})
    checked = await check(twice)
    assert checked.findings == (
        Finding(kind=Drift.ACCOUNT_CONTENT_LOGGING_UNREADABLE, target="primary"),
        Finding(kind=Drift.ACCOUNT_REGION, target="primary"),
        Finding(kind=Drift.DEPLOYMENT_MODEL, target="primary/embed-small-eu"),
        KEYS,
        OPEN,
    )
    assert checked.content_logging == {"primary": None}


async def test_what_stays_as_it_is_is_logged_and_recorded_once(
    configuration: Configuration, azure: management.Management, lines: pytest.LogCaptureFixture
) -> None:
    before = len(await recorded(configuration))
    for _ in range(3):
        figures = await report(configuration, "configuration")
        assert (figures.checked, figures.found, figures.complete) == (sum(COMPARED.values()), 1, True)
    step = {"event": "retention_step", "step": "configuration", "checked": 13, "found": 1, "complete": True}
    keys = {"event": "configuration_drift", "code": "store_local_auth", "target": "lethe"}
    opened = {"event": "configuration_drift", "code": "queue_submission_open", "target": "contoso"}
    assert said(lines) == [keys, opened, step]
    azure.fault(status=403, path="/containers")
    for _ in range(2):
        await report(configuration, "configuration")
    unchecked = {"event": "configuration_unchecked", "code": "containers"}
    assert said(lines) == [keys, opened, unchecked, step | {"checked": 6, "complete": False}]
    azure.reset()
    await report(configuration, "configuration")
    assert said(lines) == [keys, opened, step]
    assert [record.fields["unchecked"] for record in await recorded(configuration)][before:] == [(), ("containers",), ()]


async def test_only_what_a_promise_depends_on_is_a_warning(
    configuration: Configuration, azure: management.Management, lines: pytest.LogCaptureFixture
) -> None:
    azure.fault(status=403, path="/containers")
    await report(configuration, "configuration")
    levels = {json.loads(record.getMessage()).get("code"): record.levelname for record in lines.records}
    assert levels == {"store_local_auth": "INFO", "queue_submission_open": "WARNING", "containers": "WARNING", None: "INFO"}


async def test_a_value_that_changes_is_recorded_though_it_is_no_finding(
    configuration: Configuration, azure: management.Management, lines: pytest.LogCaptureFixture
) -> None:
    await report(configuration, "configuration")
    said(lines)
    off = {"name": "ContentLogging", "value": "false"}
    azure.override(ids.account("primary"), properties={"capabilities": [off]})
    await report(configuration, "configuration")
    assert said(lines) == []
    assert [record.fields["content_logging"] for record in (await recorded(configuration))[-2:]] == [
        ("primary:true",),
        ("primary:false",),
    ]


async def test_what_could_not_be_recorded_is_recorded_later(
    configuration: Configuration, cosmos: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PATIENCE", 0.2)
    before = await recorded(configuration)
    cosmos.fault(container="evidence", status=503, count=1000)
    with pytest.raises(StoreUnavailable):
        await report(configuration, "configuration")
    cosmos.reset()
    await report(configuration, "configuration")
    assert len(await recorded(configuration)) == len(before) + 1


async def test_a_new_process_says_everything_anew(configuration: Configuration, lines: pytest.LogCaptureFixture) -> None:
    await report(configuration, "configuration")
    told = said(lines)
    await report(replace(configuration, memory=Memory()), "configuration")
    assert said(lines) == told
