"""Which entries of a JWKS count as keys."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.tokens import DIRECTORY, Clock, accepts, jwks_server, new_key

KEY, NEXT, STRANGER = new_key("first"), new_key("second"), new_key("stranger")
SHORT = new_key("first", bits=1024)
CURVE = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
SECRET = base64.urlsafe_b64encode(b"secret" * 8).decode()


@pytest.mark.parametrize(
    ("entries", "counts"),
    [
        ([KEY.jwk()], True),
        ([KEY.jwk(use=None)], True),
        ([KEY.jwk(alg="RS256")], True),
        ([KEY.jwk(issuer="{issuer}")], True),
        ([KEY.jwk(issuer="{template}")], True),
        ([KEY.jwk(), KEY.jwk()], True),
        ([KEY.jwk(), STRANGER.jwk()], True),
        ([KEY.jwk(), CURVE | {"kid": "first"}], True),
        ([KEY.jwk(use="enc")], False),
        ([KEY.jwk(alg="RS512")], False),
        ([KEY.jwk(alg="RSA-OAEP")], False),
        ([KEY.jwk(kty="EC")], False),
        ([KEY.jwk(kid=7)], False),
        ([KEY.jwk(kid="")], False),
        ([KEY.jwk(n="*")], False),
        ([KEY.jwk(e="AA")], False),
        ([KEY.jwk(n=None)], False),
        ([KEY.jwk(n=5)], False),
        ([KEY.jwk(issuer="https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")], False),
        ([KEY.jwk(issuer=None) | {"issuer": 1}], False),
        ([KEY.jwk(), STRANGER.jwk(kid="first")], False),
        ([SHORT.jwk()], False),
        ([{"kty": "oct", "kid": "first", "k": SECRET}], False),
    ],
)
async def test_only_good_rsa_signing_keys_of_this_issuer_count(entries: list[dict[str, object]], *, counts: bool) -> None:
    async with jwks_server() as server:
        template = server.issuer.replace(DIRECTORY, "{tenantid}")
        for entry in entries:
            if entry.get("issuer") in {"{issuer}", "{template}"}:
                entry["issuer"] = server.issuer if entry["issuer"] == "{issuer}" else template
        server.publish(*entries, NEXT.jwk())

        verifier = server.verifier(Clock())
        assert await accepts(verifier, server.token(KEY)) is counts
        assert await accepts(verifier, server.token(NEXT))
