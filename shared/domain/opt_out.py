"""An opt-out of abuse monitoring as Azure confirms it: what model resources show of ``ContentLogging``, and how long it counts.

Two states stand side by side. Lethe's is the tenant's policy. Azure's is a capability of each model resource: ``false`` where
modified abuse monitoring is approved, absent elsewhere. Neither follows from the other. Pure, so a table tests it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.domain.drift import Drift, Finding
from shared.domain.policy import DAY, TenantPolicy
from shared.domain.stamp import Stamp

CONFIRMED_SECONDS: Final = DAY
"""For how long it counts what a resource has shown; what cannot be read meanwhile changes nothing."""
_SKEW: Final = 300.0
"""Seconds by which the clocks of two hosts may differ."""

type Said = Mapping[str, bool | None]
"""By model resource: False where content logging is off, True where nothing says so, None where it cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a resource last showed, and when; both None if it never could be read. ``looked_at``: the last look, seen or not.

    Times are seconds since the epoch. ``logs`` is False where content logging is off.
    """

    logs: bool | None
    at: float | None
    looked_at: float

    def says(self, now: float) -> bool | None:
        """Return what that says now: what is too old says nothing."""
        if self.at is None or not -_SKEW <= now - self.at <= CONFIRMED_SECONDS:
            return None
        return self.logs

    def is_late(self, now: float, *, after: float) -> bool:
        """Whether nobody has looked for so many seconds."""
        return not -_SKEW <= now - self.looked_at <= after


def after_look(before: Shown | None, said: bool | None, *, at: float) -> Shown:  # noqa: FBT001 - a value, not a switch
    """Return what is known after a look at a time; a look that came later and was written first stands."""
    if before is not None and at <= before.looked_at <= at + _SKEW:
        return before
    if said is None and before is not None:
        return Shown(logs=before.logs, at=before.at, looked_at=at)
    return Shown(logs=said, at=None if said is None else at, looked_at=at)


def confirmed(said: Said) -> frozenset[str]:
    """Return the resources to which the requests of a tenant that opted out may go."""
    return frozenset(resource for resource, logs in said.items() if logs is False)


class Confirmation(StrEnum):
    """Whether Azure confirms a tenant's opt-out, for every model of its policy."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    UNKNOWN = "unknown"


def confirmation(policy: TenantPolicy, stamp: Stamp, said: Said) -> Confirmation:
    """Decide whether Azure confirms an opt-out: the worst of its models decides, and where nothing can run nothing is known."""
    found = _by_model(policy, stamp, said)
    if Confirmation.UNCONFIRMED in found:
        return Confirmation.UNCONFIRMED
    return Confirmation.CONFIRMED if found == {Confirmation.CONFIRMED} else Confirmation.UNKNOWN


def unconfirmed(policies: Iterable[TenantPolicy], stamp: Stamp, said: Said) -> tuple[Finding, ...]:
    """Find tenants that opted out and have a model for which no resource shows it, and one shows the opposite."""
    return tuple(
        Finding(kind=Drift.OPT_OUT_UNCONFIRMED, target=policy.tenant_id)
        for policy in policies
        if policy.abuse_monitoring.opted_out and Confirmation.UNCONFIRMED in _by_model(policy, stamp, said)
    )


def unreadable(policies: Iterable[TenantPolicy], stamp: Stamp, said: Said) -> tuple[str, ...]:
    """Return tenants that opted out, of which only what cannot be read stands in the way of a confirmation."""
    found = {policy.tenant_id: _by_model(policy, stamp, said) for policy in policies if policy.abuse_monitoring.opted_out}
    return tuple(
        tenant for tenant, models in found.items() if Confirmation.UNKNOWN in models and Confirmation.UNCONFIRMED not in models
    )


def _by_model(policy: TenantPolicy, stamp: Stamp, said: Said) -> set[Confirmation]:
    """What is true of one model or another; one that no deployment may serve sends nothing anywhere."""
    usable = (stamp.usable(policy, alias) for alias in policy.models)
    return {_of_model({said.get(each.resource) for each in deployments}) for deployments in usable if deployments}


def _of_model(shown: set[bool | None]) -> Confirmation:
    if False in shown:
        return Confirmation.CONFIRMED
    return Confirmation.UNCONFIRMED if True in shown else Confirmation.UNKNOWN
