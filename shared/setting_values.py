"""Single settings as the environment has them: read, checked, and refused by name, never with their value."""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from shared.domain.configuration import Backup, Backups
from shared.domain.erasure import LONGEST_BACKUP
from shared.domain.policy import WebhookHost
from shared.domain.residency import Geography, Sku
from shared.domain.stamp import ARM_ID, Deployment
from shared.errors import InvalidSettings

_KEY_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/keys/[0-9A-Za-z-]{1,127}")
_VAULT_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/?")
_HOSTS = TypeAdapter(tuple[WebhookHost, ...])
_DEPLOYMENTS = TypeAdapter(tuple[Deployment, ...])
_LONGEST_BACKUP_HOURS = LONGEST_BACKUP // 3600
_HORIZONS = {Backup.PERIODIC: 8, Backup.CONTINUOUS: _LONGEST_BACKUP_HOURS}
"""Hours that Azure's own default reaches back: two periodic backups, four hours apart; the continuous tier of 30 days."""
_DEPLOYMENTS_RULE = (
    'must be a JSON list of deployments, each {"name", "endpoint": "https://<resource>.openai.azure.com/openai/v1/", '
    '"resource_id": "/subscriptions/…", "region", "geography", "sku", "model"}, with names of their own, a region of the '
    f"geography LETHE_GEOGRAPHY, sku one of {', '.join(Sku)}, and no two resources of one name"
)


class Reader:
    """Reads an environment; each method raises `InvalidSettings`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str:
        """Return a setting that must be there."""
        value = self._environment.get(name, "").strip()
        if not value:
            raise InvalidSettings(name, "is required")
        return value

    def number(self, name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
        """Return a whole number of at least 1, or within other bounds."""
        value = self._environment.get(name, str(default))
        is_number = value.isascii() and value.isdigit()
        if not is_number or int(value) < least or (most is not None and int(value) > most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise InvalidSettings(name, f"must be a whole number {bounds}")
        return int(value)

    def flag(self, name: str) -> bool:
        """Return whether a switch, off by default, is on."""
        value = self._environment.get(name, "false").strip().lower()
        if value not in {"true", "false"}:
            raise InvalidSettings(name, "must be true or false")
        return value == "true"

    def one_of[Choice: StrEnum](self, name: str, default: Choice) -> Choice:
        """Return a value of a closed set."""
        try:
            return type(default)(self._environment.get(name, default))
        except ValueError:
            raise InvalidSettings(name, f"must be one of {', '.join(type(default))}") from None

    def path(self, name: str) -> Path | None:
        """Return a file's path, None when there is none."""
        value = self._environment.get(name)
        return Path(value) if value else None

    def hosts(self, name: str) -> tuple[str, ...]:
        """Return hosts of webhooks, written as a policy writes them; none by default."""
        try:
            return _HOSTS.validate_python(json.loads(self._environment.get(name, "[]")))
        except (ValidationError, ValueError):
            raise InvalidSettings(name, "must be a JSON list of names of hosts, each in lower case, or *. and a name") from None

    def arm_id(self, name: str) -> str:
        """Return the id of a resource in Azure Resource Manager."""
        value = self.text(name)
        if not re.fullmatch(ARM_ID, value):
            raise InvalidSettings(name, "must be the id of an Azure resource, as /subscriptions/…/providers/…")
        return value

    def key_url(self, name: str) -> str:
        """Return the URL of a key in a vault, without a version: the newest one signs."""
        value = self.text(name)
        if not _KEY_URL.fullmatch(value):
            raise InvalidSettings(name, "must be the URL of a key without a version, as https://….vault.azure.net/keys/…")
        return value

    def vault_url(self, name: str) -> str:
        """Return the URL of a vault."""
        value = self.text(name)
        if not _VAULT_URL.fullmatch(value):
            raise InvalidSettings(name, "must be the URL of a vault, as https://….vault.azure.net")
        return value.rstrip("/")

    def backups(self, mode: str, horizon: str) -> Backups:
        """Return how the store is stated to be backed up; as Azure makes an account unless something else is said."""
        stated = self.one_of(mode, Backup.PERIODIC)
        hours = self.number(horizon, _HORIZONS[stated])
        if hours > _LONGEST_BACKUP_HOURS:  # erasures are remembered for so long, and no account can be set up for longer
            raise InvalidSettings(horizon, f"must be at most {_LONGEST_BACKUP_HOURS} hours")
        return Backups(mode=stated, horizon_hours=hours)

    def geography(self, name: str) -> Geography:
        """Return the geography of the stamp."""
        try:
            return Geography(self.text(name))
        except ValueError:
            raise InvalidSettings(name, f"must be one of {', '.join(Geography)}") from None

    def deployments(self, name: str, geography: Geography) -> dict[str, Deployment]:
        """Return the listed deployments by name; all lie in the stamp's geography."""
        try:
            found = _DEPLOYMENTS.validate_python(json.loads(self.text(name)))
        except (ValidationError, ValueError):
            raise InvalidSettings(name, _DEPLOYMENTS_RULE) from None
        by_name = {deployment.name: deployment for deployment in found}
        if not found or len(by_name) < len(found) or any(one.geography is not geography for one in found):
            raise InvalidSettings(name, _DEPLOYMENTS_RULE)
        ids = {deployment.resource_id.lower() for deployment in found}
        if len({each.rpartition("/")[2] for each in ids}) < len(ids):  # what is checked is reported by the resource's name
            raise InvalidSettings(name, _DEPLOYMENTS_RULE)
        return by_name
