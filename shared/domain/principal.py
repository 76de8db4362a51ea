"""Who asks: an application of an Entra ID directory, or a person through one, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """App roles of the registration that tokens are meant for; values are those of the claim ``roles``."""

    SUBMIT = "Lethe.Submit"
    PRIVACY = "Lethe.Privacy"
    OPERATOR = "Lethe.Operator"
    REVIEWER = "Lethe.Reviewer"


TENANT_ROLES = frozenset({Role.SUBMIT, Role.PRIVACY})
"""Roles that act for one tenant. The others are of those who run the service, and need no tenant."""
PERSONS_ROLES = frozenset({Role.REVIEWER})
"""Roles in which a person may act, by a delegated token. The others are for applications alone."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """An authenticated application: (directory, client id) is unique over all policies.

    ``person_id`` is the object id of the person for whom it acts; None where it acts for itself.
    """

    directory: str
    client_id: str
    roles: frozenset[Role]
    person_id: str | None = None

    @property
    def name(self) -> str:
        """How evidence names the application."""
        return name_of(self.directory, self.client_id)


def name_of(directory: str, client_id: str) -> str:
    """Name an application of a directory."""
    return f"{directory}/{client_id}"
