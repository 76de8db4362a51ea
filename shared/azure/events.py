"""Events and what became of them: the ``event`` documents of container ``generations``.

An event tells who was to hear of it (``deliveries``, one entry for each endpoint) and when the timer has to look at it if
nobody did before (``attention_at``, null when there is nothing left to do). Every write is safe to repeat: it holds only for
the state that it was decided on, and whoever comes second changes nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

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
    sets,
)
from shared.azure.marks import marked_as, to_mark, until
from shared.clock import Clock
from shared.domain.hold import Mark
from shared.domain.policy import ttl
from shared.errors import StoreUnavailable
from shared.patience import patient

PAGE = 100
UNANNOUNCED_SECONDS = 60.0
"""Age at which an event that nobody announced is announced by the timer."""
OVERDUE_SECONDS = 600.0
"""Delay at which an attempt counts as lost; the span of the queue's duplicate detection, which would drop a copy before."""

_DUE = (
    "SELECT c.tenantId, c.jobId, c.attention_at FROM c "
    "WHERE c.dataClass = 'event' AND c.attention_at <= @now AND c.expires_at > @now "
    "ORDER BY c.attention_at ASC OFFSET 0 LIMIT @page"
)


class State(StrEnum):
    """Where the delivery of an event to one endpoint stands; all but ``pending`` are final."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GAVE_UP = "gave_up"
    DISABLED = "disabled"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One endpoint's part of an event: status codes only, nothing of an answer."""

    state: State
    attempts: int
    last_status: int | None
    next_at: float | None

    @property
    def due_at(self) -> float | None:
        """When the next attempt is to be made; None when there is none."""
        return self.next_at if self.state is State.PENDING else None


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An event; times in seconds since the epoch."""

    tenant_id: str
    job_id: str
    event_id: str
    type: str
    created_at: float
    expires_at: float
    announced_at: float | None
    attention_at: float | None
    deliveries: Mapping[str, Delivery]
    held: Mark | None
    etag: str


@dataclass(frozen=True, kw_only=True)
class DueEvent:
    """An event that waits for the timer, and since when."""

    tenant_id: str
    job_id: str
    since: float


def unannounced(now: float) -> Document:
    """Fields of an event that nobody has heard of yet."""
    return {"announced_at": None, "deliveries": {}, "attention_at": now + UNANNOUNCED_SECONDS}


def unheard(now: float) -> Document:
    """Fields of an event that nobody listens for: there is nothing to announce."""
    return {"announced_at": now, "deliveries": {}, "attention_at": None}


def attention_at(deliveries: Mapping[str, Delivery]) -> float | None:
    """When the timer has to look: an attempt is long overdue. None when every delivery is settled."""
    due = [delivery.due_at for delivery in deliveries.values() if delivery.due_at is not None]
    return min(due) + OVERDUE_SECONDS if due else None


class Events:
    """Reads, announces and settles events."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    @patient
    async def create(self, *, tenant_id: str, source_id: str, event_id: str, event_type: str, lives: float) -> None:
        """Store an event that is not a job's, once: with the same source it is the same event."""
        now = self._clock()
        document = {
            "id": "event",
            "dataClass": "event",
            "tenantId": tenant_id,
            "jobId": source_id,
            "event_id": event_id,
            "type": event_type,
            "created_at": now,
            **unannounced(now),
            "expires_at": now + lives,
            "ttl": ttl(now + lives, now=now, grace=self._grace),
        }
        try:
            async with foreign_errors():
                await self._container.create_item(document, no_response=True)
        except Answered as answer:
            if answer.status != CONFLICT:
                raise StoreUnavailable from None

    @patient
    async def read(self, tenant_id: str, job_id: str) -> StoredEvent | None:
        """Read an event; None when it is no more, or past its deadline."""
        document = await find_document(self._container, "event", [tenant_id, job_id])
        if document is None:
            return None
        event = _to_event(document)
        return event if event.expires_at > self._clock() else None

    @patient
    async def announce(self, event: StoredEvent, endpoints: frozenset[str]) -> StoredEvent:
        """Fix who is to hear of an event, due at once; return the event as it stands then, by whoever announced it."""
        now = self._clock()
        deliveries = {
            endpoint: Delivery(state=State.PENDING, attempts=0, last_status=None, next_at=now) for endpoint in endpoints
        }
        fields: Document = {
            "announced_at": now,
            "deliveries": {endpoint: asdict(delivery) for endpoint, delivery in deliveries.items()},
            "attention_at": now + UNANNOUNCED_SECONDS if deliveries else None,
        }
        if await self._set(event, fields, condition="IS_NULL(c.announced_at)"):
            return replace(event, announced_at=now, deliveries=deliveries)
        return await self.read(event.tenant_id, event.job_id) or replace(event, deliveries={})

    @patient
    async def record(self, event: StoredEvent, endpoint_id: str, outcome: Delivery) -> bool:
        """Record what became of an attempt; False when another worker, or the own repeated write, did so before.

        ``endpoint_id`` is a key of the event's deliveries, hence an id of ours and safe inside the condition.
        """
        known = event.deliveries[endpoint_id]
        fields: Document = {f"deliveries/{endpoint_id}": asdict(outcome)}
        if attention_at({**event.deliveries, endpoint_id: outcome}) is None:
            fields["attention_at"] = None
        path = f"c.deliveries.{endpoint_id}"
        condition = f"{path}.state = 'pending' AND {path}.attempts = {known.attempts}"
        return await self._set(event, fields, condition=condition)

    @patient
    async def attend(self, event: StoredEvent) -> None:
        """Tell the timer when to look again, unless the event was written since it was read: then it looks anyway."""
        again = attention_at(event.deliveries)
        fields: Document = {"attention_at": again and max(again, self._clock() + OVERDUE_SECONDS)}
        await self._set(event, fields, etag=event.etag)

    @patient
    async def due(self) -> list[DueEvent]:
        """Return a page of events that wait for the timer, the longest waiting first."""
        found = await query_rows(self._container, _DUE, {"now": self._clock(), "page": PAGE})
        return [DueEvent(tenant_id=each["tenantId"], job_id=each["jobId"], since=each["attention_at"]) for each in found]

    async def _set(
        self, event: StoredEvent, fields: Document, *, condition: str | None = None, etag: str | None = None
    ) -> bool:
        """Set fields and the ttl while a condition holds; a hold that came or went meanwhile is no reason to give up."""
        while True:
            lives = ttl(event.expires_at, now=self._clock(), grace=self._grace, held_until=until(event.held))
            try:
                async with foreign_errors():
                    await self._container.patch_item(
                        "event",
                        [event.tenant_id, event.job_id],
                        sets({**fields, "ttl": lives}),
                        filter_predicate=f"FROM c WHERE {condition} AND {marked_as(event.held)}" if condition else None,
                        etag=etag,
                        match_condition=MatchConditions.IfNotModified if etag else None,
                        no_response=True,
                    )
            except Answered as answer:
                if answer.status not in {PRECONDITION_FAILED, NOT_FOUND}:
                    raise StoreUnavailable from None
            else:
                return True
            current = await self.read(event.tenant_id, event.job_id) if condition else None
            if current is None or current.held == event.held:
                return False
            event = current


def _to_event(document: Document) -> StoredEvent:
    deliveries = {
        endpoint: Delivery(
            state=State(entry["state"]),
            attempts=entry["attempts"],
            last_status=entry["last_status"],
            next_at=entry["next_at"],
        )
        for endpoint, entry in document.get("deliveries", {}).items()
    }
    return StoredEvent(
        tenant_id=document["tenantId"],
        job_id=document["jobId"],
        event_id=document["event_id"],
        type=document["type"],
        created_at=document["created_at"],
        expires_at=document["expires_at"],
        announced_at=document.get("announced_at"),
        attention_at=document.get("attention_at"),
        deliveries=deliveries,
        held=to_mark(document),
        etag=document["_etag"],
    )
