"""The reviewers' use cases: alerts without content, one sealed record at a time, and what a review came to.

Evidence comes first: what cannot be recorded is not opened, and a crash in between leaves evidence of a reading that did not
happen, never a reading without evidence.
"""

import json
from dataclasses import dataclass, field, replace

from shared.abuse.access import named
from shared.azure.abuse_alerts import AbuseAlerts
from shared.azure.abuse_records import AbuseRecords
from shared.azure.abuse_unwrapping import Unwrapper
from shared.azure.evidence import Evidence
from shared.clock import Clock
from shared.domain import abuse_alert, abuse_record
from shared.domain.abuse_alert import Alert, AlertStatus, Resolution
from shared.domain.abuse_record import AbuseRecord
from shared.domain.abuse_requests import ListAlerts, OpenRecord, ResolveAlert
from shared.domain.evidence import Chain, Kind
from shared.domain.json_document import Json
from shared.domain.pages import Page, page_of
from shared.domain.policy import is_tenant_id
from shared.domain.principal import Principal
from shared.domain.sealing import unseal
from shared.domain.views import job_id
from shared.domain.webhook import SUBJECT_BLOCKED
from shared.errors import Conflict, Gone, NotFound, Reason, RequestRefused
from shared.metrics import Access, Metric, count
from shared.telemetry import Event, log


@dataclass(frozen=True, kw_only=True)
class Reviewing:
    """What reviews work with."""

    records: AbuseRecords
    alerts: AbuseAlerts
    unwrapper: Unwrapper
    evidence: Evidence
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A record and its content, which is in no store and in no log."""

    record: AbuseRecord
    content: Json = field(repr=False)


async def open_record(public_id: str, order: OpenRecord, reader: Principal, reviewing: Reviewing) -> Opened:
    """Open one record of one tenant.

    Raises `NotFound` (unknown, erased, or another tenant's), `Gone` past its deadline, held or not, and `ServiceUnavailable`.
    """
    record = await reviewing.records.read(_tenant(order.tenant), _id(public_id, abuse_record.PUBLIC_PREFIX))
    if record is None:
        raise NotFound
    if record.expires_at <= reviewing.clock():
        raise Gone
    await reviewing.evidence.append(
        Chain.ACCESS,
        Kind.ABUSE_RECORD_OPENED,
        {"record": public_id, "tenant": order.tenant, "case_reference": order.case_reference, **named(reader)},
    )
    sealed = record.sealed
    data_key = await reviewing.unwrapper.unwrap(sealed)
    authenticated = abuse_record.authenticated(record.tenant_id, record.job_id, sealed.sealed_until)
    content: Json = json.loads(unseal(sealed, data_key=data_key, authenticated=authenticated))
    count(Metric.ABUSE_ACCESSES, outcome=Access.OPENED)
    log(Event.ABUSE_RECORD_OPENED, job_id=record.job_id)
    return Opened(record=record, content=content)


async def page(query: ListAlerts, limit: int, reviewing: Reviewing) -> Page[Alert]:
    """List a tenant's alerts, the latest first, from behind one of them; raises `NotFound` when that is none of these."""
    after = None if query.after is None else _id(query.after, abuse_alert.PUBLIC_PREFIX)
    found = await reviewing.alerts.all(_tenant(query.tenant))
    listed = sorted(found, key=lambda alert: (alert.last_signal_at, alert.id), reverse=True)
    shown = [alert for alert in listed if query.status in {None, alert.status}]
    return page_of(shown, id_of=lambda alert: alert.id, after=after, limit=limit)


async def resolve(public_id: str, order: ResolveAlert, reader: Principal, reviewing: Reviewing) -> Alert:
    """Say what the review of an open alert came to, and block its subject if that is wished; a false alarm ends its block.

    The event that tells the tenant of a block is made by the timer. Raises `NotFound`, `Conflict` for an alert that is
    resolved, `RequestRefused` for a block of an alert without a subject, and `ServiceUnavailable`.
    """
    now = reviewing.clock()

    def resolved(current: Alert) -> Alert:
        if current.status is not AlertStatus.OPEN:
            raise Conflict
        if order.block_seconds is not None and current.subject is None:
            raise RequestRefused(Reason.INVALID_VALUE, "block_seconds")
        blocked_until = None if order.block_seconds is None else min(now + order.block_seconds, current.expires_at)
        standing = None if order.resolution is Resolution.FALSE_ALARM else current.blocked_until
        return replace(
            current,
            status=AlertStatus.RESOLVED,
            resolution=order.resolution,
            resolved_at=now,
            blocked_until=blocked_until or standing,
            untold=current.untold if blocked_until is None else (*current.untold, SUBJECT_BLOCKED),
        )

    tenant, alert_id = _tenant(order.tenant), _id(public_id, abuse_alert.PUBLIC_PREFIX)
    found = await reviewing.alerts.read(tenant, alert_id)
    if found is None:
        raise NotFound
    resolved(found.alert)
    fields = {"alert": public_id, "tenant": tenant, "case_reference": order.case_reference, "resolution": order.resolution}
    blocked = {} if order.block_seconds is None else {"block_seconds": order.block_seconds}
    await reviewing.evidence.append(Chain.ACCESS, Kind.ABUSE_ALERT_RESOLVED, {**fields, **blocked, **named(reader)})
    return await reviewing.alerts.change(tenant, alert_id, resolved)


def _tenant(name: str) -> str:
    if not is_tenant_id(name):
        raise NotFound
    return name


def _id(public_id: str, prefix: str) -> str:
    inner = job_id(public_id, prefix)
    if inner is None:
        raise NotFound
    return inner
