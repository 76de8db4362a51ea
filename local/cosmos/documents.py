"""What this endpoint means by a document: a JSON object, its size limit, and the properties that the server adds."""

import json
from collections.abc import Mapping
from typing import Final

from local.cosmos.errors import bad_request, too_large

type Document = dict[str, object]

MAX_BYTES: Final = 2 * 1024 * 1024
"""Azure's limit for one item and for the body of one batch."""

SYSTEM_PROPERTIES: Final = frozenset({"_rid", "_self", "_etag", "_attachments", "_ts"})

_ID_MAX = 255
_TTL_MAX = 2**31 - 1


def encode(value: object) -> str:
    """Compact JSON, not escaped, so that sizes count as UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def decode_object(body: bytes | str) -> Document:
    """Parse one JSON object.

    Raises CosmosError 400 for anything else.
    """
    value = decode(body)
    if not isinstance(value, dict):
        raise bad_request("The body must be a JSON object.")
    return value


def decode(body: bytes | str) -> object:
    """Parse JSON; raises CosmosError 400, without quoting it, when it is not."""
    try:
        value: object = json.loads(body)
    except ValueError:
        raise bad_request("The body is not valid JSON.") from None
    return value


def checked(document: Mapping[str, object]) -> Document:
    """The part of a document that a client owns, once its id, ttl and size are found acceptable.

    Raises CosmosError 400 or 413.
    """
    own = {name: value for name, value in document.items() if name not in SYSTEM_PROPERTIES}
    check_id(own.get("id"))
    ttl = own.get("ttl")
    if ttl is not None and not valid_ttl(ttl):
        raise bad_request("ttl must be -1 or an integer from 1 to 2147483647.")
    try:
        size = len(encode(own).encode())
    except UnicodeEncodeError:
        raise bad_request("A string holds an unpaired surrogate.") from None
    if size > MAX_BYTES:
        raise too_large()
    return own


def check_id(value: object) -> str:
    """An id as Cosmos accepts it; raises CosmosError 400."""
    if not isinstance(value, str) or not value or len(value) > _ID_MAX or any(mark in value for mark in "/\\?#"):
        raise bad_request("id must be a string of 1 to 255 characters without / \\ ? #.")
    return value


def valid_ttl(value: object) -> bool:
    """Whether a time to live is -1 (never) or a positive number of seconds."""
    return isinstance(value, int) and not isinstance(value, bool) and (value == -1 or 1 <= value <= _TTL_MAX)
