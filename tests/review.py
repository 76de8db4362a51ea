"""What is kept for abuse review: a record that is really sealed, and records and alerts as they lie in ``abuse-monitoring``."""

import base64
from secrets import token_hex
from typing import Any

from shared.domain.abuse_alert import AlertKind, alert_id
from shared.domain.abuse_record import AbuseRecord, Kept, authenticated, key_of
from shared.domain.bodies import Endpoint
from shared.domain.filter_outcome import Verdict
from shared.domain.hold import Mark
from shared.domain.macs import Mac
from shared.domain.sealing import SealingKey, seal

SOMEBODY = Mac(kid="1", mac="1" * 64)
KEPT = 21 * 86_400
GRACE = 900
"""Seconds for which the timer can see what is past its deadline."""


def sealed(
    content: bytes, *, key: SealingKey, now: float, kept: float = KEPT, tenant: str = "contoso", held: Mark | None = None
) -> AbuseRecord:
    """The record of a job that was admitted now, sealed as the app does."""
    job_id, ends_at = token_hex(20), now + kept
    return AbuseRecord(
        tenant_id=tenant,
        job_id=job_id,
        subject=SOMEBODY,
        created_at=now,
        expires_at=ends_at,
        endpoint=Endpoint.RESPONSES,
        model="gpt-small",
        reason=Kept.FLAGGED,
        verdict=Verdict.PROMPT_BLOCKED,
        filter_codes=("violence:filtered:high",),
        sealed=seal(
            content,
            key=key,
            authenticated=authenticated(tenant, job_id, int(ends_at)),
            sealed_until=int(ends_at),
        ),
        held=held,
    )


def record(
    tenant: str,
    job_id: str,
    subject: Mac | None,
    *,
    now: float,
    kept: float = KEPT,
    content: str = "sealed",
    **changes: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """A record of a job that was admitted now; ``content`` stands in place of what only a review could read."""
    return {
        "id": "record",
        "dataClass": "abuse_record",
        **_document(tenant, job_id, subject, now=now, kept=kept),
        "endpoint": "/v1/responses",
        "model": "gpt-small",
        "reason": "flagged",
        "verdict": "prompt_blocked",
        "filter_codes": ["violence"],
        "key": key_of(now + kept),
        "key_version": token_hex(16),
        "wrapped_key": _text("wrapped"),
        "nonce": _text("nonce"),
        "ciphertext": _text(content),
        "sealed_until": int(now + kept),
        **changes,
    }


def alert(
    tenant: str,
    subject: Mac | None,
    *,
    now: float,
    kept: float = KEPT,
    **changes: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """An alert that was opened now, about a subject, or else about the queue's jobs without one."""
    kind = AlertKind.BLOCKED_PROMPTS
    public_id = alert_id(tenant=tenant, kind=kind, subject=subject, principal=None)
    return {
        "id": "alert",
        "dataClass": "abuse_alert",
        **_document(tenant, public_id, subject, now=now, kept=kept),
        "principal": None,
        "kind": kind,
        "status": "open",
        "opening": 1,
        "last_signal_at": now,
        "signals": 10,
        "jobs": [token_hex(20)],
        "blocked_until": None,
        "resolution": None,
        "resolved_at": None,
        **changes,
    }


def _document(tenant: str, job_id: str, subject: Mac | None, *, now: float, kept: float) -> dict[str, Any]:
    return {
        "tenantId": tenant,
        "jobId": job_id,
        "subject": subject and {"kid": subject.kid, "mac": subject.mac},
        "created_at": now,
        "expires_at": now + kept,
        "kept_seconds": kept,
        "ttl": int(kept) + GRACE,
    }


def _text(content: str) -> str:
    return base64.b64encode(content.encode()).decode()
