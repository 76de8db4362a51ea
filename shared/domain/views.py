"""A job as its caller sees it: Lethe's generation object, and the response object of OpenAI's face."""

from typing import Any

from shared.domain.bodies import Endpoint
from shared.domain.filter_outcome import Verdict
from shared.domain.generation import MESSAGES, Record, Status
from shared.domain.hold import Held, Hold
from shared.domain.json_document import Json

GENERATION = "gen_"
RESPONSE = "resp_"

_ON_OPENAIS_FACE = {Status.EXPIRED: "failed"}
_DEFAULTS: Json = {
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "output": [],
    "parallel_tool_calls": True,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "usage": None,
}
"""What OpenAI's SDK expects of a response that has no result yet."""


def job_id(public_id: str, prefix: str) -> str | None:
    """Return the job id inside a public id, None when it is none."""
    inner = public_id.removeprefix(prefix)
    well_formed = public_id.startswith(prefix) and len(inner) == 40 and set(inner) <= set("0123456789abcdef")  # noqa: PLR2004
    return inner if well_formed else None


def generation(record: Record) -> Json:
    """Lethe's own object. ``custom_id`` and ``batch`` are known while there is an output, which alone holds them."""
    receipt, output = record.receipt, record.output or {}
    return {
        "id": f"{GENERATION}{receipt.job_id}",
        "object": "generation",
        "custom_id": output.get("custom_id"),
        "batch": output.get("batch"),
        "status": receipt.status,
        "endpoint": receipt.endpoint,
        "created_at": int(receipt.created_at),
        "completed_at": whole(record.completed_at),
        "expires_at": int(receipt.content_expires_at),
        "abuse_record_expires_at": whole(receipt.abuse_record_expires_at),
        "response": output.get("response"),
        "error": _error(record.error_code),
        "content_filter": output.get("content_filter"),
        "usage": output.get("usage"),
        "processed_in": output.get("processed_in"),
        "ai_generated": True,
    }


def response(record: Record) -> Json:
    """OpenAI's response object, for a job of the Responses endpoint: the model's own answer under Lethe's id."""
    receipt, output = record.receipt, record.output or {}
    answer = output.get("response") or {}
    body: dict[str, Any] = {**_DEFAULTS, **(answer.get("body") or {})}
    return {
        **body,
        "id": f"{RESPONSE}{receipt.job_id}",
        "object": "response",
        "background": True,
        "created_at": int(receipt.created_at),
        "completed_at": whole(record.completed_at),
        "expires_at": int(receipt.content_expires_at),
        "status": _ON_OPENAIS_FACE.get(receipt.status, receipt.status),
        "model": receipt.model,
        "metadata": output.get("metadata") or {},
        "error": _error(record.error_code),
        "incomplete_details": body["incomplete_details"] or _stopped(record),
        "content_filter": output.get("content_filter"),
        "store": False,
    }


def hold(found: Hold, *, now: float) -> Json:
    """A hold as operators see it; of a data subject it shows that there is one, not which."""
    return {
        "id": found.id,
        "object": "hold",
        "tenant": found.tenant_id,
        "scope": found.scope,
        "generation": found.job_id and f"{GENERATION}{found.job_id}",
        "case_reference": found.case_reference,
        "status": found.standing(now),
        "complete": found.is_complete(now),
        "placed_at": int(found.placed_at),
        "placed_by": found.placed_by,
        "ends_at": found.ends_at,
        "released_at": whole(found.released_at),
        "waiting_messages": "not_held",
    }


def held(found: Held | None) -> Json | None:
    """What a hold holds; None when it could not be counted in time."""
    return dict(vars(found)) if found else None


def has_response(record: Record) -> bool:
    """Whether the job may be seen on OpenAI's face at all."""
    return record.receipt.endpoint is Endpoint.RESPONSES


def _stopped(record: Record) -> dict[str, str] | None:
    """Why a completion is incomplete of which the service said that it failed."""
    found = (record.output or {}).get("content_filter") or {}
    return {"reason": "content_filter"} if found.get("outcome") == Verdict.COMPLETION_BLOCKED else None


def _error(code: str | None) -> dict[str, str] | None:
    return {"code": code, "message": MESSAGES[code]} if code else None


def whole(moment: float | None) -> int | None:
    """A time in whole seconds."""
    return None if moment is None else int(moment)
