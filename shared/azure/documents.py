"""Documents of container ``generations`` and back: one per data class of a job, in the partition (tenant, job)."""

from secrets import token_hex
from typing import Any

from shared.azure.cosmos import Document
from shared.azure.events import unannounced, unheard
from shared.azure.marks import of_mark, to_mark, until
from shared.domain.bodies import Endpoint
from shared.domain.generation import Outcome, Receipt, Status, event_type
from shared.domain.macs import Mac
from shared.domain.policy import ttl
from shared.domain.request import GenerationRequest


def of_receipt(receipt: Receipt, *, now: float, grace: int) -> Document:
    """Write a receipt as a document."""
    return {
        "id": "receipt",
        "dataClass": "receipt",
        "tenantId": receipt.tenant_id,
        "jobId": receipt.job_id,
        "status": receipt.status,
        "endpoint": receipt.endpoint,
        "model": receipt.model,
        "created_at": receipt.created_at,
        "content_expires_at": receipt.content_expires_at,
        "expires_at": receipt.expires_at,
        "content_kept_seconds": _kept(receipt, receipt.content_expires_at),
        "kept_seconds": _kept(receipt, receipt.expires_at),
        "ttl": ttl(receipt.expires_at, now=now, grace=grace, held_until=until(receipt.held)),
        **of_mark(receipt.held),
        "content_mac": of_mac(receipt.content_mac),
        "subject": of_mac(receipt.subject),
        "attempt": receipt.attempt,
        "attempt_token": receipt.attempt_token,
        "lease_until": receipt.lease_until,
        "started_at": now if receipt.status is Status.IN_PROGRESS else None,
        "not_before": receipt.not_before,
        "scheduled_sequence_number": None,
        "model_calls": receipt.model_calls,
        "grounding_documents": receipt.grounding_documents,
        "principal": receipt.principal,
        "abuse_record_expires_at": receipt.abuse_record_expires_at,
        "deleted_at": receipt.deleted_at,
        "completed_at": None,
        "result": None,
    }


def to_receipt(document: Document) -> Receipt:
    """Read a receipt."""
    return Receipt(
        tenant_id=document["tenantId"],
        job_id=document["jobId"],
        status=Status(document["status"]),
        endpoint=Endpoint(document["endpoint"]),
        model=document["model"],
        created_at=document["created_at"],
        content_expires_at=document["content_expires_at"],
        expires_at=document["expires_at"],
        content_mac=to_mac(document.get("content_mac")),
        subject=to_mac(document.get("subject")),
        attempt=document["attempt"],
        attempt_token=document["attempt_token"],
        lease_until=document["lease_until"],
        not_before=document["not_before"],
        model_calls=document["model_calls"],
        grounding_documents=document.get("grounding_documents", 0),
        principal=document.get("principal"),
        abuse_record_expires_at=document.get("abuse_record_expires_at"),
        deleted_at=document.get("deleted_at"),
        scheduled_sequence_number=document.get("scheduled_sequence_number"),
        held=to_mark(document),
    )


def of_output(receipt: Receipt, request: GenerationRequest, outcome: Outcome, *, now: float, grace: int) -> Document:
    """Write what the caller gets. The only document with content, and with the caller's own labels."""
    content_filter = outcome.content_filter.as_json() if outcome.content_filter else None
    response = (
        {"status_code": outcome.status_code, "request_id": outcome.request_id, "body": outcome.body}
        if outcome.body is not None
        else None
    )
    return {
        "id": "output",
        "dataClass": "output",
        "tenantId": receipt.tenant_id,
        "jobId": receipt.job_id,
        "custom_id": request.custom_id,
        "batch": request.batch,
        "metadata": request.metadata,
        "subject": of_mac(receipt.subject),
        "status": outcome.status,
        "endpoint": receipt.endpoint,
        "created_at": receipt.created_at,
        "completed_at": now,
        "expires_at": receipt.content_expires_at,
        "kept_seconds": _kept(receipt, receipt.content_expires_at),
        "ttl": ttl(receipt.content_expires_at, now=now, grace=grace, held_until=until(receipt.held)),
        **of_mark(receipt.held),
        "response": response,
        "error": outcome.error,
        "content_filter": content_filter,
        "usage": _usage(outcome),
        "processed_in": outcome.processed_in,
        "ai_generated": True,
    }


def of_event(receipt: Receipt, outcome: Outcome, *, heard: bool, now: float, grace: int) -> Document:
    """Write the event of a terminal state; it is as content-free as the receipt and lives as long.

    ``heard``: whether there may be somebody to whom it is to be announced.
    """
    return {
        "id": "event",
        "dataClass": "event",
        "tenantId": receipt.tenant_id,
        "jobId": receipt.job_id,
        "event_id": f"evt_{token_hex(16)}",
        "type": event_type(receipt.endpoint, outcome.status),
        "created_at": now,
        **(unannounced(now) if heard else unheard(now)),
        "expires_at": receipt.expires_at,
        "kept_seconds": _kept(receipt, receipt.expires_at),
        "ttl": ttl(receipt.expires_at, now=now, grace=grace, held_until=until(receipt.held)),
        **of_mark(receipt.held),
    }


def of_result(outcome: Outcome) -> Document:
    """What a receipt keeps of an outcome: codes and counts."""
    content_filter = outcome.content_filter
    return {
        "error_code": outcome.error_code,
        "filter_outcome": content_filter.verdict if content_filter else None,
        "filter_codes": content_filter.codes() if content_filter else [],
        "status_code": outcome.status_code,
        "usage": _usage(outcome),
        "processed_in": outcome.processed_in,
    }


def _usage(outcome: Outcome) -> dict[str, int] | None:
    usage = outcome.usage
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens} if usage else None


def _kept(receipt: Receipt, expires_at: float) -> int:
    """Whole seconds from admission to a deadline: by these a shorter policy finds what it shortens."""
    return round(expires_at - receipt.created_at)


def of_mac(mac: Mac | None) -> dict[str, str] | None:
    """Write a MAC, None where there is none."""
    return {"kid": mac.kid, "mac": mac.mac} if mac else None


def to_mac(value: dict[str, Any] | None) -> Mac | None:
    """Read a MAC, None where there is none."""
    return Mac(kid=value["kid"], mac=value["mac"]) if value else None
