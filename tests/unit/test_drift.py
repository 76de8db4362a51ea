"""One row each drift: what Azure says differently, and what is found of it."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.configuration import (
    AccountSettings,
    Backup,
    Backups,
    ContainerSettings,
    DeploymentSettings,
    QueueSettings,
    StoreSettings,
)
from shared.domain.drift import (
    INFORMATIONAL,
    Drift,
    ExpectedAccount,
    ExpectedContainer,
    ExpectedQueue,
    ExpectedStore,
    Finding,
    account_drift,
    container_drift,
    queue_drift,
    store_drift,
    submission_drift,
)
from tests.policies import policy

LISTED_QUEUE = ExpectedQueue(name="jobs", lease_seconds=300, max_delivery_count=20, longest_ttl_seconds=86_400)
QUEUE = QueueSettings(
    name="jobs",
    lock_seconds=300,
    max_delivery_count=20,
    ttl_seconds=86_400,
    dead_letter_on_expiration=False,
    duplicate_window_seconds=600,
    sessions=False,
    counts=None,
)

LISTED_CONTAINER = ExpectedContainer(name="generations", partition_key=("/tenantId", "/jobId"))
CONTAINER = ContainerSettings(name="generations", partition_key=("/tenantId", "/jobId"), default_ttl=-1, analytical_ttl=None)

SMALL = DeploymentSettings(name="small", sku="Standard", model="gpt-4.1-mini")
LISTED_ACCOUNT = ExpectedAccount(
    resource="primary", region="swedencentral", endpoint_host="lethe.openai.azure.com", deployments=(SMALL,)
)
ACCOUNT = AccountSettings(
    resource="primary",
    region="swedencentral",
    endpoint_hosts=frozenset({"lethe.openai.azure.com"}),
    content_logging=True,
    local_auth=False,
    deployments=(SMALL, replace(SMALL, name="another", sku="GlobalStandard")),
)

EU = ("swedencentral", "germanywestcentral")
LISTED_STORE = ExpectedStore(
    name="lethe",
    endpoint_host="lethe.documents.azure.com",
    regions=frozenset(EU),
    backups=Backups(mode=Backup.PERIODIC, horizon_hours=8),
)
STORE = StoreSettings(
    endpoint_host="lethe.documents.azure.com:443",
    regions=EU,
    backup=Backup.PERIODIC,
    backup_horizon_hours=8,
    local_auth=False,
    analytical_storage=False,
)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"lock_seconds": 60}, Drift.QUEUE_LOCK),  # a lease that ends after its lock lets two work on one job
        ({"lock_seconds": 301}, Drift.QUEUE_LOCK),  # a crashed worker's job would wait longer than its lease
        ({"max_delivery_count": 10}, Drift.QUEUE_DELIVERY_COUNT),
        ({"ttl_seconds": 86_401}, Drift.QUEUE_TTL),
        ({"dead_letter_on_expiration": True}, Drift.QUEUE_KEEPS_EXPIRED),
        ({"duplicate_window_seconds": None}, Drift.QUEUE_DUPLICATE_DETECTION),
        ({"duplicate_window_seconds": 599.0}, Drift.QUEUE_DUPLICATE_DETECTION),
        ({"sessions": True}, Drift.QUEUE_SESSIONS),
        ({"name": "others"}, Drift.QUEUE_MISSING),
    ],
)
def test_a_queue_that_is_set_up_otherwise_is_found(change: dict[str, Any], kind: Drift) -> None:
    found = queue_drift([LISTED_QUEUE], [replace(QUEUE, **change)])
    assert found == (Finding(kind=kind, target="jobs"),)


@pytest.mark.parametrize("change", [{}, {"name": "JOBS"}, {"ttl_seconds": 60}, {"duplicate_window_seconds": 3600.0}])
def test_a_queue_as_it_should_be_is_no_finding(change: dict[str, Any]) -> None:
    assert queue_drift([LISTED_QUEUE], [replace(QUEUE, **change), replace(QUEUE, name="not-ours", sessions=True)]) == ()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"partition_key": ("/tenantId",)}, Drift.CONTAINER_PARTITION_KEY),
        ({"partition_key": ("/jobId", "/tenantId")}, Drift.CONTAINER_PARTITION_KEY),
        ({"default_ttl": None}, Drift.CONTAINER_TTL_OFF),  # then no item's own ttl is honoured
        ({"analytical_ttl": -1}, Drift.CONTAINER_ANALYTICAL_STORE),
        ({"name": "Generations"}, Drift.CONTAINER_MISSING),
    ],
)
def test_a_container_that_is_set_up_otherwise_is_found(change: dict[str, Any], kind: Drift) -> None:
    found = container_drift([LISTED_CONTAINER], [replace(CONTAINER, **change)])
    assert found == (Finding(kind=kind, target="generations"),)


@pytest.mark.parametrize("default_ttl", [-1, 1, 86_400])
def test_a_container_as_it_should_be_is_no_finding(default_ttl: int) -> None:
    assert container_drift([LISTED_CONTAINER], [replace(CONTAINER, default_ttl=default_ttl)]) == ()


@pytest.mark.parametrize(
    ("change", "kind", "target"),
    [
        ({"region": "eastus"}, Drift.ACCOUNT_REGION, "primary"),
        ({"endpoint_hosts": frozenset({"other.openai.azure.com"})}, Drift.ACCOUNT_ENDPOINT, "primary"),
        ({"endpoint_hosts": frozenset()}, Drift.ACCOUNT_ENDPOINT, "primary"),
        ({"content_logging": None}, Drift.ACCOUNT_CONTENT_LOGGING_UNREADABLE, "primary"),
        ({"local_auth": True}, Drift.ACCOUNT_LOCAL_AUTH, "primary"),
        ({"deployments": ()}, Drift.DEPLOYMENT_MISSING, "primary/small"),
        ({"deployments": (replace(SMALL, sku="GlobalStandard"),)}, Drift.DEPLOYMENT_SKU, "primary/small"),
        ({"deployments": (replace(SMALL, model="gpt-4.1"),)}, Drift.DEPLOYMENT_MODEL, "primary/small"),
    ],
)
def test_an_account_that_is_set_up_otherwise_is_found(change: dict[str, Any], kind: Drift, target: str) -> None:
    assert account_drift(LISTED_ACCOUNT, replace(ACCOUNT, **change)) == (Finding(kind=kind, target=target),)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"content_logging": False},
        {"endpoint_hosts": frozenset({"lethe.cognitiveservices.azure.com", "lethe.openai.azure.com"})},
        {"deployments": (replace(SMALL, name="Small"),)},
    ],
)
def test_an_account_as_it_should_be_is_no_finding(change: dict[str, Any]) -> None:
    assert account_drift(LISTED_ACCOUNT, replace(ACCOUNT, **change)) == ()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"regions": ("eastus",)}, Drift.STORE_REGION),
        ({"regions": (*EU, "eastus")}, Drift.STORE_REGION),  # a copy is data at rest, too
        ({"endpoint_host": "other.documents.azure.com:443"}, Drift.STORE_ENDPOINT),  # then all this is about another store
        ({"endpoint_host": "lethe.documents.azure.com:8081"}, Drift.STORE_ENDPOINT),
        ({"analytical_storage": True}, Drift.STORE_ANALYTICAL_STORE),
        ({"local_auth": True}, Drift.STORE_LOCAL_AUTH),
        ({"backup": Backup.CONTINUOUS}, Drift.STORE_BACKUP_MODE),  # others may restore it, and copies lie elsewhere
        ({"backup_horizon_hours": 9}, Drift.STORE_BACKUP_HORIZON),  # what is told to be gone could come back
    ],
)
def test_a_store_that_is_set_up_otherwise_is_found_by_its_own_name(change: dict[str, Any], kind: Drift) -> None:
    assert store_drift(LISTED_STORE, replace(STORE, **change)) == (Finding(kind=kind, target="lethe"),)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"regions": EU[:1]},
        {"endpoint_host": "LETHE.documents.azure.com"},
        {"backup_horizon_hours": 7},
    ],
)
def test_a_store_as_it_should_be_is_no_finding(change: dict[str, Any]) -> None:
    assert store_drift(LISTED_STORE, replace(STORE, **change)) == ()


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        (Backups(mode=Backup.PERIODIC, horizon_hours=8), {Drift.STORE_BACKUP_MODE, Drift.STORE_BACKUP_HORIZON}),
        (Backups(mode=Backup.CONTINUOUS, horizon_hours=167), {Drift.STORE_BACKUP_HORIZON}),
        (Backups(mode=Backup.CONTINUOUS, horizon_hours=168), set()),
        (Backups(mode=Backup.CONTINUOUS, horizon_hours=720), set()),
        (Backups(mode=Backup.PERIODIC, horizon_hours=720), {Drift.STORE_BACKUP_MODE}),
    ],
)
def test_backups_may_reach_less_far_back_than_is_stated_and_in_no_other_way(stated: Backups, found: set[Drift]) -> None:
    store = replace(STORE, backup=Backup.CONTINUOUS, backup_horizon_hours=168)
    assert {finding.kind for finding in store_drift(replace(LISTED_STORE, backups=stated), store)} == found


@pytest.mark.parametrize(
    ("submissions", "tenants", "found"),
    [
        (("open",), 1, []),  # alone, nobody else could submit in its name
        (("open",), 2, ["t0"]),  # the policy of the other one cannot be read
        (("open", "signed"), 2, ["t0"]),
        (("forbidden", "open", "open"), 3, ["t1", "t2"]),
        (("signed", "forbidden"), 2, []),
        ((), 2, []),
    ],
)
def test_open_submission_is_found_where_there_is_another_tenant(
    submissions: tuple[str, ...], tenants: int, found: list[str]
) -> None:
    policies = [policy(tenant_id=f"t{n}", queue_submission=submission) for n, submission in enumerate(submissions)]
    drifts = submission_drift(policies, tenants=tenants)
    assert drifts == tuple(Finding(kind=Drift.QUEUE_SUBMISSION_OPEN, target=tenant) for tenant in found)


def test_everything_that_differs_is_found_at_once() -> None:
    wrong = replace(QUEUE, lock_seconds=1, sessions=True)
    missing = replace(LISTED_QUEUE, name="gone")
    assert queue_drift([LISTED_QUEUE, missing], [wrong]) == (
        Finding(kind=Drift.QUEUE_LOCK, target="jobs"),
        Finding(kind=Drift.QUEUE_SESSIONS, target="jobs"),
        Finding(kind=Drift.QUEUE_MISSING, target="gone"),
    )


def test_only_what_no_promise_depends_on_is_for_information() -> None:
    assert {Drift.ACCOUNT_LOCAL_AUTH, Drift.STORE_LOCAL_AUTH} == INFORMATIONAL
