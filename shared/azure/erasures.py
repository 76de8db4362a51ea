"""Erasures: documents of container ``privacy``, partition key tenant, id ``erasure_…``.

A document is the marker, too. While its erasure is not completed it has no end (``ttl`` -1); then it outlives every message and
every backup that could bring something of the subject back.
"""

from collections.abc import Iterable
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
from shared.clock import Clock
from shared.domain.erasure import Counts, Erasure, Held, Marked, State
from shared.domain.macs import Mac
from shared.domain.policy import ttl
from shared.errors import StoreUnavailable, WriteConflict
from shared.patience import patient

KIND = "erasure"

_ALL = "SELECT * FROM c WHERE c.kind = 'erasure' OFFSET 0 LIMIT @limit"
_OPEN = "SELECT * FROM c WHERE c.kind = 'erasure' AND c.status != 'completed'"
_MARKERS = "SELECT c.subjects, c.cutoff FROM c WHERE c.kind = 'erasure'"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An erasure, and the etag of its document."""

    erasure: Erasure
    etag: str


class Erasures:
    """Reads and writes erasures."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    @patient
    async def create(self, erasure: Erasure) -> None:
        """Store a new erasure; one that is there by its random id is the own write, sent twice."""
        try:
            async with foreign_errors():
                await self._container.create_item(self._document(erasure), no_response=True)
        except Answered as answer:
            if answer.status != CONFLICT:
                raise StoreUnavailable from None

    @patient
    async def read(self, tenant: str, erasure_id: str) -> Stored | None:
        """Read an erasure of a tenant, None when there is none, or none any more."""
        document = await find_document(self._container, erasure_id, tenant)
        if document is None:
            return None
        if document.get("kind") != KIND:
            return None
        found = _stored(document)
        ends = found.erasure.expires_at
        return found if ends is None or ends > self._clock() else None

    async def replace(self, erasure: Erasure, *, over: Stored) -> None:
        """Write an erasure over what was read; raises `WriteConflict` when somebody else wrote meanwhile."""
        try:
            await self._replace(erasure, etag=over.etag)
        except WriteConflict:  # the SDK sends a write again after a dropped connection, and meets its own
            standing = await self.read(erasure.tenant_id, erasure.id)
            if standing is None or standing.erasure != erasure:
                raise

    @patient
    async def open_of(self, tenant: str, subjects: Iterable[Mac]) -> Stored | None:
        """Return the erasure of a subject that is not completed, if there is one."""
        wanted = {*subjects}
        found = [_stored(document) for document in await query_rows(self._container, _OPEN, key=tenant)]
        return next((stored for stored in found if not wanted.isdisjoint(stored.erasure.subjects)), None)

    @patient
    async def all(self, *, limit: int) -> list[Stored]:
        """Return every erasure whose marker lives, over all tenants, up to ``limit``."""
        return [_stored(document) for document in await query_rows(self._container, _ALL, {"limit": limit})]

    @patient
    async def markers(self, tenant: str) -> Marked:
        """Return what a worker has to know of a tenant's erasures."""
        found = await query_rows(self._container, _MARKERS, key=tenant)
        return Marked.by((_mac(subject), each["cutoff"]) for each in found for subject in each["subjects"])

    @patient
    async def _replace(self, erasure: Erasure, *, etag: str) -> None:
        try:
            async with foreign_errors():
                await self._container.replace_item(
                    erasure.id,
                    self._document(erasure),
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                    no_response=True,
                )
        except Answered as answer:
            if answer.status in {NOT_FOUND, PRECONDITION_FAILED}:
                raise WriteConflict from None
            raise StoreUnavailable from None

    def _document(self, erasure: Erasure) -> Document:
        ends = erasure.expires_at
        return {
            "id": erasure.id,
            "kind": KIND,
            "tenantId": erasure.tenant_id,
            "subjects": [{"kid": subject.kid, "mac": subject.mac} for subject in erasure.subjects],
            "requested_at": erasure.requested_at,
            "cutoff": erasure.cutoff,
            "settled_at": erasure.settled_at,
            "rejected_until": erasure.rejected_until,
            "status": erasure.state,
            "counts": dict(vars(erasure.counts)),
            "re_erased": dict(vars(erasure.re_erased)),
            "held": dict(vars(erasure.held)),
            "tombstones_until": erasure.tombstones_until,
            "completed_at": erasure.completed_at,
            "ttl": -1 if ends is None else ttl(ends, now=self._clock(), grace=self._grace),
        }


def _stored(document: Document) -> Stored:
    erasure = Erasure(
        tenant_id=document["tenantId"],
        id=document["id"],
        subjects=tuple(_mac(subject) for subject in document["subjects"]),
        requested_at=document["requested_at"],
        cutoff=document["cutoff"],
        settled_at=document["settled_at"],
        rejected_until=document["rejected_until"],
        state=State(document["status"]),
        counts=Counts(**document["counts"]),
        re_erased=Counts(**document["re_erased"]),
        held=Held(**document["held"]),
        tombstones_until=document["tombstones_until"],
        completed_at=document["completed_at"],
    )
    return Stored(erasure=erasure, etag=document["_etag"])


def _mac(value: dict[str, str]) -> Mac:
    return Mac(kid=value["kid"], mac=value["mac"])
