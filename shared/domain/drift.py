"""Configuration drift: the difference between how services should be set up and how they are. Pure, so a table tests it.

The target of a finding is always a name that was expected, never one that was read: it goes to logs and into evidence.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.configuration import (
    AccountSettings,
    Backups,
    ContainerSettings,
    DeploymentSettings,
    QueueSettings,
    StoreSettings,
)
from shared.domain.policy import Submission, TenantPolicy

SHORTEST_DUPLICATE_WINDOW = 600.0
"""Seconds: what an SDK may repeat on its own, and a crash between sending and settling, stay within ten minutes."""

_SEVERAL = 2


class Drift(StrEnum):
    """What is not as it should be."""

    QUEUE_MISSING = "queue_missing"
    QUEUE_LOCK = "queue_lock"
    QUEUE_DELIVERY_COUNT = "queue_delivery_count"
    QUEUE_TTL = "queue_ttl"
    QUEUE_KEEPS_EXPIRED = "queue_keeps_expired"
    QUEUE_DUPLICATE_DETECTION = "queue_duplicate_detection"
    QUEUE_SESSIONS = "queue_sessions"
    QUEUE_SUBMISSION_OPEN = "queue_submission_open"
    CONTAINER_MISSING = "container_missing"
    CONTAINER_PARTITION_KEY = "container_partition_key"
    CONTAINER_TTL_OFF = "container_ttl_off"
    CONTAINER_ANALYTICAL_STORE = "container_analytical_store"
    ACCOUNT_REGION = "account_region"
    ACCOUNT_ENDPOINT = "account_endpoint"
    ACCOUNT_CONTENT_LOGGING_UNREADABLE = "account_content_logging_unreadable"
    ACCOUNT_LOCAL_AUTH = "account_local_auth"
    OPT_OUT_UNCONFIRMED = "opt_out_unconfirmed"
    VAULT_UNWRAP_ALLOWED = "vault_unwrap_allowed"
    VAULT_RECOVERY = "vault_recovery"
    DEPLOYMENT_MISSING = "deployment_missing"
    DEPLOYMENT_SKU = "deployment_sku"
    DEPLOYMENT_MODEL = "deployment_model"
    STORE_REGION = "store_region"
    STORE_ENDPOINT = "store_endpoint"
    STORE_ANALYTICAL_STORE = "store_analytical_store"
    STORE_LOCAL_AUTH = "store_local_auth"
    STORE_BACKUP_MODE = "store_backup_mode"
    STORE_BACKUP_HORIZON = "store_backup_horizon"


INFORMATIONAL = frozenset({Drift.ACCOUNT_LOCAL_AUTH, Drift.STORE_LOCAL_AUTH})
"""Against advice, but no promise depends on it: Lethe itself never uses a key."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One difference; ``target`` is the name of a queue, a container, a resource, ``resource/deployment``, or a tenant."""

    kind: Drift
    target: str


@dataclass(frozen=True, kw_only=True)
class ExpectedQueue:
    """What a queue has to be: its lock is the lease, and nothing lies in it longer than the bound."""

    name: str
    lease_seconds: float
    max_delivery_count: int
    longest_ttl_seconds: float


@dataclass(frozen=True, kw_only=True)
class ExpectedContainer:
    """What a container has to be; its TTL has to be on."""

    name: str
    partition_key: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ExpectedAccount:
    """What a listed model resource has to be; the host is its base URL's, with the port if it has one."""

    resource: str
    region: str
    endpoint_host: str
    deployments: tuple[DeploymentSettings, ...]


@dataclass(frozen=True, kw_only=True)
class ExpectedStore:
    """What the Cosmos DB account has to be; the host is that of the endpoint which the app writes to."""

    name: str
    endpoint_host: str
    regions: frozenset[str]
    backups: Backups


@dataclass(frozen=True, kw_only=True)
class ExpectedVault:
    """What the vault with the keys of abuse review has to be: for so many days what is deleted there can be recovered."""

    name: str
    recovery_days: int


def queue_drift(expected: Iterable[ExpectedQueue], found: Iterable[QueueSettings]) -> tuple[Finding, ...]:
    """Compare queues; others that are there are nobody's business here. Service Bus ignores the case of names."""
    there = {queue.name.lower(): queue for queue in found}
    return tuple(Finding(kind=kind, target=queue.name) for queue in expected for kind in _queue(queue, there))


def _queue(expected: ExpectedQueue, there: Mapping[str, QueueSettings]) -> Iterator[Drift]:
    found = there.get(expected.name.lower())
    if found is None:
        yield Drift.QUEUE_MISSING
        return
    if found.lock_seconds != expected.lease_seconds:
        yield Drift.QUEUE_LOCK
    if found.max_delivery_count != expected.max_delivery_count:
        yield Drift.QUEUE_DELIVERY_COUNT
    if found.ttl_seconds > expected.longest_ttl_seconds:
        yield Drift.QUEUE_TTL
    if found.dead_letter_on_expiration:
        yield Drift.QUEUE_KEEPS_EXPIRED
    if (found.duplicate_window_seconds or 0) < SHORTEST_DUPLICATE_WINDOW:
        yield Drift.QUEUE_DUPLICATE_DETECTION
    if found.sessions:
        yield Drift.QUEUE_SESSIONS


def container_drift(expected: Iterable[ExpectedContainer], found: Iterable[ContainerSettings]) -> tuple[Finding, ...]:
    """Compare containers; Cosmos DB minds the case of names."""
    there = {container.name: container for container in found}
    return tuple(Finding(kind=kind, target=each.name) for each in expected for kind in _container(each, there))


def _container(expected: ExpectedContainer, there: Mapping[str, ContainerSettings]) -> Iterator[Drift]:
    found = there.get(expected.name)
    if found is None:
        yield Drift.CONTAINER_MISSING
        return
    if found.partition_key != expected.partition_key:
        yield Drift.CONTAINER_PARTITION_KEY
    if not found.default_ttl:
        yield Drift.CONTAINER_TTL_OFF
    if found.analytical_ttl is not None:
        yield Drift.CONTAINER_ANALYTICAL_STORE


def account_drift(expected: ExpectedAccount, found: AccountSettings) -> tuple[Finding, ...]:
    """Compare a model account and its deployments; Azure ignores the case of a deployment's name."""
    there = {deployment.name.lower(): deployment for deployment in found.deployments}
    return (
        *(Finding(kind=kind, target=expected.resource) for kind in _account(expected, found)),
        *(
            Finding(kind=kind, target=f"{expected.resource}/{each.name}")
            for each in expected.deployments
            for kind in _deployment(each, there)
        ),
    )


def _account(expected: ExpectedAccount, found: AccountSettings) -> Iterator[Drift]:
    if found.region != expected.region:
        yield Drift.ACCOUNT_REGION
    if expected.endpoint_host.lower() not in found.endpoint_hosts:
        yield Drift.ACCOUNT_ENDPOINT
    if found.content_logging is None:
        yield Drift.ACCOUNT_CONTENT_LOGGING_UNREADABLE
    if found.local_auth:
        yield Drift.ACCOUNT_LOCAL_AUTH


def _deployment(expected: DeploymentSettings, there: Mapping[str, DeploymentSettings]) -> Iterator[Drift]:
    found = there.get(expected.name.lower())
    if found is None:
        yield Drift.DEPLOYMENT_MISSING
        return
    if found.sku != expected.sku:
        yield Drift.DEPLOYMENT_SKU
    if found.model != expected.model:
        yield Drift.DEPLOYMENT_MODEL


def store_drift(expected: ExpectedStore, found: StoreSettings) -> tuple[Finding, ...]:
    """Compare the account of the store; backups that reach less far back than is stated keep what is promised."""
    return tuple(Finding(kind=kind, target=expected.name) for kind in _store(expected, found))


def _store(expected: ExpectedStore, found: StoreSettings) -> Iterator[Drift]:
    if not expected.regions.issuperset(found.regions):
        yield Drift.STORE_REGION
    if _without_port(expected.endpoint_host) != _without_port(found.endpoint_host):
        yield Drift.STORE_ENDPOINT
    if found.analytical_storage:
        yield Drift.STORE_ANALYTICAL_STORE
    if found.local_auth:
        yield Drift.STORE_LOCAL_AUTH
    if found.backup is not expected.backups.mode:
        yield Drift.STORE_BACKUP_MODE
    if found.backup_horizon_hours > expected.backups.horizon_hours:
        yield Drift.STORE_BACKUP_HORIZON


def _without_port(host: str) -> str:
    """Leave the port of https out: Azure writes it behind the host of a store, and people do not."""
    return host.lower().removesuffix(":443")


def vault_drift(expected: ExpectedVault, *, recovery_days: int, may_unwrap: bool) -> tuple[Finding, ...]:
    """Compare what the vault with the keys of abuse review does with a key, and lets the app do with it.

    One that keeps deleted keys for longer than is stated would let a record be read after thirty days.
    """
    kinds = {Drift.VAULT_UNWRAP_ALLOWED: may_unwrap, Drift.VAULT_RECOVERY: recovery_days > expected.recovery_days}
    return tuple(Finding(kind=kind, target=expected.name) for kind, is_so in kinds.items() if is_so)


def submission_drift(policies: Iterable[TenantPolicy], *, tenants: int) -> tuple[Finding, ...]:
    """Find tenants in whose name any other tenant's senders can submit; ``tenants`` counts unreadable policies, too."""
    if tenants < _SEVERAL:
        return ()
    return tuple(
        Finding(kind=Drift.QUEUE_SUBMISSION_OPEN, target=policy.tenant_id)
        for policy in policies
        if policy.queue_submission is Submission.OPEN
    )
