"""Who may do what: by the object id in the caller's token, as Key Vault's role assignments go by it."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from local.issuer.principals import Directory
from local.vault import errors
from local.vault.seed import Rule


class Access:
    """The rules of the seed file, by the object ids of the identities that they name."""

    def __init__(self, rules: Iterable[Rule], *, directory: Directory) -> None:
        self._rules = [(directory.identities[rule.identity].object_id, rule) for rule in rules]

    def check(self, object_id: str, action: str, key: str) -> None:
        """Raise ``VaultError`` 403 unless a rule allows the action on a key; ``*`` stands for the whole vault."""
        for allowed, rule in self._rules:
            if allowed == object_id and action in rule.actions and fnmatchcase(key, rule.keys):
                return
        raise errors.forbidden(action)
