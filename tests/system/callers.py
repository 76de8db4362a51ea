"""Every kind of caller that there is, and the token that it shows."""

from collections.abc import Callable
from typing import Any

import jwt

from tests.system.http import Http
from tests.tokens import new_key

FOREIGN_DIRECTORY = "f0e1d2c3-0000-4000-8000-000000000001"
STRANGER = "11e7be00-0000-4000-8000-00000000beef"
HOUR = 3600

ANOTHERS_KEY = new_key("anothers")

type Caller = Callable[[Http], str | None]


def _with(*, principal: str = "contoso", alg: str = "RS256", **claims: object) -> Caller:
    """A token of a sample principal with claims changed."""
    return lambda http: http.token(principal, alg=alg, claims=claims)


def _expired(http: Http) -> str:
    return http.token("contoso", claims={"exp": _now(http) - 2 * HOUR})


def _early(http: Http) -> str:
    return http.token("contoso", claims={"nbf": _now(http) + HOUR})


def _of_the_future(http: Http) -> str:
    return http.token("contoso", claims={"iat": _now(http) + HOUR})


def _of_version_1(http: Http) -> str:
    """As Entra ID writes them: another issuer, the client in ``appid``."""
    claims = read(http.token("contoso"))
    issuer = f"https://sts.windows.net/{claims['tid']}/"
    return http.token("contoso", claims={"iss": issuer, "ver": "1.0", "appid": claims["azp"], "azp": None})


def _of_version_1_from_our_issuer(http: Http) -> str:
    client = read(http.token("contoso"))["azp"]
    return http.token("contoso", claims={"ver": "1.0", "appid": client, "azp": None})


def _of_a_foreign_directory(http: Http) -> str:
    claims = read(http.token("contoso"))
    issuer = str(claims["iss"]).replace(str(claims["tid"]), FOREIGN_DIRECTORY)
    return http.token("contoso", claims={"tid": FOREIGN_DIRECTORY, "iss": issuer})


def _of_an_unknown_key(http: Http) -> str:
    return http.token("contoso", kid="nobody-has-this-key")


def _forged(http: Http) -> str:
    """Signed by a key of the caller's own, under the name of the issuer's."""
    token = http.token("contoso")
    return jwt.encode(read(token), ANOTHERS_KEY.private, "RS256", headers={"kid": jwt.get_unverified_header(token)["kid"]})


def _bringing_its_key(http: Http) -> str:
    """Signed by a key of the caller's own, which the token's header brings along."""
    header: dict[str, Any] = {"kid": ANOTHERS_KEY.kid, "jwk": ANOTHERS_KEY.jwk(), "jku": f"{http.stack.endpoints['http']}/keys"}
    return jwt.encode(read(http.token("contoso")), ANOTHERS_KEY.private, "RS256", headers=header)


def _changed_afterwards(http: Http) -> str:
    """Another tenant's claims under a signature that was made for its own."""
    header, _, signature = http.token("contoso").split(".")
    return ".".join((header, http.token("fabrikam").split(".")[1], signature))


def _person(http: Http, *roles: str) -> str:
    """A person's, through the client that contoso's policy lists."""
    return http.token("reviewer", claims={"azp": read(http.token("contoso"))["azp"], "roles": list(roles)})


UNAUTHENTICATED: dict[str, Caller] = {
    "none": lambda _: None,
    "not a token": lambda _: "nonsense",
    "expired": _expired,
    "not yet valid": _early,
    "issued in the future": _of_the_future,
    "without an end": _with(exp=None),
    "wrong audience": _with(aud="11e7be00-0000-4000-8000-00000000dead"),
    "several audiences": lambda http: http.token("contoso", claims={"aud": [read(http.token("contoso"))["aud"], "other"]}),
    "wrong issuer": _with(iss="https://login.example.com/11e7be00-0000-4000-8000-000000000001/v2.0"),
    "version 1": _of_version_1,
    "version 1 from the right issuer": _of_version_1_from_our_issuer,
    "foreign directory with a known client": _of_a_foreign_directory,
    "foreign directory under the right issuer": _with(tid=FOREIGN_DIRECTORY),
    "delegated": _with(scp="Lethe.Submit"),
    "delegated by its subject": _with(sub="a-user"),
    "person in a tenant's roles": lambda http: _person(http, "Lethe.Submit", "Lethe.Privacy"),
    "alg none": _with(alg="none"),
    "HS256 with the public key": _with(alg="HS256"),
    "unknown kid": _of_an_unknown_key,
    "forged": _forged,
    "with its own key": _bringing_its_key,
    "changed afterwards": _changed_afterwards,
}
"""Callers whose credentials are no good: 401 everywhere, and nothing says why."""

FORBIDDEN: dict[str, Caller] = {
    "no role": _with(roles=None),
    "no role of Lethe": _with(roles=["lethe.submit", "Lethe.Admin"]),
    "unlisted client": _with(azp=STRANGER),
    "operator": lambda http: http.token("operator"),
    "reviewer": lambda http: http.token("reviewer"),
    "person in every role": lambda http: _person(http, "Lethe.Submit", "Lethe.Privacy", "Lethe.Operator", "Lethe.Reviewer"),
}
"""Callers who are known and may do nothing here: 403."""


def read(token: str) -> dict[str, Any]:
    """Claims of a token, unverified."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def _now(http: Http) -> int:
    """The stack's time."""
    issued: int = read(http.token("contoso"))["iat"]
    return issued
