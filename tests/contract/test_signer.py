"""The app's signer against the local vault: one code path for http on loopback and https in Azure."""

import time
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from cryptography.hazmat.primitives.asymmetric import ec

from local import parts
from shared.azure.credential import app_credential
from shared.azure.signer import VaultSigner
from shared.azure.vault import SCOPE
from shared.domain.evidence import Chain, Head
from shared.domain.evidence_head import Purpose, Signed, Statement
from shared.errors import KeysUnavailable
from tests.contract.loopback import Answer, serving
from tests.contract.vault import Identity, Running, running_vault

CANARY = "canary4f1c"
STATEMENT = Statement(purpose=Purpose.HEAD, chain=Chain.RETENTION, head=Head(sequence=7, hash="ab" * 32), at=1.5)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_vault(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.patience._PATIENCE", ContextVar("patience", default=0.0))


class Anybody(Identity):
    """A token for everybody who asks, without asking an issuer."""

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.scopes += scopes
        return AccessToken(f"{CANARY}-token", int(time.time()) + 3600)


async def test_a_statement_is_signed_by_a_version_whose_public_half_verifies_it(vault: Running) -> None:
    async with vault.signer() as signer:
        signature = await signer.sign(STATEMENT.digest())
        key = await signer.public_key(signature.kid)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert Signed(statement=STATEMENT, signature=signature).is_by(key)


async def test_the_managed_identity_of_the_stack_signs(vault: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{vault.issuer}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local")
    async with app_credential() as credential:
        signer = VaultSigner(f"{vault.origin}/keys/lethe-evidence", credential=credential)
        assert await signer.sign(STATEMENT.digest())
        await signer.close()


async def test_a_version_that_the_key_does_not_have_is_none(vault: Running) -> None:
    async with vault.signer() as signer:
        assert await signer.public_key("0" * 32) is None


@pytest.mark.usefixtures("impatient")
async def test_whoever_may_not_sign_learns_nothing_but_that(vault: Running) -> None:
    async with vault.signer("contoso") as signer:
        for attempt in (signer.sign(STATEMENT.digest()), signer.public_key("0" * 32)):
            with pytest.raises(KeysUnavailable):
                await attempt


async def test_a_short_outage_is_waited_out(vault: Running) -> None:
    async with vault.signer() as signer:
        before = await signer.sign(STATEMENT.digest())
        vault.crash_and_restart()
        assert (await signer.sign(STATEMENT.digest())).kid == before.kid


@pytest.mark.usefixtures("impatient")
async def test_a_vault_out_of_reach_is_unavailable() -> None:
    url = f"http://127.0.0.1:{parts.free_port()}/keys/lethe-evidence"
    signer = VaultSigner(url, credential=Anybody("", ""))
    for attempt in (signer.sign(STATEMENT.digest()), signer.public_key("0" * 32)):
        with pytest.raises(KeysUnavailable):
            await attempt
    await signer.close()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=403, body=f'{{"error": {{"code": "Forbidden", "message": "{CANARY}"}}}}'.encode()),
        Answer(status=500, body=CANARY.encode()),
        Answer(status=307, headers={"Location": "https://example.com/keys/lethe-evidence/"}),
        Answer(status=401, headers={"WWW-Authenticate": 'Bearer authorization="https://evil/x", resource="https://evil"'}),
        Answer(body=CANARY.encode(), headers={"Content-Type": "application/json"}),
        Answer(body=b"{}", headers={"Content-Type": "application/json"}),
        Answer(drops=True),
    ],
)
async def test_an_answer_that_is_no_signature_is_unavailable_and_not_quoted(answer: Answer) -> None:
    """Nor does anything that a vault answers change for what, or to whom, a token is given."""
    async with serving(lambda _: answer) as server:
        credential = Anybody("", "")
        signer = VaultSigner(f"{server.origin}/keys/lethe-evidence", credential=credential)
        for attempt in (signer.sign(STATEMENT.digest()), signer.public_key("0" * 32)):
            with pytest.raises(KeysUnavailable) as unavailable:
                await attempt
            assert CANARY not in "".join(traceback.format_exception(unavailable.value))
        await signer.close()
    assert set(credential.scopes) == {SCOPE}


def test_only_the_vault_reads_the_vaults_file() -> None:
    product = Path(__file__).parents[2]
    for folder in ("shared", "functions", "commands"):
        assert not [file for file in (product / folder).rglob("*.py") if "vault.json" in file.read_text()]
