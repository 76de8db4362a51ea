"""An alert of abuse monitoring: content-free, about a data subject (by its MAC), a principal, or a whole tenant."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.domain.hold import Mark
from shared.domain.json_document import canonical
from shared.domain.macs import Mac

DATA_CLASS: Final = "abuse_alert"
PUBLIC_PREFIX: Final = "alr_"
MOST_JOBS: Final = 20
"""Jobs that an alert names, the latest."""


class AlertKind(StrEnum):
    """What was noticed."""

    JAILBREAK_ATTEMPTS = "jailbreak_attempts"
    BLOCKED_PROMPTS = "blocked_prompts"
    NEW_SUBJECTS = "new_subjects"


class AlertStatus(StrEnum):
    """Whether somebody has looked at it."""

    OPEN = "open"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """What the review came to."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false_alarm"
    NO_ACTION = "no_action"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert; times are seconds since the epoch.

    There is one for each kind and actor of a tenant. When it was resolved and new signs come, it is opened again: ``opening``
    counts that. ``signals`` are the signs of this opening, ``jobs`` the latest jobs behind them. ``blocked_until``: until when
    requests of the subject are refused. ``untold``: types of events of which the tenant is still to be told.
    """

    id: str
    tenant_id: str
    kind: AlertKind
    subject: Mac | None
    principal: str | None
    status: AlertStatus
    opening: int
    opened_at: float
    last_signal_at: float
    signals: int
    jobs: tuple[str, ...]
    expires_at: float
    blocked_until: float | None = None
    resolution: Resolution | None = None
    resolved_at: float | None = None
    untold: tuple[str, ...] = ()
    held: Mark | None = None

    @property
    def public_id(self) -> str:
        """How reviewers and webhooks name it."""
        return f"{PUBLIC_PREFIX}{self.id}"

    def blocks(self, now: float) -> bool:
        """Whether requests of its subject are refused."""
        return self.blocked_until is not None and self.blocked_until > now


def alert_id(*, tenant: str, kind: AlertKind, subject: Mac | None, principal: str | None) -> str:
    """The id of the alert about an actor: 40 hex digits, made of MACs and client ids only, the same whoever notices it."""
    actor = [subject.kid, subject.mac] if subject else [principal]
    return hashlib.sha256(canonical([tenant, kind, actor])).hexdigest()[:40]
