"""The holds themselves: documents of container ``privacy`` with ``kind`` hold, partition key tenant. There are few.

They know a data subject by its MACs only. Their ``ttl`` ends the record of a hold some time after the hold ended.
"""

from collections.abc import Callable

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import CONFLICT, NOT_FOUND, PRECONDITION_FAILED, Answered, Document, foreign_errors, query_rows
from shared.clock import Clock
from shared.domain.hold import RECORD_SECONDS, Hold, Scope
from shared.domain.macs import Mac
from shared.domain.policy import ttl
from shared.errors import NotFound, StoreUnavailable
from shared.patience import patient

_ALL = "SELECT * FROM c WHERE c.kind = 'hold'"
_ONE = f"{_ALL} AND c.id = @id"
_STANDING = f"{_ALL} AND IS_NULL(c.lifted_at)"

type Change = Callable[[Hold], Hold]
"""What becomes of a hold: a pure function, called again when somebody else wrote meanwhile. It may raise."""


class Holds:
    """Reads and writes holds; raises `StoreUnavailable`, also for a hold that cannot be read: then nothing may be deleted."""

    def __init__(self, container: ContainerProxy, *, clock: Clock) -> None:
        self._container = container
        self._clock = clock

    @patient
    async def create(self, hold: Hold) -> None:
        """Store a new hold; its id was never used, so a conflict is the own write."""
        try:
            async with foreign_errors():
                await self._container.create_item(self._of_hold(hold), no_response=True)
        except Answered as answer:
            if answer.status != CONFLICT:
                raise StoreUnavailable from None

    async def find(self, hold_id: str) -> Hold:
        """Return a hold of any tenant; raises `NotFound`."""
        return _to_hold(await self._find(hold_id))

    async def all(self, tenant: str | None = None) -> list[Hold]:
        """Return every hold that there is a record of, the newest first."""
        found = [_to_hold(document) for document in await self._query(_ALL, tenant)]
        return sorted(found, key=lambda hold: (hold.placed_at, hold.id), reverse=True)

    async def standing(self, tenant: str | None = None) -> list[Hold]:
        """Return the holds that are active, or of which something may still be marked, in the order of their ids."""
        found = [_to_hold(document) for document in await self._query(_STANDING, tenant)]
        return sorted(found, key=lambda hold: hold.id)

    async def change(self, hold_id: str, change: Change) -> Hold:
        """Read, change, and write under the etag until nobody was in between; nothing is written when nothing changes.

        Raises `NotFound`, and whatever the change raises. A repeated write meets its own, so a change is safe to repeat.
        """
        while True:
            document = await self._find(hold_id)
            hold = _to_hold(document)
            changed = change(hold)
            if changed == hold or await self._replace(changed, document["_etag"]):
                return changed

    async def _find(self, hold_id: str) -> Document:
        found = await self._query(_ONE, None, id=hold_id)
        if not found:
            raise NotFound
        return found[0]

    @patient
    async def _query(self, query: str, tenant: str | None, **values: str) -> list[Document]:
        return await query_rows(self._container, query, values, key=tenant)

    @patient
    async def _replace(self, hold: Hold, etag: str) -> bool:
        try:
            async with foreign_errors():
                await self._container.replace_item(
                    hold.id,
                    self._of_hold(hold),
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                    no_response=True,
                )
        except Answered as answer:
            if answer.status in {NOT_FOUND, PRECONDITION_FAILED}:
                return False
            raise StoreUnavailable from None
        return True

    def _of_hold(self, hold: Hold) -> Document:
        return {
            "id": hold.id,
            "kind": "hold",
            "tenantId": hold.tenant_id,
            "scope": hold.scope,
            "job_id": hold.job_id,
            "subjects": [{"kid": mac.kid, "mac": mac.mac} for mac in hold.subjects],
            "case_reference": hold.case_reference,
            "placed_at": hold.placed_at,
            "placed_by": hold.placed_by,
            "ends_at": hold.ends_at,
            "released_at": hold.released_at,
            "applied_until": hold.applied_until,
            "lifted_at": hold.lifted_at,
            "ttl": ttl(hold.ends_at, now=self._clock(), grace=RECORD_SECONDS),
        }


def _to_hold(document: Document) -> Hold:
    try:
        return Hold(
            id=document["id"],
            tenant_id=document["tenantId"],
            scope=Scope(document["scope"]),
            job_id=document["job_id"],
            subjects=tuple(Mac(kid=mac["kid"], mac=mac["mac"]) for mac in document["subjects"]),
            case_reference=document["case_reference"],
            placed_at=document["placed_at"],
            placed_by=document["placed_by"],
            ends_at=document["ends_at"],
            released_at=document["released_at"],
            applied_until=document["applied_until"],
            lifted_at=document["lifted_at"],
        )
    except (KeyError, TypeError, ValueError):
        raise StoreUnavailable from None
