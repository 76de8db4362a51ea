"""Who may do what in the local vault: the app signs and makes keys, only the review app unseals, no private key gets out."""

from collections.abc import AsyncIterator, Awaitable, Iterator

import httpx2
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.rest import HttpRequest
from azure.keyvault.keys import JsonWebKey, KeyReleasePolicy
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.keys.crypto import EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm

from local.issuer import principals
from tests.contract.vault import APP, AUDIENCE, REVIEW_APP, Running, running_vault

SEALING, EVIDENCE = "lethe-abuse-2026-11-02", "lethe-evidence"
WRAP, ES256 = KeyWrapAlgorithm.rsa_oaep_256, SignatureAlgorithm.es256


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_vault(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
async def app(vault: Running) -> AsyncIterator[KeyClient]:
    async with vault.client() as client:
        if SEALING not in [each.name async for each in client.list_properties_of_keys()]:
            await client.create_rsa_key(SEALING)
        yield client


@pytest.fixture
async def review_app(vault: Running) -> AsyncIterator[KeyClient]:
    async with vault.client(REVIEW_APP) as client:
        yield client


async def forbids(attempt: Awaitable[object]) -> bool:
    """Whether the vault refuses what is attempted, in Key Vault's words."""
    with pytest.raises(HttpResponseError) as refused:
        await attempt
    assert refused.value.error is not None
    return (refused.value.status_code, refused.value.error.code) == (403, "Forbidden")


def operation(name: str, key: str, **parameters: object) -> HttpRequest:
    """A request by hand: the client does by itself what a public half is enough for."""
    return HttpRequest("POST", f"/keys/{key}//{name}", json={"alg": "RSA-OAEP-256", "value": "AAAA", **parameters})


async def test_the_app_seals_and_cannot_unseal_which_the_review_app_can(app: KeyClient, review_app: KeyClient) -> None:
    sealed = (await app.get_cryptography_client(SEALING).wrap_key(WRAP, b"k" * 32)).encrypted_key
    assert await forbids(app.get_cryptography_client(SEALING).unwrap_key(WRAP, sealed))
    assert await forbids(app.get_cryptography_client(SEALING).decrypt(EncryptionAlgorithm.rsa_oaep_256, sealed))
    assert (await review_app.get_cryptography_client(SEALING).unwrap_key(WRAP, sealed)).key == b"k" * 32


async def test_the_app_takes_no_private_key_out(app: KeyClient) -> None:
    for name in (SEALING, EVIDENCE):
        assert await forbids(app.backup_key(name))
        assert await forbids(app.release_key(name, "attestation"))
    policy = KeyReleasePolicy(b"{}")
    with pytest.raises(HttpResponseError) as refused:
        await app.create_rsa_key("lethe-abuse-exportable", exportable=True, release_policy=policy, hardware_protected=True)
    assert refused.value.status_code == 400


async def test_the_app_brings_no_key_of_its_own_in(app: KeyClient) -> None:
    """A key whose private half the app knows would make every signature and every seal worth nothing."""
    for name in (SEALING, EVIDENCE):
        assert await forbids(app.import_key(name, JsonWebKey(kty="RSA", n=b"1", e=b"1", d=b"1")))
    assert await forbids(app.restore_key_backup(b"backup"))


async def test_the_app_only_signs_with_the_evidence_key(app: KeyClient) -> None:
    assert (await app.get_cryptography_client(EVIDENCE).sign(ES256, b"d" * 32)).signature
    for attempt in (
        app.create_ec_key(EVIDENCE),
        app.rotate_key(EVIDENCE),
        app.delete_key(EVIDENCE),
        app.purge_deleted_key(EVIDENCE),
        app.update_key_properties(EVIDENCE, enabled=False),
        app.create_rsa_key("another-name"),
    ):
        assert await forbids(attempt)


async def test_nobody_can_end_a_key_before_its_time_or_bring_one_back(app: KeyClient, review_app: KeyClient) -> None:
    await app.create_rsa_key("lethe-abuse-ended")
    await app.delete_key("lethe-abuse-ended")
    assert (await app.get_deleted_key("lethe-abuse-ended")).recovery_id
    for client in (app, review_app):
        assert await forbids(client.purge_deleted_key("lethe-abuse-ended"))
        assert (await client.send_request(HttpRequest("POST", "/deletedkeys/lethe-abuse-ended/recover"))).status_code == 403
    assert "lethe-abuse-ended" in [each.name async for each in app.list_deleted_keys()]


async def test_the_vault_wraps_for_nobody(app: KeyClient, review_app: KeyClient) -> None:
    for client in (app, review_app):
        assert (await client.send_request(operation("wrapkey", SEALING))).status_code == 403


async def test_a_key_does_only_what_it_was_made_for(app: KeyClient, review_app: KeyClient) -> None:
    await app.create_rsa_key("lethe-abuse-only-wraps", key_operations=["wrapKey"])
    answer = await review_app.send_request(operation("unwrapkey", "lethe-abuse-only-wraps"))
    assert (answer.status_code, answer.json()["error"]["innererror"]["code"]) == (403, "KeyOperationForbidden")


async def test_the_review_app_only_unseals_and_signs_evidence(app: KeyClient, review_app: KeyClient) -> None:
    assert app
    assert (await review_app.get_cryptography_client(EVIDENCE).sign(ES256, b"d" * 32)).signature
    for attempt in (
        review_app.create_rsa_key(SEALING),
        review_app.delete_key(SEALING),
        review_app.create_ec_key(EVIDENCE),
        review_app.delete_key(EVIDENCE),
        review_app.list_properties_of_keys().__anext__(),
        review_app.list_deleted_keys().__anext__(),
    ):
        assert await forbids(attempt)
    assert (await review_app.send_request(operation("verify", EVIDENCE, alg="ES256", digest="AAAA"))).status_code == 403


@pytest.mark.parametrize("principal", ["contoso", "operator", "reviewer"])
async def test_others_may_nothing(vault: Running, principal: str) -> None:
    async with vault.client(principal) as client:
        assert await forbids(client.get_key(EVIDENCE))
        assert await forbids(client.get_cryptography_client(SEALING).unwrap_key(WRAP, b"s" * 256))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": principals.read().audience},
        {"aud": "https://management.azure.com"},
        {"iss": "https://login.microsoftonline.com/other/v2.0"},
        {"exp": 1},
        {"nbf": 4_000_000_000},
        {"oid": None},
    ],
    ids=str,
)
async def test_a_token_for_something_else_or_of_another_time_is_none(vault: Running, claims: dict[str, object]) -> None:
    async with vault.client(APP, **claims) as client:
        with pytest.raises(ClientAuthenticationError):
            await client.get_key(EVIDENCE)


@pytest.mark.parametrize("how", [{"alg": "none"}, {"alg": "HS256"}])
async def test_a_token_that_the_issuer_did_not_sign_is_none(vault: Running, how: dict[str, object]) -> None:
    async with httpx2.AsyncClient() as client:
        wanted = {"principal": APP, "claims": {"aud": AUDIENCE}, **how}
        token = (await client.post(f"{vault.issuer}/_control/tokens", json=wanted)).json()["token"]
        for authorization in (f"Bearer {token}", "Bearer x", "Basic x", ""):
            headers = {"Authorization": authorization}
            answer = await client.get(f"{vault.origin}/keys/{EVIDENCE}?api-version=7.4", headers=headers)
            assert answer.status_code == 401
            assert 'resource="https://vault.azure.net"' in answer.headers["www-authenticate"]
