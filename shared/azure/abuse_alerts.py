"""Alerts of abuse monitoring: container ``abuse-monitoring``, partition key (tenant, alert id), one document each.

An alert is about an actor by its MAC or client id, and has no content. Whoever changes one does so under its etag.
"""

from collections.abc import Callable
from dataclasses import dataclass

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    Answered,
    Document,
    find_document,
    foreign_errors,
    query_rows,
)
from shared.azure.documents import of_mac, to_mac
from shared.azure.marks import of_mark, to_mark, until
from shared.clock import Clock
from shared.domain.abuse_alert import DATA_CLASS, Alert, AlertKind, AlertStatus, Resolution
from shared.domain.policy import ttl
from shared.errors import NotFound, StoreUnavailable
from shared.patience import patient

_ID = "alert"
_ALL = "SELECT * FROM c WHERE c.dataClass = 'abuse_alert'"
_WATCHED = f"{_ALL} AND (c.status = 'open' OR c.blocked_until > @now)"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An alert and the etag under which it was read."""

    alert: Alert
    etag: str


class AbuseAlerts:
    """Reads and changes alerts; everything raises `StoreUnavailable`."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    async def read(self, tenant: str, alert_id: str) -> Stored | None:
        """Return an alert that is not past its deadline, None when there is none."""
        found = await self.standing(tenant, alert_id)
        return found if found and found.alert.expires_at > self._clock() else None

    @patient
    async def standing(self, tenant: str, alert_id: str) -> Stored | None:
        """Return what stands there, also an alert past its deadline, which a hold keeps or nobody has deleted yet."""
        document = await find_document(self._container, _ID, [tenant, alert_id])
        if document is None:
            return None
        return Stored(alert=to_alert(document), etag=document["_etag"])

    @patient
    async def all(self, tenant: str) -> list[Alert]:
        """Return every alert of a tenant that is not past its deadline."""
        return await self._query(_ALL, tenant)

    @patient
    async def watched(self, tenant: str) -> list[Alert]:
        """Return a tenant's alerts that nobody has resolved, or that block somebody."""
        return await self._query(_WATCHED, tenant)

    async def write(self, alert: Alert, *, over: Stored | None) -> bool:
        """Store an alert, new or in place of the one that was read; False when somebody else wrote since.

        Not patient: a write that is sent again could meet its own, and would call it somebody else's. The caller reads anew,
        and finds what it wanted done.
        """
        now = self._clock()
        document = of_alert(alert, now=now, grace=self._grace)
        try:
            async with foreign_errors():
                if over is None:
                    await self._container.create_item(document, no_response=True)
                else:
                    await self._container.replace_item(
                        _ID, document, etag=over.etag, match_condition=MatchConditions.IfNotModified, no_response=True
                    )
        except Answered as answer:
            if answer.status in {CONFLICT, NOT_FOUND, PRECONDITION_FAILED}:
                return False
            raise StoreUnavailable from None
        return True

    async def change(self, tenant: str, alert_id: str, changed: Callable[[Alert], Alert]) -> Alert:
        """Change an alert that is there, and return it; raises `NotFound`, and what ``changed`` raises."""
        while True:
            found = await self.read(tenant, alert_id)
            if found is None:
                raise NotFound
            wanted = changed(found.alert)
            if wanted == found.alert or await self.write(wanted, over=found):
                return wanted

    async def _query(self, text: str, tenant: str) -> list[Alert]:
        now = self._clock()
        found = await query_rows(self._container, text, {"now": now}, key=[tenant])
        return [alert for alert in map(to_alert, found) if alert.expires_at > now]


def of_alert(alert: Alert, *, now: float, grace: int) -> Document:
    """Write an alert as a document."""
    return {
        "id": _ID,
        "dataClass": DATA_CLASS,
        "tenantId": alert.tenant_id,
        "jobId": alert.id,
        "subject": of_mac(alert.subject),
        "principal": alert.principal,
        "kind": alert.kind,
        "status": alert.status,
        "opening": alert.opening,
        "created_at": alert.opened_at,
        "last_signal_at": alert.last_signal_at,
        "signals": alert.signals,
        "jobs": list(alert.jobs),
        "blocked_until": alert.blocked_until,
        "resolution": alert.resolution,
        "resolved_at": alert.resolved_at,
        "untold": list(alert.untold),
        "expires_at": alert.expires_at,
        "kept_seconds": round(alert.expires_at - alert.opened_at),
        "ttl": ttl(alert.expires_at, now=now, grace=grace, held_until=until(alert.held)),
        **of_mark(alert.held),
    }


def to_alert(document: Document) -> Alert:
    """Read an alert."""
    return Alert(
        id=document["jobId"],
        tenant_id=document["tenantId"],
        kind=AlertKind(document["kind"]),
        subject=to_mac(document.get("subject")),
        principal=document.get("principal"),
        status=AlertStatus(document["status"]),
        opening=document["opening"],
        opened_at=document["created_at"],
        last_signal_at=document["last_signal_at"],
        signals=document["signals"],
        jobs=tuple(document["jobs"]),
        expires_at=document["expires_at"],
        blocked_until=document.get("blocked_until"),
        resolution=Resolution(document["resolution"]) if document.get("resolution") else None,
        resolved_at=document.get("resolved_at"),
        untold=tuple(document.get("untold", ())),
        held=to_mark(document),
    )
