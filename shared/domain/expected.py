"""How services have to be set up, as it follows from the settings and the listed deployments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from shared.domain.configuration import Backups, DeploymentSettings
from shared.domain.drift import ExpectedAccount, ExpectedContainer, ExpectedQueue, ExpectedStore, ExpectedVault
from shared.domain.policy import DAY, LONGEST_OUTPUT_RETENTION
from shared.domain.residency import REGIONS
from shared.domain.stamp import Deployment, Stamp

LONGEST_TTL_SECONDS: Mapping[str, int] = {
    "generation-requests": LONGEST_OUTPUT_RETENTION,
    "generation-rejected": LONGEST_OUTPUT_RETENTION,
    "webhook-deliveries": 7 * DAY,
}
"""How long a queue may keep a message that nobody reads.

Prompts: never longer than any policy could keep them (a queue of Service Bus Standard keeps for ever unless it is told not
to). A message of ``webhook-deliveries`` has no content, and the longest pause between attempts is one day.
"""

CONTAINERS = (
    ExpectedContainer(name="generations", partition_key=("/tenantId", "/jobId")),
    ExpectedContainer(name="policies", partition_key=("/tenantId",)),
    ExpectedContainer(name="webhook-endpoints", partition_key=("/tenantId",)),
    ExpectedContainer(name="privacy", partition_key=("/tenantId",)),
    ExpectedContainer(name="abuse-monitoring", partition_key=("/tenantId", "/jobId")),
    ExpectedContainer(name="fine-tuning", partition_key=("/tenantId",)),
    ExpectedContainer(name="evidence", partition_key=("/chain",)),
)
"""The containers of Lethe's database. A container whose TTL is off honours no document's own."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """How everything has to be."""

    queues: tuple[ExpectedQueue, ...]
    containers: tuple[ExpectedContainer, ...]
    accounts: tuple[ExpectedAccount, ...]
    store: ExpectedStore
    vault: ExpectedVault

    @classmethod
    def of(  # noqa: PLR0913 - one for each setting that it follows from
        cls,
        stamp: Stamp,
        *,
        lease: int,
        max_delivery_count: int,
        cosmos_id: str,
        cosmos_endpoint: str,
        backups: Backups,
        abuse_vault: str,
        recovery_days: int,
    ) -> Self:
        """Derive it: queues are locked as long as the lease, and deliver as often as the app counts."""
        return cls(
            queues=tuple(
                ExpectedQueue(
                    name=name, lease_seconds=lease, max_delivery_count=max_delivery_count, longest_ttl_seconds=longest
                )
                for name, longest in LONGEST_TTL_SECONDS.items()
            ),
            containers=CONTAINERS,
            accounts=_accounts(stamp.deployments.values()),
            store=ExpectedStore(
                name=cosmos_id.rpartition("/")[2],
                endpoint_host=_host(cosmos_endpoint),
                regions=REGIONS[stamp.geography],
                backups=backups,
            ),
            vault=ExpectedVault(name=_host(abuse_vault), recovery_days=recovery_days),
        )

    @property
    def resources(self) -> tuple[str, ...]:
        """Names of the model resources, each once."""
        return tuple(dict.fromkeys(each.resource for each in self.accounts))


def _accounts(deployments: Iterable[Deployment]) -> tuple[ExpectedAccount, ...]:
    """Return what the listed model resources have to be.

    A resource that is listed with two regions, or with two of its endpoints, is expected twice; only one region can be right.
    """
    listed: dict[tuple[str, str, str], list[DeploymentSettings]] = {}
    for each in deployments:
        key = (each.resource, each.region, _host(each.endpoint))
        listed.setdefault(key, []).append(DeploymentSettings(name=each.name, sku=each.sku, model=each.model))
    return tuple(
        ExpectedAccount(resource=resource, region=region, endpoint_host=host, deployments=tuple(found))
        for (resource, region, host), found in listed.items()
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()
