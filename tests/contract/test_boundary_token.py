"""Attacks on the token: the endpoint of the managed identity speaks plain http, so a proxy would read what it answers."""

import pytest
from azure.identity.aio import ManagedIdentityCredential

from shared.azure.credential import app_credential
from tests.contract.boundary import clear_environment
from tests.contract.loopback import Answer, Asked, serving

SCOPE = "https://ai.azure.com/.default"


def says(token: str) -> Answer:
    body = f'{{"access_token": "{token}", "expires_on": "9999999999", "resource": "r", "token_type": "Bearer"}}'
    return Answer(body=body.encode(), headers={"Content-Type": "application/json"})


def secret_of(asked: Asked) -> list[str]:
    return asked.header("x-identity-header")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
async def test_a_proxy_of_the_environment_reads_and_forges_the_tokens_of_the_official_credential_and_not_of_ours(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear_environment(monkeypatch)
    async with serving(lambda _: says("entra-token")) as endpoint, serving(lambda _: says("forged")) as proxy:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.origin}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "identity-secret")
        monkeypatch.setenv(variable, proxy.origin)
        async with ManagedIdentityCredential() as official:
            assert (await official.get_token(SCOPE)).token == "forged"
        assert [secret_of(asked) for asked in proxy.asked] == [["identity-secret"]]
        proxy.asked.clear()
        async with app_credential() as ours:
            assert (await ours.get_token(SCOPE)).token == "entra-token"
    assert [secret_of(asked) for asked in endpoint.asked] == [["identity-secret"]]
    assert proxy.asked == []
