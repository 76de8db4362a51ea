"""The erasure of one data subject: its marker, what it covers, and when it is done. Content-free: the subject is known by MACs.

An erasure is two things in one. It is a *marker*: what was admitted for its subject until its cut-off is not run any more, and
what turns up of it (a straggler, a restored backup) is erased again, as long as the marker lives. And it is the record of the
sweeps that have been made, from which its state follows.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from shared.domain.macs import Mac
from shared.domain.policy import DAY, LONGEST_OUTPUT_RETENTION

LONGEST_MESSAGE = LONGEST_OUTPUT_RETENTION
"""Seconds that a message may wait unread: queues keep none longer than the longest retention."""

LONGEST_BACKUP = 30 * DAY
"""Seconds that a backup may bring a document back at the most: Cosmos DB's longest one, periodic or continuous."""

MARKER_SECONDS = max(LONGEST_MESSAGE, LONGEST_BACKUP) + 5 * DAY
"""A marker's life after its erasure is completed; one that is not completed lives on. The days more are for the restore.

It goes by the longest backup and not by the stated horizon: an account that is set up otherwise than stated, or that cannot be
read, brings nothing back for good.
"""


class State(StrEnum):
    """How far an erasure is; only `COMPLETED` is an end."""

    PENDING = "pending"
    SWEPT = "swept"
    DEFERRED = "deferred"
    COMPLETED = "completed"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What was erased, by class: receipts became tombstones, the others are gone."""

    receipts: int = 0
    outputs: int = 0
    events: int = 0
    waiting_copies: int = 0
    sealed_records: int = 0
    alerts: int = 0

    @property
    def documents(self) -> int:
        """Documents of every class; a waiting copy is a message."""
        return self.receipts + self.outputs + self.events + self.sealed_records + self.alerts

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return replace(self, **{name: count + getattr(other, name) for name, count in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class Held:
    """Documents that a legal hold keeps: unreadable to the tenant, and how long the longest hold lasts by now."""

    documents: int = 0
    until: float | None = None

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return replace(self, documents=self.documents + other.documents, until=latest(self.until, other.until))


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """An erasure; times in seconds since the epoch.

    ``settled_at``: from when no worker can work on the ground of a marker list without it, so that a sweep is the last one.
    ``rejected_until`` and ``tombstones_until``: when refused messages and the tombstones of jobs are gone.
    """

    tenant_id: str
    id: str
    subjects: tuple[Mac, ...]
    requested_at: float
    cutoff: float
    settled_at: float
    rejected_until: float
    state: State = State.PENDING
    counts: Counts = field(default_factory=Counts)
    re_erased: Counts = field(default_factory=Counts)
    held: Held = field(default_factory=Held)
    tombstones_until: float | None = None
    completed_at: float | None = None

    @property
    def expires_at(self) -> float | None:
        """When the marker ends; None while there is something to do."""
        return None if self.completed_at is None else self.completed_at + MARKER_SECONDS

    def covers(self, subject: Mac, admitted_at: float) -> bool:
        """Whether what was admitted for a subject at a time is erased by this."""
        return admitted_at <= self.cutoff and subject in self.subjects

    def renewed(self, subjects: tuple[Mac, ...], *, now: float, settle: float, rejected_until: float) -> "Erasure":
        """The same erasure, asked for again before it was completed: it covers what was admitted meanwhile, too."""
        known = dict.fromkeys((*self.subjects, *subjects))
        return replace(
            self,
            subjects=tuple(known),
            cutoff=now,
            settled_at=now + settle,
            rejected_until=rejected_until,
            state=State.PENDING,
        )


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What one sweep did for an erasure: ``cutoff`` is the one it went by, ``complete`` whether it looked at everything."""

    cutoff: float
    began_at: float
    ended_at: float
    complete: bool
    counts: Counts = field(default_factory=Counts)
    held: Held = field(default_factory=Held)
    tombstones_until: float | None = None


def after(erasure: Erasure, sweep: Sweep) -> Erasure:
    """Return an erasure as it is after a sweep, which may have changed nothing.

    The last sweep is the one that finds nothing, when nothing can come any more: it reads back what the others did. What is
    found after the end was not erased for the first time: a backup was restored, or a worker stood still for long.
    """
    tombstones = latest(erasure.tombstones_until, sweep.tombstones_until)
    if erasure.state is State.COMPLETED:
        return replace(erasure, re_erased=erasure.re_erased + sweep.counts, tombstones_until=tombstones)
    swept = replace(erasure, counts=erasure.counts + sweep.counts, tombstones_until=tombstones)
    if not sweep.complete or sweep.cutoff != erasure.cutoff:
        return swept
    swept = replace(swept, held=sweep.held)
    if sweep.began_at < erasure.settled_at or sweep.counts != Counts():
        return replace(swept, state=State.SWEPT)
    if sweep.held.documents:
        return replace(swept, state=State.DEFERRED)
    return replace(swept, state=State.COMPLETED, completed_at=sweep.ended_at)


def covering(erasures: Iterable[Erasure], found: Collection[tuple[Mac, float]]) -> list[Erasure]:
    """Return the erasures that cover a job, found by a subject and a time of admission; first the one whose work it is."""
    those = [erasure for erasure in erasures if any(erasure.covers(subject, at) for subject, at in found)]
    return sorted(those, key=lambda erasure: (erasure.state is State.COMPLETED, erasure.cutoff))


@dataclass(frozen=True)
class Marked:
    """The markers of a tenant as a worker remembers them: the latest cut-off of each MAC, by the key that made it."""

    cutoffs: Mapping[str, Mapping[str, float]]

    @classmethod
    def by(cls, markers: Iterable[tuple[Mac, float]]) -> "Marked":
        """Gather markers: a subject's MAC, and a cut-off."""
        cutoffs: dict[str, dict[str, float]] = {}
        for subject, cutoff in markers:
            known = cutoffs.setdefault(subject.kid, {})
            known[subject.mac] = max(cutoff, known.get(subject.mac, cutoff))
        return cls(cutoffs)

    def cutoff(self, subjects: Iterable[Mac]) -> float | None:
        """Return the latest cut-off of a subject that is known by these MACs; None when it was not erased."""
        found = [self.cutoffs.get(subject.kid, {}).get(subject.mac) for subject in subjects]
        return latest(*found)


def latest(*moments: float | None) -> float | None:
    """The last of some moments, of which any may be missing."""
    return max((moment for moment in moments if moment is not None), default=None)
