"""Whom a tenant's open alerts are about, and who is blocked, as workers remember it: one query for each tenant and a while."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.azure.abuse_alerts import AbuseAlerts
from shared.azure.remembered import Remembered
from shared.clock import Clock
from shared.domain.abuse_alert import Alert, AlertStatus
from shared.domain.macs import Mac

CACHE_SECONDS = 15.0
"""What another process notices is acted on within this time."""


@dataclass(frozen=True)
class Watched:
    """A tenant's alerts that matter for new jobs."""

    alerts: tuple[Alert, ...] = ()

    def has_open_alert(self, subject: Mac | None) -> bool:
        """Whether somebody has to look at a subject."""
        return subject is not None and any(
            alert.status is AlertStatus.OPEN and alert.subject == subject for alert in self.alerts
        )

    def blocks(self, subjects: Iterable[Mac], now: float) -> bool:
        """Whether a subject, by its MACs with any of its tenant's keys, is blocked at a time."""
        macs = set(subjects)
        return any(alert.blocks(now) and alert.subject in macs for alert in self.alerts)

    @property
    def key_ids(self) -> frozenset[str]:
        """Ids of the keys with which the blocked subjects' MACs were made."""
        return frozenset(alert.subject.kid for alert in self.alerts if alert.subject and alert.blocked_until is not None)


class Watch:
    """The alerts of each tenant that are open or block somebody."""

    def __init__(self, alerts: AbuseAlerts, *, clock: Clock) -> None:
        self._alerts = alerts
        self._known = Remembered(self._ask, seconds=CACHE_SECONDS, clock=clock)

    async def of(self, tenant: str) -> Watched:
        """Return what a tenant's jobs are looked at with; raises `StoreUnavailable`: not knowing is no reason to run a job."""
        return await self._known.of(tenant)

    def forget(self, tenant: str) -> None:
        """Look anew the next time: this process has changed an alert of the tenant."""
        self._known.forget(tenant)

    async def _ask(self, tenant: str) -> Watched:
        return Watched(tuple(await self._alerts.watched(tenant)))
