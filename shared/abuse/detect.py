"""The timer's step that looks for abuse: alerts are made or opened again, subjects blocked, and tenants told.

Evidence comes first, then the alert, then its events: their names follow from the alert, and it says which are still to be
told, so that a crash anywhere delays them and makes none twice.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from shared.azure.abuse_alerts import AbuseAlerts, Stored
from shared.azure.evidence import Evidence
from shared.azure.policy_documents import PolicyDocuments
from shared.azure.signals import Signals
from shared.azure.watch import Watch
from shared.clock import Clock
from shared.delivery.announce import announce
from shared.delivery.health import EVENT_LIVES
from shared.delivery.services import Webhooks
from shared.domain import abuse_record
from shared.domain.abuse_alert import MOST_JOBS, Alert, AlertStatus
from shared.domain.detection import Finding, Signal, findings, new_subject_candidates
from shared.domain.erasure import latest
from shared.domain.evidence import Chain, Kind
from shared.domain.evidence_fields import Fields
from shared.domain.macs import Mac
from shared.domain.policy import Detection, TenantPolicy
from shared.domain.step_report import Tally
from shared.domain.webhook import ALERT_CREATED, SUBJECT_BLOCKED
from shared.metrics import Metric, count, gauge
from shared.telemetry import Event, log

MOST_SIGNALS = 5_000
"""Of one tenant that one run looks at; with more, the step is incomplete."""
MOST_CANDIDATES = 200
"""Subjects of one tenant of which one run asks whether they are new."""
SHORTEST_ALERT = 3600.0
"""Seconds: an alert is there to be seen, however short the policy keeps records."""


@dataclass(frozen=True, kw_only=True)
class Detecting:
    """What the step works with; ``recovery_days``: for how long the vault of the records' keys keeps deleted ones."""

    signals: Signals
    alerts: AbuseAlerts
    watch: Watch
    policies: PolicyDocuments
    webhooks: Webhooks
    evidence: Evidence
    clock: Clock
    recovery_days: int


async def detect(detecting: Detecting, tally: Tally) -> None:
    """Look at every tenant whose policy keeps records; ``checked`` counts signals, ``found`` alerts that were opened.

    Raises `ServiceUnavailable` when it cannot look on.
    """
    listing = await detecting.policies.all()
    tally.complete = not listing.unreadable
    still_open = 0
    for policy in listing.policies:
        if policy.abuse_monitoring.keeps_records:
            await _look(policy, detecting, tally)
            still_open += await _tell(policy.tenant_id, detecting)
    if tally.complete:
        gauge(Metric.ABUSE_OPEN_ALERTS, still_open)


async def _look(policy: TenantPolicy, detecting: Detecting, tally: Tally) -> None:
    tenant, detection, now = policy.tenant_id, policy.abuse_monitoring.thresholds, detecting.clock()
    signals, are_all = await detecting.signals.since(tenant, now - detection.window_seconds, most=MOST_SIGNALS)
    tally.checked += len(signals)
    tally.complete &= are_all
    new, are_all_asked = await _new(tenant, signals, detection, detecting)
    tally.complete &= are_all_asked
    known = {alert.id: alert for alert in await detecting.alerts.all(tenant)} if signals else {}
    resolved = {name: alert.resolved_at for name, alert in known.items() if alert.resolved_at is not None}
    for finding in findings(signals, detection, now=now, new=new, resolved=resolved):
        tally.found += await _raise(finding, policy, detecting)


async def _new(
    tenant: str, signals: Iterable[Signal], detection: Detection, detecting: Detecting
) -> tuple[frozenset[Mac], bool]:
    """Return which subjects were not seen before the window, and whether all that matter were asked about."""
    now = detecting.clock()
    candidates = sorted(new_subject_candidates(signals, detection, now=now), key=lambda each: each.mac)
    asked, before = candidates[:MOST_CANDIDATES], now - detection.window_seconds
    new = [each for each in asked if not await detecting.signals.was_seen(tenant, each, before=before)]
    return frozenset(new), len(asked) == len(candidates)


async def _raise(finding: Finding, policy: TenantPolicy, detecting: Detecting) -> bool:
    """Make the alert of a finding, or bring it up to date; return whether it was opened by this."""
    stored = await detecting.alerts.standing(finding.tenant_id, finding.alert_id)
    known = stored.alert if stored else None
    if known is not None and known.status is AlertStatus.OPEN and known.expires_at > detecting.clock():
        await _continue(finding, stored, detecting)
        return False
    alert = _opened(finding, policy, known, detecting)
    await _record(Kind.ABUSE_ALERT_CREATED, alert, {"kind": alert.kind, "signals": alert.signals}, detecting)
    if SUBJECT_BLOCKED in alert.untold and alert.blocked_until is not None:
        await _record(Kind.SUBJECT_BLOCKED, alert, {"until": int(alert.blocked_until)}, detecting)
    if not await detecting.alerts.write(alert, over=stored):
        return False  # another run was quicker, and tells
    detecting.watch.forget(alert.tenant_id)
    count(Metric.ABUSE_ALERTS, kind=alert.kind)
    log(Event.ABUSE_ALERT_CREATED, code=alert.kind, warning=True)
    return True


def _opened(finding: Finding, policy: TenantPolicy, known: Alert | None, detecting: Detecting) -> Alert:
    """Make an alert, or its next opening; a block that stands is not cut short by it."""
    now, signals = detecting.clock(), finding.signals
    ends_at = abuse_record.expires_at(policy.retention, admitted_at=now, recovery_days=detecting.recovery_days)
    expires_at = max(ends_at, now + SHORTEST_ALERT)
    seconds = policy.abuse_monitoring.thresholds.block_seconds
    block = min(now + seconds, expires_at) if seconds is not None and finding.subject is not None else None
    standing = min(known.blocked_until, expires_at) if known and known.blocked_until is not None else None
    return Alert(
        id=finding.alert_id,
        tenant_id=finding.tenant_id,
        kind=finding.kind,
        subject=finding.subject,
        principal=finding.principal,
        status=AlertStatus.OPEN,
        opening=known.opening + 1 if known else 1,
        opened_at=now,
        last_signal_at=signals[-1].at,
        signals=len(signals),
        jobs=_jobs(signals),
        expires_at=expires_at,
        blocked_until=latest(block, standing),
        untold=(ALERT_CREATED,) if block is None else (ALERT_CREATED, SUBJECT_BLOCKED),
        held=known.held if known else None,
    )


async def _continue(finding: Finding, stored: Stored | None, detecting: Detecting) -> None:
    """Add later signs to an alert that is open; of two runs at once one does, and the next run adds what is missing."""
    if stored is None:
        return
    later = [signal for signal in finding.signals if signal.at > stored.alert.last_signal_at]
    if later:
        alert = replace(
            stored.alert,
            last_signal_at=later[-1].at,
            signals=stored.alert.signals + len(later),
            jobs=(*stored.alert.jobs, *_jobs(later))[-MOST_JOBS:],
        )
        await detecting.alerts.write(alert, over=stored)


async def _tell(tenant: str, detecting: Detecting) -> int:
    """Store and announce the events that are still to be told; return how many alerts are open."""
    alerts = await detecting.alerts.all(tenant)
    for alert in alerts:
        for event_type in alert.untold:
            await _announce(alert, event_type, detecting.webhooks)
        if alert.untold:
            await detecting.alerts.change(tenant, alert.id, partial(_told, types=frozenset(alert.untold)))
    return sum(alert.status is AlertStatus.OPEN for alert in alerts)


def _told(alert: Alert, *, types: frozenset[str]) -> Alert:
    return replace(alert, untold=tuple(each for each in alert.untold if each not in types))


async def _announce(alert: Alert, event_type: str, webhooks: Webhooks) -> None:
    """Store an event and announce it; the same opening again is the same event."""
    source_id = f"{alert.public_id}.{event_type.rpartition('.')[2]}-{alert.opening}"
    name = hashlib.sha256(f"{alert.tenant_id}/{source_id}".encode()).hexdigest()[:32]
    await webhooks.events.create(
        tenant_id=alert.tenant_id, source_id=source_id, event_id=f"evt_{name}", event_type=event_type, lives=EVENT_LIVES
    )
    await announce(alert.tenant_id, source_id, webhooks)


async def _record(kind: Kind, alert: Alert, more: Fields, detecting: Detecting) -> None:
    fields: Fields = {"alert": alert.public_id, "tenant": alert.tenant_id, "opening": alert.opening, **more}
    await detecting.evidence.append(Chain.ABUSE, kind, fields)


def _jobs(signals: Iterable[Signal]) -> tuple[str, ...]:
    return tuple(signal.job_id for signal in signals)[-MOST_JOBS:]
