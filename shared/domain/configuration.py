"""How the services that Lethe uses are set up, as Azure's management API tells it: only what a promise depends on."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class QueueCounts:
    """Messages that lie in a queue; a locked message is an active one."""

    active: int
    scheduled: int
    dead_lettered: int
    transfer: int
    transfer_dead_lettered: int


@dataclass(frozen=True, kw_only=True)
class QueueSettings:
    """A Service Bus queue; times in seconds. ``duplicate_window`` is None without duplicate detection.

    ``counts`` is None when the list of queues leaves them out, which Azure's documented example does.
    """

    name: str
    lock_seconds: float
    max_delivery_count: int
    ttl_seconds: float
    dead_letter_on_expiration: bool
    duplicate_window_seconds: float | None
    sessions: bool
    counts: QueueCounts | None


@dataclass(frozen=True, kw_only=True)
class ContainerSettings:
    """A Cosmos DB container.

    ``default_ttl`` in seconds, -1 for "only what an item says", None for off: then no item's own ``ttl`` is honoured.
    ``analytical_ttl`` is None without an analytical store, which keeps copies that the container's TTL does not reach.
    """

    name: str
    partition_key: tuple[str, ...]
    default_ttl: int | None
    analytical_ttl: int | None


@dataclass(frozen=True, kw_only=True)
class DeploymentSettings:
    """A model deployment; the SKU decides where its requests may be processed."""

    name: str
    sku: str
    model: str


@dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """A model account and its deployments; ``region`` without spaces, in lower case; hosts with their port if they have one.

    ``content_logging``: False where modified abuse monitoring is approved (Azure then says so), True where nothing says so,
    None when the account does not tell its capabilities, or tells this one in a way that is not known.
    """

    resource: str
    region: str
    endpoint_hosts: frozenset[str]
    content_logging: bool | None
    local_auth: bool
    deployments: tuple[DeploymentSettings, ...]


class Backup(StrEnum):
    """How Cosmos DB backs an account up."""

    PERIODIC = "periodic"
    CONTINUOUS = "continuous"


@dataclass(frozen=True, kw_only=True)
class Backups:
    """How the store is backed up as it is stated: what is deleted is out of every backup after the horizon."""

    mode: Backup
    horizon_hours: int

    @property
    def horizon_seconds(self) -> int:
        """The horizon, in the unit of deadlines."""
        return self.horizon_hours * 3600


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """A Cosmos DB account; what is deleted can be restored from a backup for ``backup_horizon_hours``.

    ``regions`` without spaces, in lower case, the one that is written to first.
    """

    endpoint_host: str
    regions: tuple[str, ...]
    backup: Backup
    backup_horizon_hours: int
    local_auth: bool
    analytical_storage: bool
