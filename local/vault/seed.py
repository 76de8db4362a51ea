"""What infrastructure sets up in Azure, from a seed file: keys, recovery days, and who may do what with which keys."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

FILE = Path(__file__).parent.parent / "seed" / "vault.json"

ACTIONS = frozenset({"get", "list", "create", "delete", "sign", "verify", "unwrapKey"})
"""What this part can do. What else Key Vault can (import, backup, release, purge, …) is forbidden to everybody here."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An identity (a name of the principals' seed file) may take actions on keys whose names match a pattern."""

    identity: str
    keys: str
    actions: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Seed:
    """The seed file; ``keys`` are the parameters with which each key is created when it is missing."""

    recovery_days: int
    keys: dict[str, dict[str, object]]
    rules: tuple[Rule, ...]

    @classmethod
    def read(cls, path: Path = FILE) -> Self:
        """Read the file; raises ValueError for a rule with an action that is not known."""
        seed = json.loads(path.read_text(encoding="utf-8"))
        rules = tuple(
            Rule(identity=each["identity"], keys=each["keys"], actions=frozenset(each["actions"])) for each in seed["access"]
        )
        if any(not rule.actions <= ACTIONS for rule in rules):
            raise ValueError("a rule of the vault's seed file allows an unknown action")
        return cls(recovery_days=seed["recovery_days"], keys=seed["keys"], rules=rules)
