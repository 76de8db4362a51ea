"""A signed submission: a message of the queue that its tenant's secret has signed, as a webhook is signed.

Application properties ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` (Standard Webhooks 1.0) over the body
as it was sent. The signature's time is compared with the time at which Service Bus enqueued the message, which no sender can
choose, and not with the clock of whoever reads: a message may wait in the queue as long as it likes.
"""

import hmac
import re
from collections.abc import Mapping, Sequence

from shared.domain.signing import signature
from shared.errors import Reason, RequestRefused

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_SECONDS = 300
"""How far a signature's time may lie from the enqueuing, before or after it: as far as Standard Webhooks allow."""

LONGEST_SIGNATURES = 1024
"""Characters: twenty signatures, where two are enough while a secret is being replaced."""
_ID = re.compile(r"[!-\-/-~]{1,256}")
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,10}")


type Properties = Mapping[str, object] | Mapping[str | bytes, object]
"""Application properties; the Functions host hands them over as JSON, so that their names and texts are never bytes."""


def verify(body: bytes, properties: Properties, *, signing_secrets: Sequence[str], enqueued_at: float) -> None:
    """Check that one of the secrets has signed a message that was enqueued at a time (seconds since the epoch).

    ``webhook-id`` is 1 to 256 visible ASCII characters without ``.``, which separates what is signed; ``webhook-timestamp``
    whole seconds since the epoch without leading zeros, as text or as an integer, which some clients make of it;
    ``webhook-signature`` up to `LONGEST_SIGNATURES` characters, single spaces between signatures. Each is compared as text,
    so that Base64 that could be read in two ways, or not at all, is simply another text.

    Raises `RequestRefused`: ``signature_missing`` when one of the three is not there, ``signature_invalid`` when one is
    malformed or no secret made any of the signatures, ``signature_late`` when a good one is of another time than the enqueuing.
    """
    given = [properties.get(name) for name in (ID, TIMESTAMP, SIGNATURE)]
    if None in given:
        raise RequestRefused(Reason.SIGNATURE_MISSING, SIGNATURE)
    message_id, timestamp, signatures = (_text(value) for value in given)
    if not (_ID.fullmatch(message_id) and _TIMESTAMP.fullmatch(timestamp) and len(signatures) <= LONGEST_SIGNATURES):
        raise RequestRefused(Reason.SIGNATURE_INVALID, SIGNATURE)
    at = int(timestamp)
    if not _is_signed(body, message_id=message_id, at=at, signatures=signatures, signing_secrets=signing_secrets):
        raise RequestRefused(Reason.SIGNATURE_INVALID, SIGNATURE)
    if abs(enqueued_at - at) > TOLERANCE_SECONDS:
        raise RequestRefused(Reason.SIGNATURE_LATE, TIMESTAMP)


def secret_name(tenant: str) -> str:
    """Name of the tenant's submission secret in the key store.

    It ends unlike the name of a MAC key or of an endpoint's secret, and no two tenants have the same.
    """
    return f"lethe-{tenant}-submission"


def _text(value: object) -> str:
    """A property as text; what is neither text nor an integer is no signature's."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _is_signed(body: bytes, *, message_id: str, at: int, signatures: str, signing_secrets: Sequence[str]) -> bool:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    made = [signature(text, message_id=message_id, at=at, secret=secret).encode("ascii") for secret in signing_secrets]
    found = [each.encode("utf-8", "replace") for each in signatures.split(" ")]
    return any(hmac.compare_digest(one, other) for one in made for other in found)
