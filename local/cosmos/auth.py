"""Checks the signature that the SDKs make with the account's key."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qs, unquote

from local.cosmos.address import Address
from local.cosmos.errors import CosmosError

EMULATOR_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
"""The published key of Microsoft's emulator: not a secret."""


def check(key: str, method: str, address: Address, headers: Mapping[str, str]) -> None:
    """Raise CosmosError 401 unless the request is signed with the key.

    https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
    """
    # A plus sign of the base64 text must not be read as a blank.
    token = parse_qs(unquote(headers.get("authorization", "")).replace("+", "%2B"))
    dates = f"{headers.get('x-ms-date', '')}\n{headers.get('date', '')}\n"
    text = f"{method.lower()}\n{address.signed_type}\n{address.signed_link}\n{dates.lower()}"
    expected = base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)).decode()
    if token.get("type") != ["master"] or not hmac.compare_digest(token.get("sig", [""])[0], expected):
        raise CosmosError(HTTPStatus.UNAUTHORIZED, "The signature of the request does not fit the account's key.")
