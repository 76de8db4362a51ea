"""Which bearer tokens count, as one table; every row differs from a good token in one thing."""

import base64
import hashlib
import hmac
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from shared.domain.principal import Principal, Role
from shared.errors import Denial, Forbidden, LetheError, Unauthenticated
from shared.identity import LEEWAY_SECONDS, Verifier
from tests.tokens import AUDIENCE, CLIENT, DIRECTORY, NOW, OTHER_AUDIENCE, Clock, JwksServer, jwks_server, new_key

KEY, STRANGER, FORMER = new_key("current"), new_key("stranger"), new_key("former")
FOREIGN = "99999999-0000-4000-8000-000000000009"
CANARY = "canary-7f3a91d2"


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[JwksServer]:
    async with jwks_server() as running:
        running.publish(KEY.jwk())
        yield running


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def verifier(server: JwksServer, clock: Clock) -> Verifier:
    return server.verifier(clock)


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(server: JwksServer, alg: str) -> str:
    return f"{segment({'alg': alg, 'kid': KEY.kid})}.{segment(server.claims())}."


def signed_with_the_public_key(server: JwksServer) -> str:
    public = KEY.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = f"{segment({'alg': 'HS256', 'kid': KEY.kid})}.{segment(server.claims())}"
    mac = hmac.digest(public, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def signed_by_hand(server: JwksServer, **header: object) -> str:
    text = f"{segment({'alg': 'RS256', 'kid': KEY.kid, **header})}.{segment(server.claims())}"
    signature = KEY.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"Bearer {text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def signed_by_curve(server: JwksServer) -> str:
    return jwt.encode(server.claims(), ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": KEY.kid})


def claim(**changes: object) -> Callable[[JwksServer], str]:
    return lambda server: "Bearer " + server.token(KEY, **changes)


PERSON: dict[str, object] = {
    "oid": "a-person", "sub": "pairwise", "scp": "Review", "idtyp": "user", "roles": ["Lethe.Reviewer"],
}  # fmt: skip


def person(**changes: object) -> Callable[[JwksServer], str]:
    return claim(**{**PERSON, **changes})


def header(**members: object) -> Callable[[JwksServer], str]:
    return lambda server: "Bearer " + server.token(KEY, header=members)


def tampered(server: JwksServer) -> str:
    head, _, signature = server.token(KEY).split(".")
    return f"Bearer {head}.{segment(server.claims(roles=['Lethe.Operator']))}.{signature}"


REFUSED: list[tuple[str, Callable[[JwksServer], str | None], Denial]] = [
    ("no header", lambda _: None, Denial.CREDENTIALS_MISSING),
    ("an empty header", lambda _: "", Denial.CREDENTIALS_MISSING),
    ("another scheme", lambda _: "Basic dXNlcjpwYXNz", Denial.CREDENTIALS_MALFORMED),
    ("a scheme alone", lambda _: "Bearer ", Denial.CREDENTIALS_MALFORMED),
    ("no scheme", lambda s: s.token(KEY), Denial.CREDENTIALS_MALFORMED),
    ("two tokens", lambda s: f"Bearer {s.token(KEY)}, Bearer {s.token(KEY)}", Denial.CREDENTIALS_MALFORMED),
    ("a line behind", lambda s: f"Bearer {s.token(KEY)}\n", Denial.CREDENTIALS_MALFORMED),
    ("no token", lambda _: "Bearer nonsense", Denial.CREDENTIALS_MALFORMED),
    ("three dots of nonsense", lambda _: "Bearer a.b.c", Denial.CREDENTIALS_MALFORMED),
    ("a payload that is no object", lambda s: f"Bearer {s.token(KEY).split('.')[0]}.{segment([1])}.AAAA",
     Denial.CREDENTIALS_MALFORMED),
    ("100 kB", claim(padding="x" * 100_000), Denial.CREDENTIALS_MALFORMED),
    ("100 kB of header", header(padding="x" * 100_000), Denial.CREDENTIALS_MALFORMED),
    ("alg none", lambda s: f"Bearer {unsigned(s, 'none')}AAAA", Denial.ALGORITHM),
    ("alg none, no signature", lambda s: f"Bearer {unsigned(s, 'none')}", Denial.CREDENTIALS_MALFORMED),
    ("HS256 with the public key", lambda s: f"Bearer {signed_with_the_public_key(s)}", Denial.ALGORITHM),
    ("ES256", lambda s: f"Bearer {signed_by_curve(s)}", Denial.ALGORITHM),
    ("RS512", lambda s: "Bearer " + jwt.encode(s.claims(), KEY.private, "RS512", headers={"kid": KEY.kid}), Denial.ALGORITHM),
    ("a critical extension", header(crit=["exp"], exp=1), Denial.CREDENTIALS_MALFORMED),
    ("a critical extension that PyJWT knows", lambda s: signed_by_hand(s, crit=["b64"], b64=True),
     Denial.CREDENTIALS_MALFORMED),
    ("no kid", lambda s: "Bearer " + jwt.encode(s.claims(), KEY.private, "RS256"), Denial.KEY),
    ("a kid that is no text", lambda s: f"Bearer {segment({'alg': 'RS256', 'kid': 1})}.{segment(s.claims())}.AAAA",
     Denial.CREDENTIALS_MALFORMED),
    ("an unknown kid", lambda s: "Bearer " + s.token(STRANGER), Denial.KEY),
    ("the kid of a key that was retired", lambda s: "Bearer " + s.token(FORMER), Denial.KEY),
    ("a stranger's key under a known kid", lambda s: "Bearer " + s.token(STRANGER, header={"kid": KEY.kid}), Denial.SIGNATURE),
    ("changed claims", tampered, Denial.SIGNATURE),
    ("another issuer", claim(iss="https://login.microsoftonline.com/common/v2.0"), Denial.ISSUER),
    ("an issuer of version 1", claim(iss=f"https://sts.windows.net/{DIRECTORY}/"), Denial.ISSUER),
    ("an issuer that is no text", claim(iss=1), Denial.ISSUER),
    ("no issuer", claim(iss=None), Denial.ISSUER),
    ("another audience", claim(aud="https://graph.microsoft.com"), Denial.AUDIENCE),
    ("a list of audiences", claim(aud=[AUDIENCE, "another"]), Denial.AUDIENCE),
    ("no audience", claim(aud=None), Denial.AUDIENCE),
    ("version 1", claim(ver="1.0", azp=None, appid=CLIENT), Denial.VERSION),
    ("no version", claim(ver=None), Denial.VERSION),
    ("a foreign directory with a known client", claim(tid=FOREIGN), Denial.DIRECTORY),
    ("no directory", claim(tid=None), Denial.DIRECTORY),
    ("expired", claim(exp=int(NOW - LEEWAY_SECONDS) - 1), Denial.EXPIRED),
    ("not yet valid", claim(nbf=int(NOW + LEEWAY_SECONDS) + 2), Denial.NOT_YET_VALID),
    ("issued in the future", claim(iat=int(NOW + LEEWAY_SECONDS) + 2), Denial.NOT_YET_VALID),
    ("no exp", claim(exp=None), Denial.CLAIMS),
    ("no nbf", claim(nbf=None), Denial.CLAIMS),
    ("no iat", claim(iat=None), Denial.CLAIMS),
    ("a time as a boolean", claim(nbf=True), Denial.CLAIMS),
    ("exp beyond all time", claim(exp=10**400), Denial.CLAIMS),
    ("no azp, and appid instead", claim(azp=None, appid=CLIENT), Denial.CLAIMS),
    ("an endless azp", claim(azp="x" * 100), Denial.CLAIMS),
    ("a user's delegated token", claim(scp="Lethe.Submit"), Denial.DELEGATED),
    ("an empty scope", claim(scp=""), Denial.DELEGATED),
    ("a user's token without a scope", claim(sub="pairwise"), Denial.DELEGATED),
    ("a token that says it is a user's", claim(idtyp="user"), Denial.DELEGATED),
    ("roles that are no list", claim(roles="Lethe.Submit"), Denial.CLAIMS),
    ("a person who is an operator", person(roles=["Lethe.Operator"]), Denial.DELEGATED),
    ("a person in a tenant's roles", person(roles=["Lethe.Submit", "Lethe.Privacy"]), Denial.DELEGATED),
    ("a person without a role", person(roles=None), Denial.DELEGATED),
    ("a person in another application's role", person(roles=["Reviewer"]), Denial.DELEGATED),
    ("a person without a scope", person(scp=None), Denial.DELEGATED),
    ("a person with an empty scope", person(scp=""), Denial.DELEGATED),
    ("a person in another scope", person(scp="user_impersonation"), Denial.DELEGATED),
    ("a person in a scope that only begins so", person(scp="Review.Read"), Denial.DELEGATED),
    ("a person in a scope of another case", person(scp="review"), Denial.DELEGATED),
    ("a person with a list of scopes", person(scp=["Review"]), Denial.DELEGATED),
    ("a person's scope in an application's token", person(idtyp="app"), Denial.DELEGATED),
    ("a person's scope in a device's token", person(idtyp="device"), Denial.DELEGATED),
    ("a person's scope where the application is the subject", person(sub="a-person"), Denial.DELEGATED),
    ("a person without a subject", person(sub=None), Denial.DELEGATED),
    ("a person without an object id", person(oid=None), Denial.CLAIMS),
    ("a person with an empty object id", person(oid=""), Denial.CLAIMS),
    ("a person whose object id is no text", person(oid=7), Denial.CLAIMS),
    ("a person with an endless object id", person(oid="x" * 100), Denial.CLAIMS),
    ("a person without a client", person(azp=None), Denial.CLAIMS),
    ("a person whose roles are no list", person(roles="Lethe.Reviewer"), Denial.CLAIMS),
]  # fmt: skip


@pytest.mark.parametrize(("make", "denial"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_a_caller_is_not_known_by(
    server: JwksServer, verifier: Verifier, make: Callable[[JwksServer], str | None], denial: Denial
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(make(server))

    assert refused.value.denial is denial
    assert str(refused.value) == "A valid bearer token is required."


@pytest.mark.parametrize("roles", [None, [], ["Other.Role", 7, None, {"Lethe.Submit": 1}], ["lethe.submit"]])
async def test_a_token_without_a_role_of_lethe_is_forbidden(server: JwksServer, verifier: Verifier, roles: object) -> None:
    with pytest.raises(Forbidden) as refused:
        await verifier.verify("Bearer " + server.token(KEY, roles=roles))

    assert refused.value.denial is Denial.ROLE


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer  "])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": OTHER_AUDIENCE},
        {"exp": int(NOW - LEEWAY_SECONDS) + 2},
        {"nbf": int(NOW + LEEWAY_SECONDS) - 2},
        {"iat": NOW + LEEWAY_SECONDS - 2.5},
        {"appid": "someone-else", "idtyp": "app"},
        {"header": {"typ": "at+jwt", "x5t": "anything"}},
    ],
)
async def test_a_caller_is_known_by(server: JwksServer, verifier: Verifier, scheme: str, changes: dict[str, object]) -> None:
    token = server.token(KEY, **changes)

    assert await verifier.verify(scheme + token) == Principal(
        directory=DIRECTORY, client_id=CLIENT, roles=frozenset({Role.SUBMIT})
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"idtyp": None},
        {"scp": "openid Review profile"},
        {"roles": ["Lethe.Submit", "Lethe.Privacy", "Lethe.Operator", "Lethe.Reviewer"]},
    ],
    ids=str,
)
async def test_a_person_is_known_through_a_client_and_reviews_only(
    server: JwksServer, verifier: Verifier, changes: dict[str, object]
) -> None:
    assert await verifier.verify(person(**changes)(server)) == Principal(
        directory=DIRECTORY, client_id=CLIENT, roles=frozenset({Role.REVIEWER}), person_id="a-person"
    )


async def test_an_application_in_the_reviewers_role_is_no_person(server: JwksServer, verifier: Verifier) -> None:
    reviewer = await verifier.verify(claim(roles=["Lethe.Reviewer"])(server))

    assert reviewer.roles == {Role.REVIEWER}
    assert reviewer.person_id is None


async def test_a_caller_is_known_by_a_token_signed_without_pyjwt(server: JwksServer, verifier: Verifier) -> None:
    assert await verifier.verify(signed_by_hand(server))


async def test_roles_of_others_are_left_out(server: JwksServer, verifier: Verifier) -> None:
    token = server.token(KEY, roles=["Lethe.Operator", "Other.Role", "Lethe.Reviewer"])

    assert (await verifier.verify(f"Bearer {token}")).roles == {Role.OPERATOR, Role.REVIEWER}


async def test_no_address_or_key_that_a_token_brings_is_followed(server: JwksServer, verifier: Verifier) -> None:
    elsewhere = f"http://127.0.0.1:{server.port}/attacker"
    brought: dict[str, object] = {"jku": elsewhere, "x5u": elsewhere, "jwk": STRANGER.jwk(kid=KEY.kid)}

    for kid, denial in ((STRANGER.kid, Denial.KEY), (KEY.kid, Denial.SIGNATURE)):
        with pytest.raises(Unauthenticated) as refused:
            await verifier.verify("Bearer " + server.token(STRANGER, header={**brought, "kid": kid}))
        assert refused.value.denial is denial
    assert server.others == 0


async def test_where_strangers_are_taken_they_are_known_and_have_no_role(server: JwksServer) -> None:
    verifier = server.verifier(Clock(), takes_strangers=True)
    for header_of, person_id in (
        (claim(roles=None), None),
        (claim(roles=["Admin"]), None),
        (person(roles=None), "a-person"),
        (person(roles=["Lethe.Submit", "Lethe.Operator"]), "a-person"),
    ):
        principal = await verifier.verify(header_of(server))
        assert (principal.roles, principal.person_id) == (frozenset(), person_id)
    for header_of in (person(scp="Other"), person(scp=None), claim(exp=1), claim(aud="another")):
        with pytest.raises(Unauthenticated):
            await verifier.verify(header_of(server))


async def test_time_is_that_of_the_apps_clock(server: JwksServer) -> None:
    clock = Clock()
    verifier = server.verifier(clock)
    clock.now += 30 * 86_400

    with pytest.raises(Unauthenticated):
        await verifier.verify("Bearer " + server.token(KEY))
    assert await verifier.verify("Bearer " + server.token(KEY, exp=int(clock.now) + 60, nbf=int(clock.now)))


async def test_nothing_of_a_token_is_in_an_error_or_a_log_line(
    server: JwksServer, verifier: Verifier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret: dict[str, object] = dict.fromkeys(("aud", "iss", "tid", "azp", "exp", "ver", "roles", "scp"), CANARY)
    headers = ["Bearer " + server.token(KEY, **{name: value}) for name, value in secret.items()]
    persons: list[dict[str, object]] = [{"scp": CANARY, "oid": CANARY}, {"oid": CANARY * 9}, {"sub": CANARY, "idtyp": CANARY}]
    headers += [person(**changes)(server) for changes in persons]
    headers += [f"Bearer {server.token(KEY, header={'kid': CANARY})}", f"Bearer {CANARY}.{CANARY}.{CANARY}", f"Basic {CANARY}"]
    headers += ["Bearer " + server.token(KEY, header={name: CANARY}) for name in ("jku", "crit")]
    texts = []
    for header_value in headers:
        try:
            await verifier.verify(header_value)
        except LetheError as error:
            texts += ["".join(traceback.format_exception(error)), repr(error), repr(vars(error))]

    assert len(texts) >= 3 * 10
    for text in [*texts, caplog.text]:
        assert CANARY not in text
        assert not any(part in text for value in headers for part in value.removeprefix("Bearer ").split(".") if len(part) > 8)
