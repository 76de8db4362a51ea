"""Keeping a record of a job for abuse review, before the job ends: what must be kept is never missing.

A crash between the record and the end of the job leaves a record of a job that runs again, and then replaces it. A job whose
end fails because it was cancelled, deleted or taken over keeps its record: a model has seen the prompt.
"""

from collections.abc import Iterator

from shared.abuse.services import AbuseMonitor
from shared.domain import abuse_record
from shared.domain.abuse_record import AbuseRecord, Kept, why_kept
from shared.domain.generation import Outcome, Receipt
from shared.domain.json_document import Json, canonical
from shared.domain.policy import TenantPolicy
from shared.domain.request import GenerationRequest
from shared.domain.sealing import SealingKey, seal
from shared.errors import OutputTooLarge
from shared.metrics import Metric, count

_NEVER_KEPT = frozenset({"safety_identifier", "user", "metadata"})
"""Fields of a request that name a person or are the caller's own labels; the record knows the subject by its MAC."""


async def ready(receipt: Receipt, policy: TenantPolicy, monitor: AbuseMonitor) -> None:
    """Make sure that a record could be sealed, before a model is called; raises `KeysUnavailable`."""
    if policy.abuse_monitoring.keeps_records:
        await _key(receipt, policy, monitor)


async def keep(
    receipt: Receipt, request: GenerationRequest, outcome: Outcome, policy: TenantPolicy, monitor: AbuseMonitor
) -> float | None:
    """Keep a record if the policy wants one; return its deadline (seconds since the epoch), None when there is none.

    Raises `StoreUnavailable` and `KeysUnavailable`: then the job must not end.
    """
    reason = await _reason(receipt, outcome, policy, monitor)
    if reason is None:
        return None
    ends_at, key = _ends_at(receipt, policy, monitor), await _key(receipt, policy, monitor)
    for content in _contents(request, outcome):
        try:
            await monitor.records.put(_record(receipt, outcome, reason, content, key=key, ends_at=ends_at))
        except OutputTooLarge:
            continue
        break
    count(Metric.ABUSE_RECORDS, reason=reason)
    return ends_at


async def _reason(receipt: Receipt, outcome: Outcome, policy: TenantPolicy, monitor: AbuseMonitor) -> Kept | None:
    """Decide, and ask who is watched only where it matters."""
    monitoring = policy.abuse_monitoring
    unwatched, watched = (why_kept(monitoring, outcome, is_watched=each) for each in (False, True))
    if unwatched is watched or receipt.subject is None:
        return unwatched
    found = await monitor.watch.of(receipt.tenant_id)
    return watched if found.has_open_alert(receipt.subject) else unwatched


def _record(receipt: Receipt, outcome: Outcome, reason: Kept, content: Json, *, key: SealingKey, ends_at: float) -> AbuseRecord:
    found, sealed_until = outcome.content_filter, int(ends_at)
    return AbuseRecord(
        tenant_id=receipt.tenant_id,
        job_id=receipt.job_id,
        subject=receipt.subject,
        created_at=receipt.created_at,
        expires_at=ends_at,
        endpoint=receipt.endpoint,
        model=receipt.model,
        reason=reason,
        verdict=found.verdict if found else None,
        filter_codes=tuple(found.codes()) if found else (),
        held=receipt.held,
        sealed=seal(
            canonical(content),
            key=key,
            authenticated=abuse_record.authenticated(receipt.tenant_id, receipt.job_id, sealed_until),
            sealed_until=sealed_until,
        ),
    )


def _contents(request: GenerationRequest, outcome: Outcome) -> Iterator[Json]:
    """What is sealed: all of it, else what fits the store; the request alone always does."""
    asked = {name: value for name, value in request.body.items() if name not in _NEVER_KEPT}
    whole: Json = {
        "endpoint": request.url,
        "request": asked,
        "grounding": [document.model_dump(exclude_none=True) for document in request.grounding],
        "response": outcome.body,
    }
    yield whole
    yield {**whole, "response": None, "response_omitted": True}
    yield {**whole, "response": None, "response_omitted": True, "grounding": [], "grounding_omitted": True}


def _ends_at(receipt: Receipt, policy: TenantPolicy, monitor: AbuseMonitor) -> float:
    return abuse_record.expires_at(policy.retention, admitted_at=receipt.created_at, recovery_days=monitor.recovery_days)


async def _key(receipt: Receipt, policy: TenantPolicy, monitor: AbuseMonitor) -> SealingKey:
    return await monitor.keys.sealing_key(abuse_record.key_of(_ends_at(receipt, policy, monitor)))
