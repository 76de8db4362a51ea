"""Tokens with canaries in whatever a token can say, and what becomes of whoever shows one."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt

from tests.privacy.cases import RESPONSES, Planting, request
from tests.privacy.flock import Flock
from tests.privacy.http_calls import ABSENT, ENDPOINTS, LETHE, OPENAI, Call
from tests.system.callers import ANOTHERS_KEY, read
from tests.system.http import Http

NAMES = ("name", "upn", "preferred_username", "email", "given_name", "app_displayname", "jti")
TENANTS_ROLES = ["Lethe.Submit", "Lethe.Privacy"]

type Claims = dict[str, Any]


def claims(planted: Planting) -> Claims:
    """Claims that Lethe does not need, full of personal data."""
    subject = planted("claims sub and oid")
    return {name: planted(f"claim {name}") for name in NAMES} | {"sub": subject, "oid": subject}


def accepted(flock: Flock, http: Http, client: str | None = None) -> str:
    """A good token, but for all that it says besides: contoso's, or that of another tenant's client."""
    planted = Planting(flock=flock, path="an accepted token")
    acting = {"azp": client} if client else {}
    return http.token("contoso", claims=claims(planted) | acting | {"roles": [*TENANTS_ROLES, planted("claim roles")]})


def operating(flock: Flock, http: Http) -> str:
    """An operator's token, which says more than Lethe needs, too."""
    planted = Planting(flock=flock, path="an operator's token")
    return http.token("operator", claims=claims(planted) | {"roles": ["Lethe.Operator", planted("claim roles")]})


def reviewing(flock: Flock, http: Http) -> str:
    """A reviewer's token, which says more, too; the object id in it is a person's, because it is evidence of each reading."""
    planted = Planting(flock=flock, path="a reviewer's token")
    named = {name: planted(f"claim {name}") for name in NAMES}
    return http.token("reviewer", claims=named | {"roles": ["Lethe.Reviewer", planted("claim roles")]})


def fresh(flock: Flock, http: Http, token: str) -> str:
    """Another good token of the same client, for a clock that has moved."""
    return accepted(flock, http, str(read(token)["azp"]))


def _forged(planted: Planting, http: Http) -> str:
    named = read(http.token("contoso")) | claims(planted)
    return jwt.encode(named, ANOTHERS_KEY.private, "RS256", headers={"kid": planted("header kid"), "jku": planted("jku")})


def _half(planted: Planting, _: Http) -> str:
    return f"{base64.urlsafe_b64encode(json.dumps({'alg': planted('alg')}).encode()).decode().rstrip('=')}.e30.AAAA"


def _with(status: int, names: tuple[str, ...] = (), **order: Any) -> tuple[int, Callable[[Planting, Http], str]]:  # noqa: ANN401
    """A token with canaries in these claims too."""
    return status, lambda planted, http: http.token(
        "contoso", **order, claims=claims(planted) | {name: planted(f"claim {name}") for name in names}
    )


REFUSED: dict[str, tuple[int, Callable[[Planting, Http], str]]] = {
    "alg none": _with(401, alg="none"),
    "HS256 with the public key": _with(401, alg="HS256"),
    "a wrong audience": _with(401, ("aud",)),
    "a wrong issuer": _with(401, ("iss",)),
    "a wrong directory": _with(401, ("tid",)),
    "a wrong version": _with(401, ("ver",)),
    "a time that is none": _with(401, ("exp",)),
    "a scope": _with(401, ("scp",)),
    "roles that are text": _with(401, ("roles",)),
    "an unknown client": _with(403, ("azp",)),
    "an unknown kid": (401, lambda planted, http: http.token("contoso", kid=planted("header kid"), claims=claims(planted))),
    "another's key": (401, _forged),
    "an algorithm that is none": (401, _half),
    "another role": (
        403,
        lambda planted, http: http.token("contoso", claims=claims(planted) | {"roles": [planted("claim roles")]}),
    ),
    "no token": (401, lambda planted, _: planted("no token")),
}
"""Path: status, and how the token is made."""


def refused(flock: Flock, http: Http) -> list[Call]:
    """A request with each bad token, on all faces, that of reviewers too."""
    opening = f"{http.stack.endpoints['review']}/v1/abuse/records/abr_{ABSENT}/open"
    calls = []
    for path, (status, make) in REFUSED.items():
        planted = Planting(flock=flock, path=f"a token with {path}")
        content = json.dumps(request(planted, RESPONSES)).encode()
        told = (403, 400) if status == 403 else (status,)  # who may not do it is decided behind the body on some routes
        call = Call(path=planted.path, status=told, content=content, token=make(planted, http))
        calls += [replace(call, target=target) for target in (LETHE, OPENAI, ENDPOINTS, opening)]
    return calls


def signature(token: str) -> str:
    """The part of a token that makes it one; empty for what has none."""
    return token.rpartition(".")[2] if token.count(".") == 2 else ""
