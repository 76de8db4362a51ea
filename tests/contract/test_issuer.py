"""The local issuer as those who check tokens, and azure-identity, meet it."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from azure.identity.aio import ManagedIdentityCredential

from local.issuer import principals
from tests.parts import Part, running, start

DIRECTORY = principals.read()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("issuer")


@pytest.fixture(scope="module")
def origin(state: Path) -> Iterator[str]:
    with running("issuer", state) as part:
        yield _origin(part)


def _origin(part: Part) -> str:
    return f"http://127.0.0.1:{part.port}"


def issue(origin: str, **wanted: object) -> str:
    answer = httpx2.post(f"{origin}/_control/tokens", json=wanted)
    answer.raise_for_status()
    return str(answer.json()["token"])


def rotate(origin: str, **how: object) -> Any:  # noqa: ANN401
    return httpx2.post(f"{origin}/_control/rotate", json=how).json()


def validate(origin: str, token: str) -> Any:  # noqa: ANN401
    """Check a token the way a careful resource does, from what the issuer publishes."""
    directory = f"{origin}/{DIRECTORY.tid}"
    metadata = httpx2.get(f"{directory}/v2.0/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(httpx2.get(metadata["jwks_uri"]).json())
    kid = jwt.get_unverified_header(token)["kid"]
    key = next((key for key in keys.keys if key.key_id == kid), None)
    if key is None:
        raise jwt.InvalidKeyError("unknown kid")
    return jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience=DIRECTORY.audience,
        issuer=metadata["issuer"],
        options={"require": ["exp", "nbf", "iat", "tid"]},
    )


@pytest.mark.parametrize("name", sorted(DIRECTORY.principals.keys() - {"reviewer"}))
def test_a_principals_token_is_an_app_only_token_of_version_2(origin: str, name: str) -> None:
    principal = DIRECTORY.principals[name]

    claims = validate(origin, issue(origin, principal=name))

    assert claims["iss"] == f"{origin}/{DIRECTORY.tid}/v2.0"
    assert (claims["tid"], claims["ver"], claims["azp"]) == (DIRECTORY.tid, "2.0", principal.client_id)
    assert claims["oid"] == claims["sub"] == principal.object_id
    assert claims["roles"] == list(principal.roles)
    assert "scp" not in claims
    assert claims["exp"] - claims["iat"] == 24 * 3600


def test_the_reviewers_token_is_a_persons_delegated_one(origin: str) -> None:
    reviewer = DIRECTORY.principals["reviewer"]

    claims = validate(origin, issue(origin, principal="reviewer"))

    assert (claims["scp"], claims["idtyp"], claims["roles"]) == ("Review", "user", ["Lethe.Reviewer"])
    assert (claims["azp"], claims["oid"], claims["sub"]) == (reviewer.client_id, reviewer.object_id, reviewer.subject)
    assert len({claims["azp"], claims["oid"], claims["sub"]}) == 3


def test_the_sample_principals_have_the_roles_of_their_work() -> None:
    roles = {name: principal.roles for name, principal in DIRECTORY.principals.items()}

    assert roles.pop("operator") == ("Lethe.Operator",)
    assert roles.pop("reviewer") == ("Lethe.Reviewer",)
    assert roles == dict.fromkeys(("contoso", "fabrikam", "adatum"), ("Lethe.Submit", "Lethe.Privacy"))


def test_claims_can_be_changed_and_removed(origin: str) -> None:
    token = issue(origin, principal="contoso", claims={"aud": "someone-else", "roles": None, "appid": "v1"})

    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["appid"]) == ("someone-else", "v1")
    assert "roles" not in claims


def test_claims_alone_make_a_token_without_roles(origin: str) -> None:
    claims = validate(origin, issue(origin, claims={"azp": "stranger"}))

    assert (claims["azp"], claims["roles"]) == ("stranger", [])


@pytest.mark.parametrize("alg", ["none", "HS256", "RS384", "PS256"])
def test_a_token_of_another_algorithm_is_made_and_does_not_pass(origin: str, alg: str) -> None:
    token = issue(origin, principal="contoso", alg=alg)

    assert jwt.get_unverified_header(token)["alg"] == alg
    with pytest.raises(jwt.InvalidTokenError):
        validate(origin, token)


def test_a_token_of_an_unknown_kid_is_made_and_does_not_pass(origin: str) -> None:
    token = issue(origin, principal="contoso", kid="no-such-key")

    assert jwt.get_unverified_header(token)["kid"] == "no-such-key"
    with pytest.raises(jwt.InvalidKeyError):
        validate(origin, token)


@pytest.mark.parametrize("wanted", [{}, {"principal": "nobody"}, {"principal": "contoso", "alg": "ES256"}])
def test_what_cannot_be_issued_is_refused(origin: str, wanted: dict[str, object]) -> None:
    assert httpx2.post(f"{origin}/_control/tokens", json=wanted).status_code == 400


def test_a_rotated_key_signs_and_the_old_one_stays_until_it_is_retired(origin: str) -> None:
    before = issue(origin, principal="contoso")

    rotated = rotate(origin)
    after = issue(origin, principal="contoso")

    assert jwt.get_unverified_header(after)["kid"] == rotated["kid"] != jwt.get_unverified_header(before)["kid"]
    assert validate(origin, before)["azp"] == validate(origin, after)["azp"]
    assert rotate(origin, retire=True)["published"] == [rotated["kid"]]
    assert validate(origin, after)
    with pytest.raises(jwt.InvalidKeyError):
        validate(origin, before)


def test_the_key_file_is_for_its_owner_only(origin: str, state: Path) -> None:
    assert issue(origin, principal="contoso")
    assert [oct(path.stat().st_mode & 0o777) for path in state.glob("issuer-keys*")] == ["0o600"]


def test_the_published_keys_have_no_private_half(origin: str) -> None:
    published = httpx2.get(f"{origin}/{DIRECTORY.tid}/discovery/v2.0/keys").json()["keys"]

    assert published
    assert all(set(key) == {"kty", "use", "alg", "kid", "n", "e"} for key in published)


def test_another_directory_is_unknown(origin: str) -> None:
    for path in ("discovery/v2.0/keys", "v2.0/.well-known/openid-configuration"):
        answer = httpx2.get(f"{origin}/common/{path}")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_tenant")


def test_keys_survive_a_crash(tmp_path: Path) -> None:
    first = start("issuer", tmp_path)
    kid = rotate(_origin(first))["kid"]
    first.kill()
    assert first.process.stdout is not None
    first.process.stdout.close()

    with running("issuer", tmp_path) as second:
        token = issue(_origin(second), principal="contoso")

        assert jwt.get_unverified_header(token)["kid"] == kid
        assert validate(_origin(second), token)


def test_tokens_count_by_the_clock_of_the_stack(tmp_path: Path) -> None:
    with running("issuer", tmp_path, LETHE_ISSUER_URL="https://issuer.example/v2.0") as part:
        (tmp_path / "clock-offset").write_text(str(30 * 86400))

        claims = jwt.decode(issue(_origin(part), principal="contoso"), options={"verify_signature": False})

        assert claims["iss"] == "https://issuer.example/v2.0"
        assert claims["iat"] == pytest.approx(time.time() + 30 * 86400, abs=30)


async def test_a_managed_identity_credential_gets_and_caches_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running("issuer", tmp_path) as part:
        (tmp_path / "clock-offset").write_text(str(30 * 86400))
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{_origin(part)}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "local")
        async with ManagedIdentityCredential() as credential:
            token = await credential.get_token("https://ai.azure.com/.default")
            again = await credential.get_token("https://ai.azure.com/.default")

    assert token.expires_on == pytest.approx(time.time() + 3600, abs=30), "azure-identity counts by the machine's clock"
    assert again.token == token.token
    payload = token.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["aud"] == "https://ai.azure.com"
    assert claims["azp"] == DIRECTORY.managed_identity.client_id


def test_each_app_has_its_own_secret_header_and_gets_its_own_identity(origin: str) -> None:
    for header, app in (("local", DIRECTORY.managed_identity), ("local-review", DIRECTORY.review_app)):
        query = f"resource=https://vault.azure.net&api-version=2019-08-01&client_id={app.client_id}"
        answer = httpx2.get(f"{origin}/msi/token?{query}", headers={"X-IDENTITY-HEADER": header}).json()
        claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
        assert (claims["aud"], claims["azp"], claims["oid"], claims["sub"]) == (
            "https://vault.azure.net", app.client_id, app.object_id, app.object_id,
        )  # fmt: skip
        assert answer["client_id"] == app.client_id
    assert len({identity.object_id for identity in DIRECTORY.identities.values()}) == len(DIRECTORY.identities)


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "resource=r&api-version=2019-08-01", 401),
        ({"X-IDENTITY-HEADER": "guess"}, "resource=r&api-version=2019-08-01", 401),
        ({"X-IDENTITY-HEADER": "-review"}, "resource=r&api-version=2019-08-01", 401),
        ({"X-IDENTITY-HEADER": "local-review-review"}, "resource=r&api-version=2019-08-01", 401),
        ({"X-IDENTITY-HEADER": "local"}, f"resource=r&api-version=2019-08-01&client_id={DIRECTORY.review_app.client_id}", 400),
        ({"X-IDENTITY-HEADER": "local"}, "resource=r&api-version=2017-09-01", 400),
        ({"X-IDENTITY-HEADER": "local"}, "api-version=2019-08-01", 400),
        ({"X-IDENTITY-HEADER": "local"}, "resource=r&api-version=2019-08-01&client_id=other", 400),
    ],
)
def test_the_managed_identity_endpoint_refuses(origin: str, headers: dict[str, str], query: str, status: int) -> None:
    assert httpx2.get(f"{origin}/msi/token?{query}", headers=headers).status_code == status
