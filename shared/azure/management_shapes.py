"""What Azure Resource Manager answers, read strictly: a field that is missing or of another type is no answer.

Fields of Azure that are not named here are ignored. Shapes: the API versions that ``shared.azure.management`` pins.
"""

from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from shared.domain.configuration import (
    AccountSettings,
    Backup,
    ContainerSettings,
    DeploymentSettings,
    QueueCounts,
    QueueSettings,
    StoreSettings,
)

_CONTENT_LOGGING = "contentlogging"
_LOGGED = {"true": True, "false": False}


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True, alias_generator=to_camel)


class Page[Resource](_Shape):
    """One page of a list."""

    value: tuple[Resource, ...]
    next_link: str | None = None


class _Counts(_Shape):
    active_message_count: int
    scheduled_message_count: int
    dead_letter_message_count: int
    transfer_message_count: int
    transfer_dead_letter_message_count: int

    def counts(self) -> QueueCounts:
        return QueueCounts(
            active=self.active_message_count,
            scheduled=self.scheduled_message_count,
            dead_lettered=self.dead_letter_message_count,
            transfer=self.transfer_message_count,
            transfer_dead_lettered=self.transfer_dead_letter_message_count,
        )


class _QueueProperties(_Shape):
    lock_duration: timedelta
    max_delivery_count: int
    default_message_time_to_live: timedelta
    dead_lettering_on_message_expiration: bool
    requires_duplicate_detection: bool
    duplicate_detection_history_time_window: timedelta
    requires_session: bool
    count_details: _Counts | None = None


class Queue(_Shape):
    """A resource ``Microsoft.ServiceBus/namespaces/queues``."""

    name: str
    properties: _QueueProperties

    def settings(self) -> QueueSettings:
        """Return it as Lethe speaks of it."""
        told = self.properties
        return QueueSettings(
            name=self.name,
            lock_seconds=told.lock_duration.total_seconds(),
            max_delivery_count=told.max_delivery_count,
            ttl_seconds=told.default_message_time_to_live.total_seconds(),
            dead_letter_on_expiration=told.dead_lettering_on_message_expiration,
            duplicate_window_seconds=(
                told.duplicate_detection_history_time_window.total_seconds() if told.requires_duplicate_detection else None
            ),
            sessions=told.requires_session,
            counts=None if told.count_details is None else told.count_details.counts(),
        )


class _PartitionKey(_Shape):
    paths: tuple[str, ...]


class _ContainerResource(_Shape):
    id: str
    partition_key: _PartitionKey
    default_ttl: int | None = None
    analytical_storage_ttl: int | None = None


class _ContainerProperties(_Shape):
    resource: _ContainerResource


class Container(_Shape):
    """A resource ``Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers``."""

    properties: _ContainerProperties

    def settings(self) -> ContainerSettings:
        """Return it as Lethe speaks of it; an analytical TTL of 0 means off, as an absent one does."""
        told = self.properties.resource
        return ContainerSettings(
            name=told.id,
            partition_key=told.partition_key.paths,
            default_ttl=told.default_ttl,
            analytical_ttl=told.analytical_storage_ttl or None,
        )


class _Capability(_Shape):
    name: str
    value: str | None = None


class _AccountProperties(_Shape):
    endpoint: str
    endpoints: dict[str, str] = {}
    capabilities: tuple[_Capability, ...] | None = None
    disable_local_auth: bool | None = None


class _Sku(_Shape):
    name: str


class _Model(_Shape):
    name: str


class _DeploymentProperties(_Shape):
    model: _Model


class Deployment(_Shape):
    """A resource ``Microsoft.CognitiveServices/accounts/deployments``."""

    name: str
    sku: _Sku
    properties: _DeploymentProperties


class Account(_Shape):
    """A resource ``Microsoft.CognitiveServices/accounts``; one of the kind AIServices has several endpoints."""

    location: str
    properties: _AccountProperties

    def settings(self, resource: str, deployments: list[Deployment]) -> AccountSettings:
        """Return it as Lethe speaks of it, under the name by which policies know it."""
        told = self.properties
        return AccountSettings(
            resource=resource,
            region=_region(self.location),
            endpoint_hosts=frozenset(_host(url) for url in (told.endpoint, *told.endpoints.values())),
            content_logging=_content_logging(told.capabilities),
            local_auth=told.disable_local_auth is not True,
            deployments=tuple(
                DeploymentSettings(name=each.name, sku=each.sku.name, model=each.properties.model.name) for each in deployments
            ),
        )


def _content_logging(capabilities: tuple[_Capability, ...] | None) -> bool | None:
    if capabilities is None:
        return None
    values = [each.value for each in capabilities if each.name.lower() == _CONTENT_LOGGING]
    return _LOGGED.get((values[0] or "").lower()) if values else True


class _Location(_Shape):
    location_name: str
    failover_priority: int


class _PeriodicMode(_Shape):
    backup_retention_interval_in_hours: int


class _ContinuousMode(_Shape):
    tier: Literal["Continuous7Days", "Continuous30Days"] = "Continuous30Days"


class _BackupPolicy(_Shape):
    type: Literal["Periodic", "Continuous"]
    periodic_mode_properties: _PeriodicMode | None = None
    continuous_mode_properties: _ContinuousMode | None = None

    def horizon_hours(self) -> int:
        """Return for how long a backup can bring back what was deleted; raises ValueError when that is not told."""
        if self.type == "Continuous":
            tier = (self.continuous_mode_properties or _ContinuousMode()).tier
            return 24 * (7 if tier == "Continuous7Days" else 30)
        if self.periodic_mode_properties is None:
            raise ValueError("A periodic backup has a retention.")
        return self.periodic_mode_properties.backup_retention_interval_in_hours


class _StoreProperties(_Shape):
    document_endpoint: str
    locations: tuple[_Location, ...]
    backup_policy: _BackupPolicy
    disable_local_auth: bool | None = None
    enable_analytical_storage: bool | None = None


class Store(_Shape):
    """A resource ``Microsoft.DocumentDB/databaseAccounts``."""

    properties: _StoreProperties

    def settings(self) -> StoreSettings:
        """Return it as Lethe speaks of it; raises ValueError when the horizon of its backups is not told."""
        told = self.properties
        return StoreSettings(
            endpoint_host=_host(told.document_endpoint),
            regions=tuple(
                _region(each.location_name) for each in sorted(told.locations, key=lambda each: each.failover_priority)
            ),
            backup=Backup(told.backup_policy.type.lower()),
            backup_horizon_hours=told.backup_policy.horizon_hours(),
            local_auth=told.disable_local_auth is not True,
            analytical_storage=told.enable_analytical_storage is True,
        )


def _region(name: str) -> str:
    """Return "swedencentral" for "Sweden Central": Azure writes both."""
    return name.replace(" ", "").lower()


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()
