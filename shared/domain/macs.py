"""Keyed MACs in place of identifiers and contents: a plain hash of a custom_id could be reversed by guessing."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.json_document import canonical


class Purpose(StrEnum):
    """One key per tenant and purpose, so that no MAC can be compared with one made for something else."""

    JOB_ID = "job-id"
    CONTENT = "content"
    SUBJECT = "subject"


@dataclass(frozen=True, kw_only=True)
class Key:
    """A secret of the key store with its id; never printed."""

    kid: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key(kid={self.kid!r})"


@dataclass(frozen=True, kw_only=True)
class Mac:
    """A MAC and the id of the key that made it."""

    kid: str
    mac: str


def mac(key: Key, value: object) -> Mac:
    """HMAC-SHA-256 of a JSON value in its canonical spelling, as hex."""
    return Mac(kid=key.kid, mac=hmac.new(key.secret, canonical(value), hashlib.sha256).hexdigest())


def job_id(key: Key, *, tenant: str, batch: str | None, custom_id: str) -> str:
    """The id of the job with this key: 40 hex digits (160 bits of the MAC), safe in URLs, message ids and logs."""
    return mac(key, [tenant, batch, custom_id]).mac[:40]
