"""Who wished to read a sealed record: whatever is refused to a known caller is evidence, as whatever is opened.

A caller without a valid token leaves a line in the log and a count only: anybody could fill the chain otherwise.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.azure.evidence import Evidence
from shared.domain.abuse_record import PUBLIC_PREFIX
from shared.domain.evidence import Chain, Kind
from shared.domain.evidence_fields import Scalar
from shared.domain.principal import Principal
from shared.domain.views import job_id
from shared.errors import Forbidden, Gone, LetheError, NotFound, RequestRefused, UnsupportedMediaType
from shared.metrics import Access, Metric, count
from shared.telemetry import Event, log

_NAMES: dict[type[LetheError], str] = {
    NotFound: "not_found",
    Gone: "gone",
    UnsupportedMediaType: "unsupported_media_type",
}


@asynccontextmanager
async def refusals_recorded(reader: Principal, record_id: str, evidence: Evidence) -> AsyncIterator[None]:
    """Record a refusal before the caller hears of it; raises `ServiceUnavailable` when it cannot be recorded."""
    try:
        yield
    except (Forbidden, Gone, NotFound, RequestRefused, UnsupportedMediaType) as refusal:
        code = _code(refusal)
        count(Metric.ABUSE_ACCESSES, outcome=Access.REFUSED)
        log(Event.ABUSE_ACCESS_REFUSED, code=code, warning=True)
        known = {"record": record_id} if job_id(record_id, PUBLIC_PREFIX) else {}
        await evidence.append(Chain.ACCESS, Kind.ABUSE_ACCESS_REFUSED, {**named(reader), **known, "code": code})
        raise


def named(reader: Principal) -> dict[str, Scalar]:
    """Fields of evidence that say who it was: a person, where the token is a person's, and the application."""
    fields: dict[str, Scalar] = {"client": reader.name}
    return fields if reader.person_id is None else {"person": reader.person_id, **fields}


def _code(refusal: LetheError) -> str:
    if isinstance(refusal, Forbidden):
        return refusal.denial
    if isinstance(refusal, RequestRefused):
        return refusal.reason
    return next(name for kind, name in _NAMES.items() if isinstance(refusal, kind))
