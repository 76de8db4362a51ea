"""Tokens as Entra ID makes them, and the JWKS server that publishes their keys; for tests that need wrong ones too."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from local import parts
from shared.errors import Unauthenticated
from shared.identity import Verifier

DIRECTORY = "11e7be00-0000-4000-8000-000000000001"
CLIENT = "11e7be00-0000-4000-8000-000000000c01"
AUDIENCE = "11e7be00-0000-4000-8000-0000000000aa"
OTHER_AUDIENCE = "api://lethe"
NOW = time.time()


@dataclass(frozen=True, kw_only=True)
class Key:
    """An RSA key with the id under which it is published."""

    kid: str
    private: rsa.RSAPrivateKey

    def jwk(self, **more: object) -> dict[str, object]:
        """The public half; None takes a member away."""
        numbers = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        entry = {"kty": "RSA", "use": "sig", "kid": self.kid, "n": numbers["n"], "e": numbers["e"], **more}
        return {name: value for name, value in entry.items() if value is not None}


def new_key(kid: str, bits: int = 2048) -> Key:
    """Make a key."""
    return Key(kid=kid, private=rsa.generate_private_key(65537, bits))


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


@dataclass(kw_only=True)
class JwksServer:
    """Publishes what a test wants, and counts how often it was asked."""

    port: int
    body: Any = field(default_factory=lambda: {"keys": []})
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    others: int = 0
    hold: asyncio.Event | None = None
    held: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def issuer(self) -> str:
        """The issuer whose keys these are."""
        return f"http://{parts.HOST}:{self.port}/{DIRECTORY}/v2.0"

    @property
    def url(self) -> str:
        """Where the keys are."""
        return f"http://{parts.HOST}:{self.port}/{DIRECTORY}/discovery/v2.0/keys"

    def publish(self, *entries: Mapping[str, object]) -> None:
        """Publish these keys only."""
        self.body = {"keys": list(entries)}

    def verifier(self, clock: Clock, *, takes_strangers: bool = False) -> Verifier:
        """A verifier that trusts this server alone."""
        audiences = [AUDIENCE, OTHER_AUDIENCE]
        return Verifier({self.issuer: self.url}, audiences=audiences, clock=clock, takes_strangers=takes_strangers)

    def claims(self, **changes: object) -> dict[str, object]:
        """Claims of a good token; None takes one away."""
        claims: dict[str, object] = {
            "aud": AUDIENCE, "iss": self.issuer, "iat": int(NOW), "nbf": int(NOW), "exp": int(NOW) + 3600, "azp": CLIENT,
            "oid": "an-object", "sub": "an-object", "roles": ["Lethe.Submit"], "tid": DIRECTORY, "ver": "2.0",
        }  # fmt: skip
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def token(self, key: Key, *, header: Any = None, **changes: object) -> str:  # noqa: ANN401 - a member or claim of any kind
        """Sign a token, with claims and header members changed."""
        payload = json.dumps(self.claims(**changes)).encode()
        return jwt.PyJWS().encode(payload, key.private, "RS256", headers={"kid": key.kid, **(header or {})})

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request."""
        if request.path != f"/{DIRECTORY}/discovery/v2.0/keys":
            self.others += 1
            return web.json_response({"keys": []})
        self.requests += 1
        if self.hold is not None:
            self.held.set()
            await self.hold.wait()
        if isinstance(self.body, bytes):
            return web.Response(body=self.body, status=self.status, headers=self.headers)
        return web.json_response(self.body, status=self.status, headers=self.headers)


@asynccontextmanager
async def jwks_server() -> AsyncIterator[JwksServer]:
    """Run a JWKS server."""
    server = JwksServer(port=parts.free_port())
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, parts.HOST, server.port).start()
        yield server
    finally:
        await runner.cleanup()


async def accepts(verifier: Verifier, token: str) -> bool:
    """Whether a token passes; a service that does not answer is neither."""
    try:
        await verifier.verify(f"Bearer {token}")
    except Unauthenticated:
        return False
    return True
