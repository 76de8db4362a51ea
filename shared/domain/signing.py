"""Secrets that sign what goes over a wire, the webhooks of Lethe and the messages of its senders alike.

The signature is that of Standard Webhooks 1.0 (github.com/standard-webhooks/standard-webhooks): HMAC-SHA-256 of
``id.timestamp.body``, as ``v1,`` and Base64.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from standardwebhooks import Webhook

PREVIOUS_SECRET_SECONDS = 86_400
"""How long a rotated secret may go on counting beside its successor."""

_PREFIX = "whsec_"
_SECRET_BYTES = 32
_HINT_CHARACTERS = 4


@dataclass(frozen=True, kw_only=True)
class Signing:
    """Which versions of a secret count: ids only, the secrets lie in the key store."""

    current: str
    previous: str | None = None
    previous_until: float | None = None

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all secrets that are named here, of a previous one that has ended too."""
        return frozenset(kid for kid in (self.current, self.previous) if kid is not None)

    def kids(self, *, now: float) -> list[str]:
        """Ids of the secrets that count at a time, the current one first."""
        if self.previous is None or self.previous_until is None or now >= self.previous_until:
            return [self.current]
        return [self.current, self.previous]

    def rotated(self, kid: str, *, now: float, keep_old: bool) -> "Signing":
        """Let a new secret count; the old one goes at once, or in 24 hours."""
        if not keep_old:
            return Signing(current=kid)
        return Signing(current=kid, previous=self.current, previous_until=now + PREVIOUS_SECRET_SECONDS)


def signature(body: str, *, message_id: str, at: int, secret: str) -> str:
    """Sign a body under an id (without ``.``) and a time in whole seconds since the epoch."""
    return Webhook(secret).sign(message_id, datetime.fromtimestamp(at, UTC), body)


def new_secret() -> str:
    """Make a secret of 32 random bytes; the specification asks for 24 to 64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def hint_of(secret: str) -> str:
    """Mask a secret so that its owner can tell two apart: the last four characters, 24 of its 256 bits at the most."""
    return f"{_PREFIX}…{secret.rstrip('=')[-_HINT_CHARACTERS:]}"
