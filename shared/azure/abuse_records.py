"""Sealed records for abuse review: container ``abuse-monitoring``, partition key (tenant, job), at most one for each job."""

import base64
from dataclasses import replace

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    TOO_LARGE,
    Answered,
    Document,
    count_rows,
    find_document,
    foreign_errors,
)
from shared.azure.documents import of_mac, to_mac
from shared.azure.marks import NOT_HELD, of_mark, to_mark, until
from shared.clock import Clock
from shared.domain.abuse_record import DATA_CLASS, AbuseRecord, Kept, Sealed
from shared.domain.bodies import Endpoint
from shared.domain.filter_outcome import Verdict
from shared.domain.policy import ttl
from shared.errors import OutputTooLarge, StoreUnavailable
from shared.patience import patient

_ID = "record"
_COUNT = "SELECT VALUE COUNT(1) FROM c WHERE c.dataClass = 'abuse_record' AND c.key = @key"


class AbuseRecords:
    """Puts and reads records; everything raises `StoreUnavailable`."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    @patient
    async def put(self, record: AbuseRecord) -> None:
        """Store a job's record, in place of the one that an earlier attempt of the job left; safe to repeat.

        The deadline never becomes a later one, and a hold's mark stays as it stands. Raises `OutputTooLarge`.
        """
        while True:
            standing = await self._read(record.tenant_id, record.job_id)
            if standing is None:
                if await self._write(record, over=None):
                    return
                continue
            known = to_record(standing)
            if known.sealed.nonce == record.sealed.nonce:
                return
            kept = replace(record, expires_at=min(record.expires_at, known.expires_at), held=known.held)
            if await self._write(kept, over=standing["_etag"]):
                return

    @patient
    async def read(self, tenant: str, job_id: str) -> AbuseRecord | None:
        """Return the record of a job, also past its deadline; None when there is none."""
        document = await self._read(tenant, job_id)
        return None if document is None else to_record(document)

    @patient
    async def sealed_with(self, key: str) -> tuple[int, int]:
        """Count the records over all tenants that only this key can open, and those of them that no hold keeps."""
        return await self._count(_COUNT, key), await self._count(f"{_COUNT} AND {NOT_HELD}", key)

    async def _write(self, record: AbuseRecord, *, over: str | None) -> bool:
        """Create a document, or replace the one with this etag; False when another one stands there by now."""
        document = of_record(record, now=self._clock(), grace=self._grace)
        try:
            async with foreign_errors():
                if over is None:
                    await self._container.create_item(document, no_response=True)
                else:
                    await self._container.replace_item(
                        _ID, document, etag=over, match_condition=MatchConditions.IfNotModified, no_response=True
                    )
        except Answered as answer:
            if answer.status == TOO_LARGE:
                raise OutputTooLarge from None
            if answer.status in {CONFLICT, NOT_FOUND, PRECONDITION_FAILED}:
                return False
            raise StoreUnavailable from None
        return True

    async def _read(self, tenant: str, job_id: str) -> Document | None:
        return await find_document(self._container, _ID, [tenant, job_id])

    async def _count(self, query: str, key: str) -> int:
        return await count_rows(self._container, query, {"key": key, "now": self._clock()})


def of_record(record: AbuseRecord, *, now: float, grace: int) -> Document:
    """Write a record as a document; nothing in it can be read but by whoever has the day's private key."""
    sealed = record.sealed
    return {
        "id": _ID,
        "dataClass": DATA_CLASS,
        "tenantId": record.tenant_id,
        "jobId": record.job_id,
        "subject": of_mac(record.subject),
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "kept_seconds": round(record.expires_at - record.created_at),
        "ttl": ttl(record.expires_at, now=now, grace=grace, held_until=until(record.held)),
        **of_mark(record.held),
        "endpoint": record.endpoint,
        "model": record.model,
        "reason": record.reason,
        "verdict": record.verdict,
        "filter_codes": list(record.filter_codes),
        "key": sealed.key,
        "key_version": sealed.version,
        "wrapped_key": _text(sealed.wrapped_key),
        "nonce": _text(sealed.nonce),
        "ciphertext": _text(sealed.ciphertext),
        "sealed_until": sealed.sealed_until,
    }


def to_record(document: Document) -> AbuseRecord:
    """Read a record."""
    return AbuseRecord(
        tenant_id=document["tenantId"],
        job_id=document["jobId"],
        subject=to_mac(document.get("subject")),
        created_at=document["created_at"],
        expires_at=document["expires_at"],
        endpoint=Endpoint(document["endpoint"]),
        model=document["model"],
        reason=Kept(document["reason"]),
        verdict=Verdict(document["verdict"]) if document.get("verdict") else None,
        filter_codes=tuple(document["filter_codes"]),
        held=to_mark(document),
        sealed=Sealed(
            key=document["key"],
            version=document["key_version"],
            wrapped_key=base64.b64decode(document["wrapped_key"]),
            nonce=base64.b64decode(document["nonce"]),
            ciphertext=base64.b64decode(document["ciphertext"]),
            sealed_until=document["sealed_until"],
        ),
    )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
