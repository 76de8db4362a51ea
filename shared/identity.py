"""Bearer tokens of Entra ID, checked in the app: who calls, with which roles.

Only access tokens of version 2 count: signed RS256 with a key of the configured JWKS, from a listed issuer, for a listed
audience, within their time by the app's own clock. They are app-only, but for the roles of persons: there a delegated token of
scope Review counts too. Whatever is wrong with a token, the caller learns only that it is.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jwt import PyJWS, PyJWTError

from shared.clock import Clock
from shared.domain.json_document import Json, parse_object
from shared.domain.principal import PERSONS_ROLES, Principal, Role
from shared.errors import Denial, Forbidden, RequestRefused, Unauthenticated
from shared.jwks import SigningKeys
from shared.token_issuers import directory_of

LEEWAY_SECONDS = 60.0
"""By which the clocks of the issuer and of the app may differ."""
LONGEST_TOKEN = 16_384
"""Characters; Entra ID's app-only tokens have about two thousand."""
SCOPE = "Review"
"""Of the delegated tokens: what a person lets the client do, as the app registration exposes it."""
_LONGEST_ID = 64
_LATEST = 253_402_300_799
"""The year 9999; a larger number is no time."""
_BEARER = re.compile(r"bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.IGNORECASE)
_JWS = PyJWS(algorithms=["RS256"])


class Verifier:
    """Checks tokens of the listed issuers (issuer URL to JWKS URL) for the listed audiences.

    ``takes_strangers``: who has a good token and no role that counts is known all the same, as a principal without roles, so
    that what is refused to it can be recorded.
    """

    def __init__(
        self, issuers: Mapping[str, str], *, audiences: Iterable[str], clock: Clock, takes_strangers: bool = False
    ) -> None:
        self._takes_strangers = takes_strangers
        self._audiences = frozenset(audiences)
        self._clock = clock
        self._keys = {
            issuer: SigningKeys(url, issuer=issuer, directory=directory_of(issuer), clock=clock)
            for issuer, url in issuers.items()
        }

    async def verify(self, authorization: str | None) -> Principal:
        """Return the principal of an ``Authorization`` header.

        Raises `Unauthenticated`, `Forbidden` (a good token without any role of Lethe, unless strangers are taken) and
        `IdentityUnavailable`.
        """
        token = _token(authorization)
        kid, issuer = _kid_and_issuer(token)
        if issuer not in self._keys:
            raise Unauthenticated(Denial.ISSUER)
        key = await self._keys[issuer].get(kid)
        try:
            payload = _JWS.decode(token, key, algorithms=["RS256"])
        except PyJWTError:
            raise Unauthenticated(Denial.SIGNATURE) from None
        claims = _claims(payload)
        self._check_purpose(claims, issuer)
        self._check_time(claims)
        principal = _principal(claims, directory_of(issuer))
        if not principal.roles and not self._takes_strangers:
            raise Forbidden(Denial.ROLE) if principal.person_id is None else Unauthenticated(Denial.DELEGATED)
        return principal

    def _check_purpose(self, claims: Json, issuer: str) -> None:
        """Check that the token is for us, and of the directory of its issuer, which chose the key.

        Entra ID writes one audience, so a list is refused.
        """
        audience = claims.get("aud")
        if not isinstance(audience, str) or audience not in self._audiences:
            raise Unauthenticated(Denial.AUDIENCE)
        if claims.get("ver") != "2.0":
            raise Unauthenticated(Denial.VERSION)
        if claims.get("tid") != directory_of(issuer):
            raise Unauthenticated(Denial.DIRECTORY)

    def _check_time(self, claims: Json) -> None:
        expires, not_before, issued = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
        now = self._clock()
        if expires + LEEWAY_SECONDS <= now:
            raise Unauthenticated(Denial.EXPIRED)
        if max(not_before, issued) - LEEWAY_SECONDS > now:
            raise Unauthenticated(Denial.NOT_YET_VALID)


def _token(authorization: str | None) -> str:
    if not authorization:
        raise Unauthenticated(Denial.CREDENTIALS_MISSING)
    found = _BEARER.fullmatch(authorization) if len(authorization) <= LONGEST_TOKEN else None
    if found is None:
        raise Unauthenticated(Denial.CREDENTIALS_MALFORMED)
    return found[1]


def _kid_and_issuer(token: str) -> tuple[str, object]:
    """Read what selects the key, before anything is verified. Nothing else in the header is followed."""
    try:
        unverified = _JWS.decode_complete(token, options={"verify_signature": False})
    except PyJWTError:
        raise Unauthenticated(Denial.CREDENTIALS_MALFORMED) from None
    header: dict[str, Any] = unverified["header"]
    if header.get("alg") != "RS256":
        raise Unauthenticated(Denial.ALGORITHM)
    if "crit" in header:  # demands an extension, and none is known here
        raise Unauthenticated(Denial.CREDENTIALS_MALFORMED)
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise Unauthenticated(Denial.KEY)
    issuer = _claims(unverified["payload"]).get("iss")
    return kid, issuer if isinstance(issuer, str) else None


def _claims(payload: bytes) -> Json:
    try:
        return parse_object(payload, max_bytes=LONGEST_TOKEN)
    except RequestRefused:
        raise Unauthenticated(Denial.CREDENTIALS_MALFORMED) from None


def _seconds(claims: Json, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise Unauthenticated(Denial.CLAIMS)
    return value


def _principal(claims: Json, directory: str) -> Principal:
    """Return who calls, an application, or a person through one, with the roles that count, if any."""
    client_id, roles = _id(claims, "azp"), _roles(claims)
    if _is_app_only(claims):
        return Principal(directory=directory, client_id=client_id, roles=roles)
    if not _is_delegated(claims):
        raise Unauthenticated(Denial.DELEGATED)
    return Principal(directory=directory, client_id=client_id, roles=roles & PERSONS_ROLES, person_id=_id(claims, "oid"))


def _is_app_only(claims: Json) -> bool:
    """Whether the application itself is the subject, and no scope says what somebody lets it do."""
    return "scp" not in claims and claims.get("idtyp", "app") == "app" and claims.get("oid") == claims.get("sub")


def _is_delegated(claims: Json) -> bool:
    """Whether a person let the client act in our scope; no claim may say besides that the application is the subject.

    The subject of a person's token is another than the person's object id: it is made for each pair of person and resource.
    """
    scopes, subject = claims.get("scp"), claims.get("sub")
    return (
        isinstance(scopes, str)
        and SCOPE in scopes.split(" ")
        and claims.get("idtyp", "user") == "user"
        and isinstance(subject, str)
        and subject != claims.get("oid")
    )


def _id(claims: Json, name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        raise Unauthenticated(Denial.CLAIMS)
    return value


def _roles(claims: Json) -> frozenset[Role]:
    """Return Lethe's roles among those of the token."""
    named = claims.get("roles", [])
    if not isinstance(named, list):
        raise Unauthenticated(Denial.CLAIMS)
    return frozenset(role for role in Role if role in named)
