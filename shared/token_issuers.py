"""Settings of authentication: whose tokens count, and for which audiences."""

import json
import re
from urllib.parse import urlsplit

from shared.errors import InvalidSettings

ISSUERS = "LETHE_TOKEN_ISSUERS"
AUDIENCES = "LETHE_TOKEN_AUDIENCES"

LOGIN_HOSTS = frozenset({"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"})
"""Entra ID's public cloud, and those of the United States' government and of China."""

_SHAPE = (
    'must be a JSON object {issuer URL: JWKS URL}, as {"https://login.microsoftonline.com/<directory id>/v2.0": "https://…"}'
)
_MANY_DIRECTORIES = frozenset({"common", "organizations", "consumers"})
_PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def directory_of(url: str) -> str:
    """Return the directory (Entra ID's tenant id) of an issuer's or a JWKS's URL ``https://host/{directory}/…``."""
    return urlsplit(url).path.strip("/").partition("/")[0]


def issuers(text: str) -> dict[str, str]:
    """Parse the allow-list of issuers; raises `InvalidSettings`.

    Each names one directory: with ``common`` and its like anybody's directory would do.
    """
    found = _json(ISSUERS, text, _SHAPE)
    if not isinstance(found, dict) or not found or not all(isinstance(url, str) for url in found.values()):
        raise InvalidSettings(ISSUERS, _SHAPE)
    for issuer, jwks in found.items():
        _check(issuer, jwks)
    return found


def audiences(text: str) -> frozenset[str]:
    """Parse the allow-list of audiences (client ids of the app registration); raises `InvalidSettings`."""
    rule = 'must be a JSON list of audiences, as ["<client id of the app registration>"]'
    found = _json(AUDIENCES, text, rule)
    if not isinstance(found, list) or not found or not all(isinstance(audience, str) and audience for audience in found):
        raise InvalidSettings(AUDIENCES, rule)
    return frozenset(found)


def guard_production(found: dict[str, str]) -> None:
    """Refuse every issuer but Entra ID itself."""
    for url in (*found, *found.values()):
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.netloc not in LOGIN_HOSTS:
            raise InvalidSettings(ISSUERS, "must be https and of a login host of Entra ID in Azure")


def _check(issuer: str, jwks: str) -> None:
    if not _is_plain_url(issuer) or not _is_plain_url(jwks):
        raise InvalidSettings(ISSUERS, _SHAPE)
    directory = directory_of(issuer)
    if {directory.lower(), directory_of(jwks).lower()} & {*_MANY_DIRECTORIES, _PERSONAL_ACCOUNTS}:
        raise InvalidSettings(ISSUERS, "must name one directory: common, organizations and consumers are refused")
    if not _GUID.fullmatch(directory) or urlsplit(issuer).path != f"/{directory}/v2.0" or urlsplit(issuer).query:
        raise InvalidSettings(ISSUERS, "must have version 2 issuers, https://host/<directory id in lower case>/v2.0")
    if directory_of(jwks) != directory:
        raise InvalidSettings(ISSUERS, "must have each issuer's keys at its own directory, https://host/<directory id>/…")
    if urlsplit(issuer).netloc != urlsplit(jwks).netloc:
        raise InvalidSettings(ISSUERS, "must have each issuer's keys at its own host")


def _is_plain_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"https", "http"} and bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment
    except ValueError:
        return False


def _json(name: str, text: str, rule: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidSettings(name, rule) from None
