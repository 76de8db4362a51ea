"""The file-backed key store of the local stack; in Azure the same keys are secrets of a Key Vault."""

import base64
import json
import secrets
from collections.abc import Iterable
from pathlib import Path

from local.stack.files import write_private_json

PURPOSES = ("job-id", "content", "subject")
"""One key per tenant and purpose, so that no MAC of one kind can stand for one of another."""


def create_missing(path: Path, tenants: Iterable[str]) -> None:
    """Give each tenant a key for each purpose; keys that exist stay, the last of a list is the current one."""
    keys: dict[str, dict[str, list[dict[str, str]]]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for tenant in tenants:
        of_tenant = keys.setdefault(tenant, {})
        for purpose in PURPOSES:
            of_tenant.setdefault(purpose, [_new_key()])
    write_private_json(path, keys)


def _new_key() -> dict[str, str]:
    return {"kid": secrets.token_hex(8), "secret": base64.b64encode(secrets.token_bytes(32)).decode("ascii")}
