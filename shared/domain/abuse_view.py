"""Alerts and opened records as reviewers see them."""

from shared.domain.abuse_alert import Alert
from shared.domain.abuse_record import PUBLIC_PREFIX, AbuseRecord
from shared.domain.json_document import Json
from shared.domain.views import GENERATION, whole


def alert(shown: Alert) -> Json:
    """An alert. Of a data subject it tells that it is one, not which; ``records`` are those that its jobs may have left."""
    return {
        "id": shown.public_id,
        "object": "abuse.alert",
        "tenant": shown.tenant_id,
        "kind": shown.kind,
        "about": "subject" if shown.subject else "principal" if shown.principal else "queue",
        "principal": shown.principal,
        "status": shown.status,
        "opening": shown.opening,
        "opened_at": int(shown.opened_at),
        "last_signal_at": int(shown.last_signal_at),
        "signals": shown.signals,
        "records": [f"{PUBLIC_PREFIX}{job}" for job in shown.jobs],
        "blocked_until": whole(shown.blocked_until),
        "resolution": shown.resolution,
        "resolved_at": whole(shown.resolved_at),
        "expires_at": int(shown.expires_at),
    }


def record(opened: AbuseRecord, content: Json) -> Json:
    """A record with its content, as it was sealed."""
    return {
        "id": opened.public_id,
        "object": "abuse.record",
        "tenant": opened.tenant_id,
        "generation": f"{GENERATION}{opened.job_id}",
        "created_at": int(opened.created_at),
        "expires_at": int(opened.expires_at),
        "endpoint": opened.endpoint,
        "model": opened.model,
        "reason": opened.reason,
        "filter_outcome": opened.verdict,
        "filter_codes": list(opened.filter_codes),
        "content": content,
    }
