"""What a new version of a tenant's policy changes: which fields, what it loosens, and which clocks it shortens."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.domain.json_document import Json, canonical
from shared.domain.policy import Retention, Submission, TenantPolicy
from shared.domain.residency import Residency

_NESTED = ("retention", "abuse_monitoring", "limits")


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """One field as it was (None where there was no policy) and as it will be."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class PolicyChange:
    """The difference of two versions. ``loosened`` names the fields that need a second principal."""

    fields: tuple[FieldChange, ...]
    loosened: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields that change."""
        return tuple(change.name for change in self.fields)


def compare(before: TenantPolicy | None, after: TenantPolicy) -> PolicyChange:
    """Compare a tenant's policy, if it has one, with its next version."""
    old, new = (dict(_flat(before)) if before else {}), dict(_flat(after))
    names = sorted(old.keys() | new.keys())
    changes = [FieldChange(name=name, before=old.get(name), after=new.get(name)) for name in names]
    return PolicyChange(
        fields=tuple(change for change in changes if change.before != change.after),
        loosened=tuple(_loosened(before, after)),
    )


def fingerprint(policy: TenantPolicy) -> str:
    """SHA-256 of a policy in its canonical spelling, as hex: what evidence names it by. A policy is no secret."""
    return hashlib.sha256(canonical(as_json(policy))).hexdigest()


def as_json(policy: TenantPolicy) -> Json:
    """Write a policy as an operator writes it; limits that it leaves to the stamp are left out."""
    return policy.model_dump(mode="json", exclude_none=True)


def _flat(policy: TenantPolicy) -> Iterator[tuple[str, Any]]:
    for name, value in as_json(policy).items():
        if name in _NESTED:
            yield from ((f"{name}.{inner}", held) for inner, held in value.items())
        else:
            yield name, value


def _loosened(before: TenantPolicy | None, after: TenantPolicy) -> Iterator[str]:
    """Name what a version permits that the one before did not; a first version is held against the defaults.

    By default submission is signed, nothing is opted out, and nothing is processed outside the geography.
    """
    if before is not None:
        for name in Retention.model_fields:
            if getattr(after.retention, name) > getattr(before.retention, name):
                yield f"retention.{name}"
    if after.residency.wider_than(before.residency if before else Residency.GEOGRAPHY):
        yield "residency"
    submission = before.queue_submission if before else Submission.SIGNED
    if after.queue_submission is Submission.OPEN and submission is not Submission.OPEN:
        yield "queue_submission"
    if after.abuse_monitoring.opted_out and not (before and before.abuse_monitoring.opted_out):
        yield "abuse_monitoring.mode"
