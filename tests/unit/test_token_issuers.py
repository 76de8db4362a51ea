"""Which settings of authentication stop the start."""

import json

import pytest

from shared import settings, token_issuers
from shared.errors import InvalidSettings
from tests.unit.environments import AZURE, LOCAL

TID = "11e7be00-0000-4000-8000-000000000001"
ENTRA = f"https://login.microsoftonline.com/{TID}"
GOOD = {f"{ENTRA}/v2.0": f"{ENTRA}/discovery/v2.0/keys"}
ENVIRONMENT = {
    **AZURE,
    token_issuers.ISSUERS: json.dumps(GOOD),
    token_issuers.AUDIENCES: json.dumps([TID]),
}


@pytest.mark.parametrize("host", sorted(token_issuers.LOGIN_HOSTS))
def test_entra_id_of_every_cloud_is_taken_in_production(host: str) -> None:
    base = f"https://{host}/{TID}"
    found = token_issuers.issuers(json.dumps({f"{base}/v2.0": f"{base}/discovery/v2.0/keys?appid={TID}"}))

    token_issuers.guard_production(found)
    assert found == {f"{base}/v2.0": f"{base}/discovery/v2.0/keys?appid={TID}"}


@pytest.mark.parametrize("name", ["common", "organizations", "consumers", "Common", "9188040d-6c67-4c5b-b112-36a304b66dad"])
@pytest.mark.parametrize("at", ["issuer", "jwks"])
def test_what_stands_for_many_directories_is_refused(name: str, at: str) -> None:
    issuer, jwks = next(iter(GOOD.items()))
    value = {issuer.replace(TID, name): jwks} if at == "issuer" else {issuer: jwks.replace(TID, name)}

    with pytest.raises(InvalidSettings, match="common, organizations and consumers are refused"):
        token_issuers.issuers(json.dumps(value))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "not json",
        "[" * 100_000,
        "[]",
        "{}",
        json.dumps(list(GOOD)),
        json.dumps({next(iter(GOOD)): None}),
        json.dumps({f"https://sts.windows.net/{TID}/": f"{ENTRA}/discovery/keys"}),
        json.dumps({f"{ENTRA}/v2.0/": f"{ENTRA}/discovery/v2.0/keys"}),
        json.dumps({f"{ENTRA}/v2.0?x=1": f"{ENTRA}/discovery/v2.0/keys"}),
        json.dumps({f"{ENTRA}/v2.0#x": f"{ENTRA}/discovery/v2.0/keys"}),
        json.dumps({"https://login.microsoftonline.com/contoso.com/v2.0": f"{ENTRA}/discovery/v2.0/keys"}),
        json.dumps({f"{ENTRA}/v2.0": f"{ENTRA.replace('000001', '000002')}/discovery/v2.0/keys"}),
        json.dumps({f"{ENTRA}/v2.0": f"https://elsewhere.example/{TID}/discovery/v2.0/keys"}),
        json.dumps({f"{ENTRA}/v2.0": f"file:///{TID}/keys"}),
        json.dumps({f"{ENTRA}/v2.0": f"https://a@login.microsoftonline.com/{TID}/keys"}),
        json.dumps({f"{ENTRA}/v2.0": f"https://[login/{TID}/keys"}),
    ],
)
def test_issuers_of_another_form_are_refused(value: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^setting LETHE_TOKEN_ISSUERS: must "):
        token_issuers.issuers(value)


@pytest.mark.parametrize("base", [f"http://127.0.0.1:8083/{TID}", f"https://localhost/{TID}", f"https://issuer.example/{TID}",
                                  f"http://login.microsoftonline.com/{TID}", f"https://login.microsoftonline.com.evil.example/{TID}",
                                  f"https://login.microsoftonline.com:8443/{TID}"])  # fmt: skip
def test_every_other_issuer_is_for_development_only(base: str) -> None:
    found = token_issuers.issuers(json.dumps({f"{base}/v2.0": f"{base}/discovery/v2.0/keys"}))

    with pytest.raises(InvalidSettings, match="must be https and of a login host of Entra ID in Azure"):
        token_issuers.guard_production({**GOOD, **found})


@pytest.mark.parametrize("name", [token_issuers.ISSUERS, token_issuers.AUDIENCES])
def test_the_app_does_not_start_without(name: str) -> None:
    with pytest.raises(InvalidSettings, match=f"^setting {name}: is required"):
        settings.load({setting: value for setting, value in ENVIRONMENT.items() if setting != name})


def test_the_app_does_not_start_in_azure_on_a_foreign_issuer() -> None:
    base = f"https://issuer.example/{TID}"
    foreign = {token_issuers.ISSUERS: json.dumps({f"{base}/v2.0": f"{base}/discovery/v2.0/keys"})}

    assert settings.load(ENVIRONMENT).token_issuers == GOOD
    assert settings.load(LOCAL | foreign).token_issuers != GOOD
    with pytest.raises(InvalidSettings, match=r"^setting LETHE_TOKEN_ISSUERS: must be https and of a login host"):
        settings.load(ENVIRONMENT | foreign)


def test_audiences_are_a_list_of_texts() -> None:
    assert token_issuers.audiences('["one", "api://two"]') == {"one", "api://two"}
    for wrong in ("", "one", "{}", "[]", '[""]', "[1]", '"one"'):
        with pytest.raises(InvalidSettings, match=r"^setting LETHE_TOKEN_AUDIENCES: must be a JSON list"):
            token_issuers.audiences(wrong)
