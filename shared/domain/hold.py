"""A hold: what has to stay beyond its deadline for a case, and until when."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from secrets import token_hex
from typing import Self

from shared.domain.macs import Mac

HOLD_ID = re.compile(r"hold_[0-9a-f]{32}")

DAY = 86_400
LONGEST_HOLD = 90 * DAY
"""Seconds from its placing, or its last renewal, to a hold's end."""
RECORD_SECONDS = 30 * DAY
"""How long the record of a hold outlives its end; evidence keeps the rest."""
SETTLED_SECONDS = 600.0
"""After so long nobody acts any more on the holds as they were before a change: longer than the host lets a function run."""


class Scope(StrEnum):
    """What a hold is about."""

    TENANT = "tenant"
    SUBJECT = "subject"
    JOB = "job"


class Standing(StrEnum):
    """Where a hold stands; ended and released ones hold nothing."""

    ACTIVE = "active"
    RELEASED = "released"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What the documents of a held job say: until when, and by which of the holds that cover it, the one that ends last."""

    until: int
    by: str

    def stands(self, now: float) -> bool:
        """Whether the document is held."""
        return self.until > now


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a hold holds now: jobs, records for abuse review, alerts; and how many of all these are past their deadline.

    Of a job that deadline is its content's.
    """

    jobs: int = 0
    sealed_records: int = 0
    alerts: int = 0
    past_deadline: int = 0

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return replace(self, **{name: count + getattr(other, name) for name, count in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A hold. Times are seconds since the epoch; ``subjects`` are the MACs of one data subject, one for each key version.

    ``applied_until`` is the end that everything in scope was marked with at some moment, None before; ``lifted_at`` is when
    nothing was held by it any more after it was released or had ended.
    """

    id: str
    tenant_id: str
    scope: Scope
    case_reference: str
    placed_at: float
    placed_by: str
    ends_at: int
    job_id: str | None = None
    subjects: tuple[Mac, ...] = ()
    released_at: float | None = None
    applied_until: int | None = None
    lifted_at: float | None = None

    @property
    def mark(self) -> Mark:
        """What it writes on the documents that it decides about."""
        return Mark(until=self.ends_at, by=self.id)

    @property
    def over_at(self) -> float:
        """When it holds nothing any more: at its end, or when it was released before."""
        return self.ends_at if self.released_at is None else self.released_at

    def standing(self, now: float) -> Standing:
        """Where it stands at a time."""
        if self.released_at is not None:
            return Standing.RELEASED
        return Standing.ACTIVE if self.ends_at > now else Standing.ENDED

    def is_active(self, now: float) -> bool:
        """Whether it holds anything at a time."""
        return self.standing(now) is Standing.ACTIVE

    def is_complete(self, now: float) -> bool:
        """Whether all is done: everything in scope marked, or, when it is over, every mark taken off."""
        return self.applied_until == self.ends_at if self.is_active(now) else self.lifted_at is not None

    def covers(self, *, job_id: str, subject: Mac | None) -> bool:
        """Whether a job of its tenant, about this subject, is in its scope."""
        match self.scope:
            case Scope.TENANT:
                return True
            case Scope.SUBJECT:
                return subject in self.subjects
            case Scope.JOB:
                return job_id == self.job_id


def decisive(holds: Iterable[Hold], *, job_id: str, subject: Mac | None, now: float) -> Hold | None:
    """Of one tenant's holds, return the active one that covers a job and ends last; None when the job is not held."""
    covering = [hold for hold in holds if hold.is_active(now) and hold.covers(job_id=job_id, subject=subject)]
    return max(covering, key=lambda hold: (hold.ends_at, hold.id), default=None)


def is_possible_end(ends_at: int, *, now: float, after: int = 0) -> bool:
    """Whether a hold may end then: in the future, within 90 days, and, where it is renewed, later than it would have."""
    return max(now, after) < ends_at <= now + LONGEST_HOLD


def new_hold_id() -> str:
    """Make an id that says nothing."""
    return f"hold_{token_hex(16)}"
