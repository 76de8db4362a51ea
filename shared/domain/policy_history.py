"""Since when a setting of a policy is as it is, and by whom: read backwards from the evidence of applied policies. Pure.

A record names the fields that a version changed, and both versions by their fingerprints. So the way from the policy that
stands leads back through the versions before it, past records of versions that were never written.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.evidence import Kind, Record, Unreadable


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A version of a tenant's policy as evidence has it; ``at`` in seconds since the epoch, principals as directory/client id.

    ``before`` is None for a first version, ``proposed_by`` where no second principal was needed.
    """

    at: float
    fields: frozenset[str]
    before: str | None
    after: str
    applied_by: str
    proposed_by: str | None


type History = Sequence[Applied]
"""The versions of one tenant's policy, the earliest first."""


def histories(records: Iterable[Record | Unreadable]) -> Mapping[str, History]:
    """Sort the records of the chain ``policies`` by tenant; what is no record of an applied policy tells nothing."""
    found: defaultdict[str, list[Applied]] = defaultdict(list)
    for record in records:
        if isinstance(record, Record) and record.kind is Kind.POLICY_APPLIED:
            found[str(record.fields["tenant"])].append(_applied(record))
    return found


def last_change(history: History, standing: str, fields: Collection[str]) -> Applied | None:
    """Return the version that last changed one of the fields, on the way back from the version that stands.

    None where the way breaks off: the policy was written past the command, or its record was pruned after a year.
    """
    wanted: str | None = standing
    for version in reversed(history):
        if version.after == wanted:
            if not version.fields.isdisjoint(fields):
                return version
            wanted = version.before
    return None


def _applied(record: Record) -> Applied:
    fields = record.fields
    changed = fields["fields"]
    return Applied(
        at=record.at,
        fields=frozenset(str(each) for each in changed) if isinstance(changed, tuple) else frozenset(),
        before=str(fields["before"]) if "before" in fields else None,
        after=str(fields["after"]),
        applied_by=str(fields["actor"]),
        proposed_by=str(fields["proposed_by"]) if "proposed_by" in fields else None,
    )
