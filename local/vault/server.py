"""The HTTP face: Key Vault's REST API for keys, as far as azure-keyvault-keys and this app use it."""

import asyncio
import json
import re
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from local.vault import errors, material
from local.vault.access import Access
from local.vault.authority import Authority
from local.vault.keys import Key, KeyRing
from local.vault.material import Version

type Json = dict[str, Any]
type Serve = Callable[[web.Request], Awaitable[Json | None]]

_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_OPERATIONS = ("sign", "verify", "unwrapKey")
_NEVER = (
    ("PUT", "/keys/{name}", "import"),
    ("PATCH", "/keys/{name}/{version:[^/]*}", "update"),
    ("POST", "/keys/restore", "restore"),
    ("POST", "/keys/{name}/backup", "backup"),
    ("POST", "/keys/{name}/rotate", "rotate"),
    ("POST", "/keys/{name}/{version:[^/]*}/{action:encrypt|decrypt|wrapkey|release}", "{action}"),
    ("POST", "/deletedkeys/{name}/recover", "recover"),
    ("DELETE", "/deletedkeys/{name}", "purge"),
)
"""What nobody may do here, so that it needs no doing: a private key would leave the vault, or end or return before its time.

To wrap needs no vault, but the public half.
"""


class Vault:
    """One vault. It answers every ``api-version`` alike."""

    def __init__(self, *, keys: KeyRing, access: Access, authority: Authority, directory: str) -> None:
        self._keys = keys
        self._access = access
        self._authority = authority
        self._directory = directory

    def app(self) -> web.Application:
        """Build the application; the fixed paths come first."""
        app = web.Application(middlewares=[_errors])
        for method, path, action in _NEVER:
            app.router.add_route(method, path, self._guarded(action, _nothing))
        for operation in _OPERATIONS:
            path = f"/keys/{{name}}/{{version:[^/]*}}/{operation.lower()}"
            app.router.add_post(path, self._guarded(operation, partial(self._operate, operation)))
        app.router.add_get("/keys", self._guarded("list", self._list))
        app.router.add_get("/keys/{name}/versions", self._guarded("list", self._list_versions, of_vault=True))
        app.router.add_post("/keys/{name}/create", self._guarded("create", self._create))
        app.router.add_get("/keys/{name}", self._guarded("get", self._get))
        app.router.add_get("/keys/{name}/{version:[^/]*}", self._guarded("get", self._get))
        app.router.add_delete("/keys/{name}", self._guarded("delete", self._delete))
        app.router.add_get("/deletedkeys", self._guarded("list", self._list_deleted))
        app.router.add_get("/deletedkeys/{name}", self._guarded("get", self._get_deleted))
        return app

    def _guarded(self, action: str, serve: Serve, *, of_vault: bool = False) -> Handler:
        """Ask who it is and whether they may, before anything else is looked at."""

        async def guarded(request: web.Request) -> web.Response:
            object_id = await self._authority.object_id(request.headers.get("Authorization"))
            if object_id is None:
                raise errors.unauthenticated(self._directory)
            name = request.match_info.get("name", "*")
            self._access.check(object_id, action.format(**request.match_info), "*" if of_vault else name)
            if not request.query.get("api-version"):
                raise errors.bad_parameter("The api-version query parameter is required.")
            if name != "*" and not _NAME.fullmatch(name):
                raise errors.bad_parameter("The name of a key has up to 127 letters, digits and dashes.")
            answer = await serve(request)
            return web.Response(status=204) if answer is None else web.json_response(answer)

        return guarded

    async def _create(self, request: web.Request) -> Json:
        wanted = await _body(request)
        version = await asyncio.to_thread(material.new, wanted)  # an RSA key takes a while
        return self._described(request, self._keys.add(request.match_info["name"], version))

    async def _get(self, request: web.Request) -> Json:
        name = request.match_info["name"]
        version = self._keys.version(name, request.match_info.get("version", ""))
        return self._described(request, self._keys.present(name), version)

    async def _operate(self, operation: str, request: web.Request) -> Json:
        name, version = request.match_info["name"], request.match_info["version"]
        found = self._keys.version(name, version)
        result = await asyncio.to_thread(found.operate, operation, await _body(request))
        if isinstance(result, bool):
            return {"value": result}
        return {"kid": _kid(request, name, found), "value": material.encode(result)}

    async def _list(self, request: web.Request) -> Json:
        return {"value": [self._item(request, key) for key in self._keys.all(deleted=False)], "nextLink": None}

    async def _list_versions(self, request: web.Request) -> Json:
        key = self._keys.present(request.match_info["name"])
        return {"value": [self._item(request, key, version) for version in key.versions], "nextLink": None}

    async def _list_deleted(self, request: web.Request) -> Json:
        found = self._keys.all(deleted=True)
        return {"value": [self._item(request, key) | self._deletion(request, key) for key in found], "nextLink": None}

    async def _delete(self, request: web.Request) -> Json:
        return self._described(request, self._keys.delete(request.match_info["name"]))

    async def _get_deleted(self, request: web.Request) -> Json:
        return self._described(request, self._keys.deleted(request.match_info["name"]))

    def _described(self, request: web.Request, key: Key, version: Version | None = None) -> Json:
        """A key bundle; of a deleted key also when it ends."""
        chosen = version or key.versions[-1]
        bundle = {"key": chosen.public_jwk(_kid(request, key.name, chosen)), "attributes": self._attributes(chosen)}
        return bundle | self._deletion(request, key)

    def _item(self, request: web.Request, key: Key, version: Version | None = None) -> Json:
        kid = _kid(request, key.name, version) if version else f"{_origin(request)}/keys/{key.name}"
        return {"kid": kid, "attributes": self._attributes(version or key.versions[-1])}

    def _deletion(self, request: web.Request, key: Key) -> Json:
        if key.deleted_at is None:
            return {}
        return {
            "recoveryId": f"{_origin(request)}/deletedkeys/{key.name}",
            "deletedDate": key.deleted_at,
            "scheduledPurgeDate": key.deleted_at + self._keys.recovery_seconds,
        }

    def _attributes(self, version: Version) -> Json:
        return {
            "enabled": True,
            "created": version.created,
            "updated": version.created,
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": self._keys.recovery_seconds // 86_400,
            "exportable": False,
        }


def _origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _kid(request: web.Request, name: str, version: Version) -> str:
    return f"{_origin(request)}/keys/{name}/{version.id}"


async def _nothing(_request: web.Request) -> None:
    """Never reached: no rule can allow an action that `local.vault.seed` does not know."""


async def _body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise errors.bad_parameter("A JSON object is required.")
    return body


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        answer = await handler(request)
    except errors.VaultError as error:
        answer = web.json_response({"error": error.body}, status=error.status, headers=error.headers)
    answer.headers["x-ms-request-id"] = str(uuid.uuid4())
    return answer
