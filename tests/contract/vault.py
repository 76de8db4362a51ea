"""A vault of one test module's own, with the issuer whose tokens it takes, and the official client for it."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AioHttpTransport
from azure.keyvault.keys.aio import KeyClient

from shared.azure.abuse_keys import AbuseKeys
from shared.azure.signer import VaultSigner
from shared.domain.drift import ExpectedVault
from tests.parts import Part, running, start

VAULT = "https://lethe.vault.azure.net"
AUDIENCE = "https://vault.azure.net"
APP = ""
"""The principal's name of the app's managed identity."""
REVIEW_APP = "review_app"


class ToLoopback(AioHttpTransport):  # type: ignore[misc]  # azure-core imports it lazily, untyped
    """Carries requests for the vault to the test's server: the client takes https addresses only."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401
        address = request.url
        assert address.startswith(VAULT)
        request.url = self._origin + address.removeprefix(VAULT)
        try:
            return await super().send(request, **options)
        finally:
            request.url = address


class Identity(AsyncTokenCredential):
    """A principal of the issuer, which gives it a token when one is asked for; remembers for what."""

    def __init__(self, issuer: str, principal: str, **claims: object) -> None:
        self._issuer = issuer
        self._principal = principal
        self._claims = {"aud": AUDIENCE} | claims
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # noqa: ANN401
        self.scopes += scopes
        async with httpx2.AsyncClient() as client:
            wanted = {"principal": self._principal, "claims": self._claims}
            answer = await client.post(f"{self._issuer}/_control/tokens", json=wanted)
        return AccessToken(answer.json()["token"], int(time.time()) + 3600)

    async def close(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


@dataclass(kw_only=True)
class Running:
    """A running vault and its issuer; ``state`` is the folder of both."""

    state: Path
    part: Part
    issuer_port: int

    @property
    def origin(self) -> str:
        """Where the vault listens."""
        return f"http://127.0.0.1:{self.part.port}"

    @property
    def issuer(self) -> str:
        """Where the issuer listens."""
        return f"http://127.0.0.1:{self.issuer_port}"

    def identity(self, principal: str = APP, **claims: object) -> Identity:
        """A principal, the app by default, with claims changed."""
        return Identity(self.issuer, principal, **claims)

    @asynccontextmanager
    async def client(self, principal: str = APP, **claims: object) -> AsyncIterator[KeyClient]:
        """The official client as it comes, challenge and all; only its wire leads to loopback."""
        identity = self.identity(principal, **claims)
        async with KeyClient(VAULT, identity, transport=ToLoopback(self.origin), retry_total=0) as client:
            yield client

    @asynccontextmanager
    async def signer(self, principal: str = APP, *, key: str = "lethe-evidence") -> AsyncIterator[VaultSigner]:
        """The app's own signer."""
        signer = VaultSigner(f"{self.origin}/keys/{key}", credential=self.identity(principal))
        yield signer
        await signer.close()

    @asynccontextmanager
    async def abuse_keys(self, principal: str = APP) -> AsyncIterator[AbuseKeys]:
        """The app's keys of abuse review, as a principal has them."""
        keys = AbuseKeys(self.origin, credential=self.identity(principal))
        yield keys
        await keys.close()

    @property
    def expected(self) -> ExpectedVault:
        """What the configuration check expects of this vault."""
        return ExpectedVault(name="abuse-vault", recovery_days=7)

    def crash_and_restart(self) -> None:
        """SIGKILL, and a new process on the same port and disk."""
        self.part.kill()
        self.close_output()
        port = str(self.part.port)
        self.part = start("vault", self.state, LETHE_ISSUER_PORT=str(self.issuer_port), LETHE_VAULT_PORT=port)

    def close_output(self) -> None:
        """Close what the part writes to."""
        if self.part.process.stdout is not None:
            self.part.process.stdout.close()


@contextmanager
def running_vault(state: Path, **environment: str) -> Iterator[Running]:
    """Run a vault beside an issuer."""
    with running("issuer", state) as issuer:
        part = start("vault", state, LETHE_ISSUER_PORT=str(issuer.port), **environment)
        vault = Running(state=state, part=part, issuer_port=issuer.port)
        try:
            yield vault
        finally:
            vault.part.process.terminate()
            vault.part.process.wait(timeout=20)
            vault.close_output()


@contextmanager
def fresh_vault(state: Path) -> Iterator[Running]:
    """Run a vault whose clock this process can move, too."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LETHE_CLOCK_OFFSET_FILE", str(state / "clock-offset"))
        with running_vault(state) as vault:
            yield vault
