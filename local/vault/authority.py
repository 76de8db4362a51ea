"""Whose token it is: signatures are checked with the keys that the issuer publishes.

A token begins by the stack's clock and ends by the machine's: azure-identity keeps one as long as that says, also when a test
has moved the stack's a month ahead.
"""

import asyncio
import time

import aiohttp
import jwt

from local import clock
from local.vault import errors

_PATIENCE_SECONDS = 5.0


class Authority:
    """Trusts one issuer, for tokens whose audience is Key Vault."""

    def __init__(self, *, issuer: str, jwks_url: str) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._keys: dict[str | None, jwt.PyJWK] = {}

    async def object_id(self, authorization: str | None) -> str | None:
        """Return the object id of an ``Authorization`` header's token, None when it is not good.

        Raises ``VaultError`` 503 while the issuer's keys cannot be had.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            if kid not in self._keys:
                self._keys = await self._read()
            if kid not in self._keys:
                return None
            claims = jwt.decode(
                token,
                self._keys[kid],
                algorithms=["RS256"],
                audience=errors.RESOURCE,
                issuer=self._issuer,
                options={"require": ["exp", "nbf", "oid"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            return None
        return str(claims["oid"]) if claims["nbf"] <= clock.now() and time.time() < claims["exp"] else None

    async def _read(self) -> dict[str | None, jwt.PyJWK]:
        try:
            async with (
                asyncio.timeout(_PATIENCE_SECONDS),
                aiohttp.ClientSession(raise_for_status=True) as session,
                session.get(self._jwks_url) as answer,
            ):
                return {key.key_id: key for key in jwt.PyJWKSet.from_dict(await answer.json()).keys}
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise errors.unavailable() from None
