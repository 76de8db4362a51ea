"""Who may ask: the sample principals of the stack, one directory, one audience."""

import json
from dataclasses import dataclass
from pathlib import Path

SEED = Path(__file__).parent.parent / "seed" / "principals.json"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """An application: its client id, the object id of its service principal, its app roles.

    One with a ``scope`` acts for a person: object id and roles are the person's, and so is the ``subject``, which Entra ID
    makes for each pair of person and resource.
    """

    client_id: str
    object_id: str
    roles: tuple[str, ...]
    subject: str
    scope: str | None = None


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The one Entra ID tenant (directory) of the stack, with the app registration that tokens are meant for.

    Two managed identities are in it: of the app, and of the review app.
    """

    tid: str
    audience: str
    principals: dict[str, Principal]
    managed_identity: Principal
    review_app: Principal

    @property
    def identities(self) -> dict[str, Principal]:
        """Everybody by name, managed identities too."""
        return {**self.principals, "managed_identity": self.managed_identity, "review_app": self.review_app}


def read(path: Path = SEED) -> Directory:
    """Read the seed file."""
    seed = json.loads(path.read_text(encoding="utf-8"))
    return Directory(
        tid=seed["directory"],
        audience=seed["audience"],
        principals={name: _principal(entry) for name, entry in seed["principals"].items()},
        managed_identity=_principal(seed["managed_identity"]),
        review_app=_principal(seed["review_app"]),
    )


def _principal(entry: dict[str, object]) -> Principal:
    roles = entry["roles"]
    scope = entry.get("scope")
    return Principal(
        client_id=str(entry["client_id"]),
        object_id=str(entry["object_id"]),
        roles=tuple(roles) if isinstance(roles, list) else (),
        subject=str(entry.get("subject", entry["object_id"])),
        scope=None if scope is None else str(scope),
    )
