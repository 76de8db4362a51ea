"""What a check of the configuration says: what it found, what it could not look at, and values that only are recorded."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from shared.domain.configuration import Backup, StoreSettings
from shared.domain.drift import INFORMATIONAL, Finding
from shared.domain.evidence_fields import LONGEST_LIST, LONGEST_TEXT, Fields, Scalar


class Part(StrEnum):
    """What is looked at by itself."""

    QUEUES = "queues"
    CONTAINERS = "containers"
    ACCOUNT = "account"
    STORE = "store"
    POLICIES = "policies"
    OPT_OUTS = "opt_outs"
    VAULT = "vault"


@dataclass(frozen=True, kw_only=True)
class Unchecked:
    """A part that could not be read; the resource of an account, the tenant of a policy or of an opt-out, else None."""

    part: Part
    target: str | None = None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A check, or one part of it. ``compared`` counts queues, containers, accounts, deployments, the store and policies.

    ``content_logging`` is by resource, and None where the account does not say. ``backup_horizon_hours``: for how long what
    was deleted can be restored. Both are missing for what was not read.
    """

    compared: int = 0
    findings: tuple[Finding, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    content_logging: Mapping[str, bool | None] = field(default_factory=dict)
    backup: Backup | None = None
    backup_horizon_hours: int | None = None

    @classmethod
    def of_store(cls, found: StoreSettings, findings: tuple[Finding, ...]) -> Self:
        """Make the part that is about the store."""
        return cls(compared=1, findings=findings, backup=found.backup, backup_horizon_hours=found.backup_horizon_hours)

    @classmethod
    def together(cls, parts: Iterable[Self]) -> Self:
        """Put parts together; a finding that two of them have counts once."""
        parts = tuple(parts)
        store = next((each for each in parts if each.backup), None)
        return cls(
            compared=sum(each.compared for each in parts),
            findings=tuple(dict.fromkeys(finding for each in parts for finding in each.findings)),
            unchecked=tuple(unchecked for each in parts for unchecked in each.unchecked),
            content_logging={resource: said for each in parts for resource, said in each.content_logging.items()},
            backup=store.backup if store else None,
            backup_horizon_hours=store.backup_horizon_hours if store else None,
        )

    @property
    def complete(self) -> bool:
        """Whether everything could be looked at."""
        return not self.unchecked

    @property
    def serious(self) -> tuple[Finding, ...]:
        """The findings on which a promise depends."""
        return tuple(finding for finding in self.findings if finding.kind not in INFORMATIONAL)

    def evidence(self) -> Fields:
        """Return it as fields of evidence: long lists are cut, and the counts are those of the whole."""
        fields: dict[str, Scalar | tuple[Scalar, ...]] = {
            "compared": self.compared,
            "complete": self.complete,
            "found": len(self.serious),
            "counts": _texts((kind, count) for kind, count in Counter(each.kind for each in self.findings).items()),
            "findings": _texts((each.kind, each.target) for each in self.findings),
            "unchecked": _texts((each.part, each.target) for each in self.unchecked),
            "content_logging": _texts((resource, _SAID[said]) for resource, said in self.content_logging.items()),
        }
        if self.backup is not None and self.backup_horizon_hours is not None:
            fields |= {"backup": self.backup, "backup_horizon_hours": self.backup_horizon_hours}
        return fields


_SAID = {True: "true", False: "false", None: "unreadable"}


def _texts(pairs: Iterable[tuple[str, str | int | None]]) -> tuple[str, ...]:
    """Write pairs as ``name:value``, or as ``name`` where there is no value."""
    texts = [name if value is None else f"{name}:{value}" for name, value in pairs]
    return tuple(text[:LONGEST_TEXT] for text in texts[:LONGEST_LIST])
