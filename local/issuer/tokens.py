"""Access tokens in the form of Entra ID's version 2, app-only or a person's; and ones that are wrong on purpose, for tests."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping

import jwt

from local import clock
from local.issuer.keys import SigningKey
from local.issuer.principals import Principal

LIFETIME_SECONDS = 24 * 3600


def claims(principal: Principal, *, issuer: str, tid: str, audience: str) -> dict[str, object]:
    """Claims of a client-credentials token: no ``scp``, roles present, ``oid`` equals ``sub``, the client in ``azp``.

    Of a person's, which is delegated: ``scp``, ``idtyp``, and in ``sub`` something else than in ``oid``.
    """
    now = int(clock.now())
    delegated = {} if principal.scope is None else {"scp": principal.scope, "idtyp": "user"}
    return {
        "aud": audience,
        "iss": issuer,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
        "azp": principal.client_id,
        "azpacr": "1",
        "oid": principal.object_id,
        "roles": list(principal.roles),
        "sub": principal.subject,
        "tid": tid,
        "uti": secrets.token_urlsafe(16),
        "ver": "2.0",
        **delegated,
    }


def override(base: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """Change claims; null removes one."""
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def sign(payload: Mapping[str, object], key: SigningKey, *, alg: str = "RS256", kid: str | None = None) -> str:
    """Sign with a key; ``alg`` and ``kid`` go into the header as asked, also where they are an attack.

    ``none`` leaves the token unsigned; ``HS256`` signs with the public key as if it were a shared secret, the
    classic confusion of algorithms. PyJWT refuses to make either, so both are made by hand.
    """
    header = {"alg": alg, "kid": kid or key.kid, "typ": "JWT"}
    if alg not in ("none", "HS256"):
        return jwt.encode(dict(payload), key.private, algorithm=alg, headers=header)
    signed = f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(payload).encode())}"
    mac = hmac.digest(key.public_pem, signed.encode(), hashlib.sha256) if alg == "HS256" else b""
    return f"{signed}.{_encode(mac)}"


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
