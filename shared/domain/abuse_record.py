"""A record for abuse review: which jobs leave one, for how long, and what it is without its content.

Its content (prompt, grounding, completion) is sealed (`shared.domain.sealing`) with a key of its own, which is wrapped with the
key of the day on which the record ends. So all that a day's key opens is past its deadline when the day is over; the key is
deleted then, and cannot be recovered after the vault's recovery days. From admission to that moment it is at most 30 days:
retention, one day, recovery days.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.domain.bodies import Endpoint
from shared.domain.filter_outcome import Verdict
from shared.domain.generation import Outcome
from shared.domain.hold import Mark
from shared.domain.macs import Mac
from shared.domain.policy import DAY, AbuseMonitoring, Retention

LONGEST_DAYS: Final = 30
"""After so many days nothing of a record can be read by anybody, the key included."""
LONGEST_RECOVERY_DAYS: Final = LONGEST_DAYS - 2
"""Days for which a vault may keep deleted keys: with more, no record could be kept for a day. Key Vault takes 7 to 90."""

DATA_CLASS: Final = "abuse_record"
PUBLIC_PREFIX: Final = "abr_"
"""``abr_<jobId>``: a job has one record at the most."""

_KEY: Final = re.compile(r"lethe-abuse-(\d{4}-\d{2}-\d{2})")


class Kept(StrEnum):
    """Why a job left a record."""

    FLAGGED = "flagged"
    ALL = "all"
    ALERT = "alert"


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A content that only the review app can open; bytes. ``key`` and ``version`` name the day's key in the vault.

    ``sealed_until``: the deadline (whole seconds since the epoch) as it stood when the content was sealed, which is part of the
    authenticated data; the record's own deadline may be brought forward later.
    """

    key: str
    version: str
    wrapped_key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    sealed_until: int


@dataclass(frozen=True, kw_only=True)
class AbuseRecord:
    """A record; times are seconds since the epoch. ``created_at`` is the job's admission."""

    tenant_id: str
    job_id: str
    subject: Mac | None
    created_at: float
    expires_at: float
    endpoint: Endpoint
    model: str
    reason: Kept
    verdict: Verdict | None
    filter_codes: tuple[str, ...]
    sealed: Sealed
    held: Mark | None = None

    @property
    def public_id(self) -> str:
        """How reviewers and alerts name it."""
        return f"{PUBLIC_PREFIX}{self.job_id}"


def why_kept(monitoring: AbuseMonitoring, outcome: Outcome, *, is_watched: bool) -> Kept | None:
    """Decide whether a job leaves a record; ``is_watched``: there is an open alert about its subject.

    Only what a model has seen and answered to does: an answer of the filter, or a body.
    """
    if not monitoring.keeps_records or (outcome.content_filter is None and outcome.body is None):
        return None
    if outcome.content_filter is not None and outcome.content_filter.verdict is not Verdict.PASSED:
        return Kept.FLAGGED
    if is_watched:
        return Kept.ALERT
    return Kept.ALL if monitoring.mode == "all" else None


def longest_seconds(recovery_days: int) -> int:
    """How long a record may be kept at the most, in seconds, with a vault that keeps deleted keys for so many days."""
    return (LONGEST_DAYS - recovery_days - 1) * DAY


def kept_seconds(retention: Retention, recovery_days: int) -> int:
    """How long a tenant's records are kept, in seconds, whatever its policy says above the longest."""
    return min(retention.abuse_record_seconds, longest_seconds(recovery_days))


def expires_at(retention: Retention, *, admitted_at: float, recovery_days: int) -> float:
    """Fix a record's deadline, in seconds since the epoch."""
    return admitted_at + kept_seconds(retention, recovery_days)


def key_of(deadline: float) -> str:
    """Name of the key for records with this deadline: that of the day, in UTC, on which they end."""
    return f"lethe-abuse-{datetime.fromtimestamp(deadline, UTC).date().isoformat()}"


def day_of(key: str) -> date | None:
    """The day of a key, None for a name that is not one of these."""
    found = _KEY.fullmatch(key)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def ends_at(day: date) -> float:
    """When a day is over, in seconds since the epoch: everything that its key opens is past its deadline then."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC).timestamp()


def is_over(day: date, now: float) -> bool:
    """Whether everything that a day's key opens is past its deadline."""
    return ends_at(day) <= now


def authenticated(tenant: str, job_id: str, sealed_until: int) -> Mapping[str, str | int]:
    """What is authenticated with a content: a ciphertext cannot be shown as another tenant's, job's or time's."""
    return {"tenant": tenant, "job": job_id, "expires_at": sealed_until}
