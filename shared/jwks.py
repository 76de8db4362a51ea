"""The public keys with which one issuer signs its tokens, read from its JWKS and kept.

A key comes from the configured address only, never from anything that a token names (``jku``, ``x5u``, ``jwk``). While the
address does not answer, the keys read before stay in use for a day; what is unknown then is undecided, not refused.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping

import httpx2
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWTError
from jwt.algorithms import RSAAlgorithm

from shared.clock import Clock
from shared.errors import Denial, IdentityUnavailable, Unauthenticated
from shared.telemetry import Event, log

REFRESH_SECONDS = 300.0
"""Keys are read again after this, so that one that is published no more stops counting."""
UNKNOWN_KEY_SECONDS = 30.0
"""Two fetches are at least so far apart, however many unknown key ids arrive in between."""
RETRY_SECONDS = 2.0
"""The same while there is no key at all to work with."""
LONGEST_OUTAGE_SECONDS = 86_400.0
"""Keys older than this are used no more."""
FETCH_TIMEOUT_SECONDS = 5.0
LARGEST_JWKS = 262_144
"""Bytes; Entra ID's has about ten thousand."""
KEY_BITS = range(2048, 8193)
_LONGEST_KID = 200


class SigningKeys:
    """The keys of one issuer by their ids. Times are those of the app's clock."""

    def __init__(self, url: str, *, issuer: str, directory: str, clock: Clock) -> None:
        self._url = url
        self._issuer = issuer
        self._directory = directory
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: dict[str, RSAPublicKey] = {}
        self._read_at = float("-inf")
        self._asked_at = float("-inf")
        self._answered = False

    async def get(self, kid: str) -> RSAPublicKey:
        """Return a key; raises `Unauthenticated` when the issuer has no such key, `IdentityUnavailable` when it did not say."""
        known = kid in self._usable()
        if not known or self._age(self._read_at) >= REFRESH_SECONDS:
            await self._refresh(patiently=not known)
        key = self._usable().get(kid)
        if key is not None:
            return key
        if self._answered:
            raise Unauthenticated(Denial.KEY)
        raise IdentityUnavailable

    def _usable(self) -> dict[str, RSAPublicKey]:
        return self._keys if self._age(self._read_at) < LONGEST_OUTAGE_SECONDS else {}

    def _age(self, since: float) -> float:
        """Seconds since a time; endless when the clock has been set back behind it."""
        age = self._clock() - since
        return age if age >= 0 else float("inf")

    async def _refresh(self, *, patiently: bool) -> None:
        """Read the keys, unless that was tried a moment ago. Whoever can do without does not wait for another's fetch."""
        if self._lock.locked() and not patiently:
            return
        async with self._lock:
            if self._age(self._asked_at) < (UNKNOWN_KEY_SECONDS if self._usable() else RETRY_SECONDS):
                return
            self._asked_at = self._clock()
            self._answered = False  # also when this fetch is cancelled with its caller
            keys = await self._fetch()
            if keys:
                self._keys, self._read_at, self._answered = keys, self._asked_at, True

    async def _fetch(self) -> dict[str, RSAPublicKey]:
        """Read the JWKS; empty when it cannot be read or has no usable key."""
        try:
            async with (
                asyncio.timeout(FETCH_TIMEOUT_SECONDS),
                httpx2.AsyncClient(follow_redirects=False, trust_env=False, timeout=FETCH_TIMEOUT_SECONDS) as client,
                client.stream("GET", self._url, headers={"Accept-Encoding": "identity"}) as response,
            ):
                body = await _read(response)
            keys = dict(_usable_keys(json.loads(body), issuer=self._issuer, directory=self._directory))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError, ValueError, RecursionError) as error:
            log(Event.SIGNING_KEYS_NOT_READ, code=type(error).__name__, warning=True)
            return {}
        if not keys:
            log(Event.SIGNING_KEYS_NOT_READ, code="NoUsableKey", warning=True)
        return keys


async def _read(response: httpx2.Response) -> bytes:
    """Read a body as it is on the wire: what was compressed unasked could grow without bound, and is no JSON then."""
    if response.status_code != httpx2.codes.OK:
        raise ValueError
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > LARGEST_JWKS:
            raise ValueError
    return bytes(body)


def _usable_keys(jwks: object, *, issuer: str, directory: str) -> Iterator[tuple[str, RSAPublicKey]]:
    """Keys that may sign this issuer's tokens. Two different keys of one id are ambiguous: neither counts."""
    entries = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(entries, list):
        raise ValueError  # noqa: TRY004 - a document of the wrong shape is a wrong value, as broken JSON is
    found: dict[str, list[RSAPublicKey]] = {}
    for entry in entries:
        if isinstance(entry, dict) and _is_for_signing(entry, issuer=issuer, directory=directory):
            key = _rsa(entry)
            if key is not None:
                found.setdefault(entry["kid"], []).append(key)
    for kid, keys in found.items():
        if all(key == keys[0] for key in keys):
            yield kid, keys[0]


def _is_for_signing(entry: Mapping[str, object], *, issuer: str, directory: str) -> bool:
    """Whether a key says that it is for RS256 signatures, and not for another issuer's.

    Entra ID names in ``issuer`` whose tokens a key may sign, sometimes as a template for all directories; a key for
    personal accounts must not count for a directory.
    """
    kid, signs_for = entry.get("kid"), entry.get("issuer", issuer)
    return (
        isinstance(kid, str)
        and 0 < len(kid) <= _LONGEST_KID
        and entry.get("kty") == "RSA"
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", "RS256") == "RS256"
        and isinstance(signs_for, str)
        and signs_for.replace("{tenantid}", directory) == issuer
    )


def _rsa(entry: Mapping[str, object]) -> RSAPublicKey | None:
    """Build a public key from modulus and exponent alone, whatever else the entry has; None when they make no good key."""
    try:
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": entry.get("n"), "e": entry.get("e")})
    except (PyJWTError, ValueError, TypeError, AttributeError):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size in KEY_BITS else None
