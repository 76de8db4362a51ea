"""What the erasure of one job does with each of its documents. A legal hold wins: what is held stays, unread.

Its record for abuse review lies in a container of its own, and is decided about by itself, as an alert is: neither leaves a
tombstone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.domain.erasure import Counts, Held, latest
from shared.domain.generation import Status
from shared.domain.macs import Mac

RECEIPT, OUTPUT, EVENT = "receipt", "output", "event"
RECORD, ALERT = "record", "alert"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A document of a job, without anything of its content; ``status`` and what follows are a receipt's."""

    id: str
    expires_at: float
    etag: str
    held_until: float | None = None
    status: Status | None = None
    subject: Mac | None = None
    deleted_at: float | None = None
    scheduled_sequence_number: int | None = None

    def is_held(self, now: float) -> bool:
        """Whether a hold keeps it."""
        return self.held_until is not None and self.held_until > now


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done with a job's documents; nothing, when the job is erased as far as its holds allow.

    ``bury``: the receipt becomes a tombstone, and keeps the subject's MAC while a hold lasts (``forget_subject``), by which
    the job is found again when it ends. ``shorten``: held documents whose own deadline is brought forward to now.
    """

    delete: tuple[Standing, ...] = ()
    shorten: tuple[Standing, ...] = ()
    bury: Standing | None = None
    forget_subject: bool = True
    held: Held = field(default_factory=Held)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.delete or self.shorten or self.bury)

    @property
    def counts(self) -> Counts:
        """What this erases. A tombstone that only loses its subject's MAC was counted when it became one."""
        ids = [document.id for document in self.delete]
        return Counts(
            receipts=int(self.bury is not None and self.bury.deleted_at is None),
            outputs=ids.count(OUTPUT),
            events=ids.count(EVENT),
            sealed_records=ids.count(RECORD),
            alerts=ids.count(ALERT),
        )


def plan(documents: Sequence[Standing], now: float) -> Plan:
    """Decide about the documents of one partition."""
    held = [document for document in documents if document.is_held(now)]
    receipt = next((document for document in documents if document.id == RECEIPT), None)
    others = [document for document in documents if document.id != RECEIPT]
    unburied = receipt is not None and (receipt.deleted_at is None or (receipt.subject is not None and not held))
    return Plan(
        delete=tuple(document for document in others if document not in held),
        shorten=tuple(document for document in others if document in held and document.expires_at > now),
        bury=receipt if unburied else None,
        forget_subject=not held,
        held=Held(documents=len(held), until=latest(*(document.held_until for document in held))),
    )
