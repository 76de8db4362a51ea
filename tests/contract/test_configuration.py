"""The check of the configuration against the parts that have it: what counts when one is away, and what is said once."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.management import ids
from local.vault.seed import FILE
from shared.domain.checked import Checked, Part, Unchecked
from shared.domain.configuration import Backup
from shared.domain.drift import Drift, Finding
from shared.domain.evidence import Chain, Record
from shared.domain.expected import CONTAINERS
from shared.errors import StoreUnavailable
from shared.privacy import configuration as checking
from shared.privacy.configuration import Configuration, Memory, check, report
from tests import policies
from tests.contract import management
from tests.contract.broker import Broker, fresh_broker
from tests.contract.configured import PRIMARY, SMALL, configured
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.contract.management import managing
from tests.contract.vault import Running, running_vault

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
    async with configured(azure, cosmos, vault) as whole:
        yield whole


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
UNSEALING = {"identity": "managed_identity", "keys": "lethe-abuse-*", "actions": ["unwrapKey"]}


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


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ()),
        ({"access": [UNSEALING]}, (Finding(kind=Drift.VAULT_UNWRAP_ALLOWED, target="abuse-vault"),)),
        ({"recovery_days": 8}, (Finding(kind=Drift.VAULT_RECOVERY, target="abuse-vault"),)),
    ],
    ids=["as it should be", "the app may unseal", "deleted keys live longer"],
)
async def test_a_vault_that_would_open_records_to_the_app_or_after_thirty_days_is_found(
    configuration: Configuration, tmp_path: Path, changes: dict[str, Any], found: tuple[Finding, ...]
) -> None:
    with running_vault(tmp_path, LETHE_VAULT_SEED=str(seed_file(tmp_path, changes))) as other:
        async with other.abuse_keys() as keys:
            await keys.sealing_key("lethe-abuse-2031-01-01")
            checked = await check(replace(configuration, abuse_keys=keys))
    assert (checked.findings, checked.complete) == ((KEYS, OPEN, *found), True)
    assert {*found} <= {*checked.serious}
    assert checked.compared == sum(COMPARED.values()) + 1


async def test_a_vault_that_does_not_answer_is_unchecked(
    configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PATIENCE", 0.5)
    with running_vault(tmp_path) as other:
        other.part.kill()
        async with other.abuse_keys() as keys:
            checked = await check(replace(configuration, abuse_keys=keys))
    assert (Unchecked(part=Part.VAULT) in checked.unchecked, checked.complete) == (True, False)


def seed_file(folder: Path, changes: dict[str, Any]) -> Path:
    """Write what infrastructure sets up in a vault, with changes; rules are added to those that there are."""
    seed = json.loads(FILE.read_text(encoding="utf-8"))
    added = {"access": seed["access"] + changes.get("access", [])}
    path = folder / "seed.json"
    path.write_text(json.dumps(seed | changes | added), encoding="utf-8")
    return path


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
