"""The local vault as the official client meets it: keys, what they do, how they end."""

import hashlib
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.keyvault.keys import KeyOperation, KeyVaultKey
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.keys.crypto import KeyWrapAlgorithm, SignatureAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local import clock
from local.vault.material import encode
from tests.contract.vault import REVIEW_APP, Running, fresh_vault

DAY = 86_400
DIGEST = hashlib.sha256(b"a head").digest()
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with fresh_vault(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
async def app(vault: Running) -> AsyncIterator[KeyClient]:
    async with vault.client() as client:
        yield client


async def day_key(app: KeyClient, name: str) -> KeyVaultKey:
    operations: list[str | KeyOperation] = [KeyOperation.wrap_key, KeyOperation.unwrap_key]
    return await app.create_rsa_key(name, size=2048, key_operations=operations)


async def test_the_client_finds_out_by_the_challenge_for_what_it_needs_a_token(vault: Running) -> None:
    async with vault.client() as client:
        assert (await client.get_key("lethe-evidence")).name == "lethe-evidence"


async def test_the_seeded_key_signs_and_its_public_half_verifies(app: KeyClient) -> None:
    key = await app.get_key("lethe-evidence")
    assert (key.key_type, key.key.crv, key.key_operations) == ("EC", "P-256", ["sign", "verify"])  # type: ignore[attr-defined]
    signer = app.get_cryptography_client("lethe-evidence")
    signed = await signer.sign(SignatureAlgorithm.es256, DIGEST)
    assert signed.key_id == key.id
    assert len(signed.signature) == 64
    assert (await signer.verify(SignatureAlgorithm.es256, DIGEST, signed.signature)).is_valid  # by the client itself
    assert not (await signer.verify(SignatureAlgorithm.es256, DIGEST[::-1], signed.signature)).is_valid


async def test_the_vault_verifies_too(app: KeyClient) -> None:
    signer = app.get_cryptography_client("lethe-evidence")
    signed = await signer.sign(SignatureAlgorithm.es256, DIGEST)
    for digest, valid in ((DIGEST, True), (DIGEST[::-1], False)):
        parameters = {"alg": "ES256", "digest": encode(digest), "value": encode(signed.signature)}
        answer = await app.send_request(_post("keys/lethe-evidence//verify", parameters))
        assert answer.json() == {"value": valid}


async def test_private_halves_are_in_no_answer_and_in_a_file_of_their_owners_only(vault: Running, app: KeyClient) -> None:
    key = await day_key(app, "lethe-abuse-private")
    for each in (key, await app.get_key("lethe-abuse-private"), await app.get_key("lethe-evidence")):
        assert not {name for name in ("d", "p", "q", "dp", "dq", "qi", "k", "t") if getattr(each.key, name) is not None}
    assert stat.S_IMODE((vault.state / "vault.json").stat().st_mode) == 0o600


async def test_what_is_wrapped_by_the_public_half_is_unwrapped_in_the_vault(vault: Running, app: KeyClient) -> None:
    key = await day_key(app, "lethe-abuse-2026-11-01")
    numbers = rsa.RSAPublicNumbers(int.from_bytes(key.key.e), int.from_bytes(key.key.n))  # type: ignore[attr-defined]
    by_hand = numbers.public_key().encrypt(b"k" * 32, OAEP)
    by_client = await app.get_cryptography_client("lethe-abuse-2026-11-01").wrap_key(KeyWrapAlgorithm.rsa_oaep_256, b"k" * 32)
    async with vault.client(REVIEW_APP) as review_app:
        unwrapping = review_app.get_cryptography_client("lethe-abuse-2026-11-01")
        for wrapped in (by_hand, by_client.encrypted_key):
            assert (await unwrapping.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped)).key == b"k" * 32
        with pytest.raises(HttpResponseError, match="does not fit"):
            await unwrapping.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, by_hand[::-1])


async def test_an_older_version_stays_and_the_newest_is_meant_without_one(app: KeyClient) -> None:
    old, new = [await day_key(app, "lethe-abuse-versions") for _ in range(2)]
    assert (await app.get_key("lethe-abuse-versions")).id == new.id
    assert (await app.get_key("lethe-abuse-versions", old.properties.version)).id == old.id
    versions = [each.id async for each in app.list_properties_of_key_versions("lethe-abuse-versions")]
    assert versions == [old.id, new.id]
    with pytest.raises(ResourceNotFoundError):
        await app.get_key("lethe-abuse-versions", "0" * 32)


async def test_a_deleted_key_does_nothing_and_holds_its_name_until_it_is_destroyed(app: KeyClient) -> None:
    await day_key(app, "lethe-abuse-deleted")
    deleted = await app.delete_key("lethe-abuse-deleted")
    assert deleted.scheduled_purge_date is not None
    assert deleted.deleted_date is not None
    assert deleted.scheduled_purge_date - deleted.deleted_date == timedelta(days=7)
    with pytest.raises(ResourceNotFoundError):
        await app.get_key("lethe-abuse-deleted")
    with pytest.raises(ResourceExistsError, match="deleted but recoverable"):
        await day_key(app, "lethe-abuse-deleted")
    assert "lethe-abuse-deleted" in [each.name async for each in app.list_deleted_keys()]
    assert "lethe-abuse-deleted" not in [each.name async for each in app.list_properties_of_keys()]

    assert (await app.get_deleted_key("lethe-abuse-deleted")).id == deleted.id
    clock.advance(7 * DAY)
    with pytest.raises(ResourceNotFoundError):
        await app.get_deleted_key("lethe-abuse-deleted")
    await day_key(app, "lethe-abuse-deleted")


async def test_a_deleted_key_is_destroyed_after_the_recovery_days(vault: Running, app: KeyClient) -> None:
    key = await day_key(app, "lethe-abuse-old")
    await app.delete_key("lethe-abuse-old")
    clock.advance(7 * DAY - 60)
    assert (await app.get_deleted_key("lethe-abuse-old")).id == key.id
    assert _mentions(vault, "lethe-abuse-old")
    clock.advance(120)
    with pytest.raises(ResourceNotFoundError):
        await app.get_deleted_key("lethe-abuse-old")
    assert not _mentions(vault, "lethe-abuse-old")


async def test_keys_survive_a_crash(vault: Running, app: KeyClient) -> None:
    before = [(await app.get_key("lethe-evidence")).id, (await day_key(app, "lethe-abuse-crash")).id]
    signed = await app.get_cryptography_client("lethe-evidence").sign(SignatureAlgorithm.es256, DIGEST)
    vault.crash_and_restart()
    async with vault.client() as again:
        after = [(await again.get_key(name)).id for name in ("lethe-evidence", "lethe-abuse-crash")]
        verifying = again.get_cryptography_client("lethe-evidence")
        assert (await verifying.verify(SignatureAlgorithm.es256, DIGEST, signed.signature)).is_valid
    assert after == before


@pytest.mark.parametrize(
    "wanted",
    [
        {"kty": "oct"},
        {"kty": "EC", "crv": "P-521"},
        {"kty": "RSA", "key_size": 1024},
        {"kty": "RSA", "key_ops": ["sign"]},
        {"kty": "EC", "key_ops": ["unwrapKey"]},
        {"kty": "RSA", "attributes": {"exportable": True}},
        {"kty": "RSA", "release_policy": {"data": "e30"}},
        {},
    ],
)
async def test_what_this_vault_does_not_make_is_refused(app: KeyClient, wanted: dict[str, object]) -> None:
    answer = await app.send_request(_post("keys/lethe-abuse-refused/create", wanted))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadParameter")


async def test_another_algorithm_and_a_digest_of_another_length_are_refused(app: KeyClient) -> None:
    for parameters in ({"alg": "ES384", "value": "AAAA"}, {"alg": "ES256", "value": "AAAA"}, {"alg": "ES256", "value": "%"}):
        answer = await app.send_request(_post("keys/lethe-evidence//sign", parameters))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadParameter")


def _post(path: str, body: object) -> HttpRequest:
    return HttpRequest("POST", f"/{path}", json=body)


def _mentions(vault: Running, name: str) -> bool:
    return name in (vault.state / "vault.json").read_text()
