"""Where what an operator has written may stand, and what the command has said."""

import re

from tests.privacy.cases import STORE, Planting
from tests.privacy.flock import Label
from tests.privacy.hooks import SECRETS
from tests.privacy.scan import Finding
from tests.system.policy_command import Done

KEYS = "keys.json"

type Placed = set[tuple[str, str]]


def place(found: Finding) -> str:
    return found.label.partition(" of ")[0] if not found.label.startswith("name of a field") else "name of a field"


def secret(done: Done) -> str:
    """The secret that the command has shown; none where it should have shown one is a failed test."""
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", done.out)
    assert found, "no secret was shown"
    return found[0]


def named(tenant: Planting) -> Placed:
    """Where a tenant's name may stand while it is one: its documents, its keys, its secrets."""
    return {(str(Label(path=tenant.path, place="tenant")), file) for file in (STORE, KEYS, SECRETS)}


def kept(planted: Planting, *places: str) -> Placed:
    return {(str(Label(path=planted.path, place=place)), STORE) for place in places}


def unfinished() -> Placed:
    """What is left of what was begun and failed: the tenant's name, in evidence and with keys that nothing uses yet."""
    before_keys, before_policy = (
        ("a key store that cannot be read",),
        (
            "a store that fails",
            "another operator",
            "a store that cuts the connection",
        ),
    )
    evidence = {(str(Label(path=path, place="tenant")), STORE) for path in before_keys + before_policy}
    return evidence | {(str(Label(path=path, place="tenant")), KEYS) for path in before_policy}
