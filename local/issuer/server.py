"""The HTTP face of the issuer: JWKS and metadata, the managed-identity endpoint, and ``/_control`` for tests."""

import json
import time
from collections.abc import Mapping

import jwt
from aiohttp import web

from local.issuer import tokens
from local.issuer.keys import KeyRing
from local.issuer.principals import Directory, Principal

MSI_API_VERSION = "2019-08-01"
MSI_CACHE_SECONDS = 3600


class Issuer:
    """One directory's token issuer.

    As App Service gives each app its own secret for the managed-identity endpoint, ``identity_header`` is that of the app,
    and the same with ``-review`` that of the review app.
    """

    def __init__(self, *, keys: KeyRing, directory: Directory, base_url: str, issuer: str, identity_header: str) -> None:
        self._keys = keys
        self._directory = directory
        self._base_url = base_url
        self._issuer = issuer
        self._managed = {identity_header: directory.managed_identity, f"{identity_header}-review": directory.review_app}

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application()
        app.router.add_get("/{tid}/discovery/v2.0/keys", self._jwks)
        app.router.add_get("/{tid}/v2.0/.well-known/openid-configuration", self._metadata)
        app.router.add_get("/msi/token", self._managed_identity)
        app.router.add_post("/_control/tokens", self._issue)
        app.router.add_post("/_control/rotate", self._rotate)
        return app

    async def _jwks(self, request: web.Request) -> web.Response:
        self._known_directory(request)
        return web.json_response(self._keys.jwks())

    async def _metadata(self, request: web.Request) -> web.Response:
        self._known_directory(request)
        directory = f"{self._base_url}/{self._directory.tid}"
        return web.json_response(
            {
                "issuer": self._issuer,
                "jwks_uri": f"{directory}/discovery/v2.0/keys",
                "token_endpoint": f"{directory}/oauth2/v2.0/token",
                "authorization_endpoint": f"{directory}/oauth2/v2.0/authorize",
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["token"],
                "subject_types_supported": ["pairwise"],
            }
        )

    async def _managed_identity(self, request: web.Request) -> web.Response:
        """Answer like App Service. ``expires_on`` is in the machine's time, because azure-identity compares it with that.

        The token itself counts by the stack's clock, as every part that might read it does.
        """
        identity = self._managed.get(request.headers.get("X-IDENTITY-HEADER", ""))
        if identity is None:
            return _refuse(401, "unauthorized", "The X-IDENTITY-HEADER header is missing or wrong.")
        resource = request.query.get("resource")
        if request.query.get("api-version") != MSI_API_VERSION or not resource:
            return _refuse(400, "invalid_request", f"resource and api-version={MSI_API_VERSION} are required.")
        if request.query.get("client_id") not in (None, identity.client_id):
            return _refuse(400, "invalid_request", "No identity with this client id is assigned.")
        return web.json_response(
            {
                "access_token": tokens.sign(self._claims(identity, resource), self._keys.current),
                "expires_on": str(int(time.time()) + MSI_CACHE_SECONDS),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": identity.client_id,
            }
        )

    async def _issue(self, request: web.Request) -> web.Response:
        """Issue a token for a principal, with ``claims`` (null removes one), ``alg`` and ``kid`` as a test wants them."""
        wanted = await _body(request)
        name = str(wanted.get("principal", ""))
        principal = self._directory.identities.get(name)
        changes = wanted.get("claims", {})
        if (principal is None and (name or "claims" not in wanted)) or not isinstance(changes, dict):
            return _refuse(400, "invalid_request", "A known principal, or claims, are required.")
        base = self._claims(principal or self._directory.managed_identity, self._directory.audience)
        kid = wanted.get("kid")
        key = self._keys.named(str(kid)) or self._keys.current
        try:
            token = tokens.sign(
                tokens.override(base, changes),
                key,
                alg=str(wanted.get("alg", "RS256")),
                kid=None if kid is None else str(kid),
            )
        except (jwt.PyJWTError, NotImplementedError, TypeError):
            return _refuse(400, "invalid_request", "A token cannot be signed that way.")
        return web.json_response({"token": token})

    async def _rotate(self, request: web.Request) -> web.Response:
        """Make a new signing key; with ``{"retire": true}`` make none, and publish the current one only."""
        if (await _body(request)).get("retire"):
            self._keys.retire()
        else:
            self._keys.rotate()
        return web.json_response({"kid": self._keys.current.kid, "published": self._keys.kids})

    def _claims(self, principal: Principal, audience: str) -> dict[str, object]:
        return tokens.claims(principal, issuer=self._issuer, tid=self._directory.tid, audience=audience)

    def _known_directory(self, request: web.Request) -> None:
        if request.match_info["tid"] != self._directory.tid:
            raise web.HTTPBadRequest(
                text=json.dumps({"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}),
                content_type="application/json",
            )


def _refuse(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)


async def _body(request: web.Request) -> Mapping[str, object]:
    """Return the JSON object of a control request; an empty or other body means an empty object."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
