"""The HTTP face: Azure Resource Manager's reads of this stack's services, and ``/_control`` for tests. In memory only."""

import asyncio
import json
import os
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from local import deployments, parts
from local.cosmos.auth import EMULATOR_KEY
from local.management import accounts, errors, ids, queues
from local.management.faults import Faults
from local.management.overrides import Json, Overrides
from local.management.stores import Account

type Read = Callable[[], Awaitable[list[Json]]]


class Manager:
    """Reads of one resource group. Whether a token is good is not this part's business, but there has to be one."""

    def __init__(self, *, broker: Path, model_url: str, cosmos: Account, page_size: int) -> None:
        self._page_size = page_size
        self._faults = Faults()
        self._overrides = Overrides()
        collections: dict[str, Read] = {
            ids.ACCOUNTS: _at_once(partial(accounts.accounts, model_url)),
            ids.QUEUES: partial(queues.queues, broker),
            ids.DATABASE_ACCOUNTS: _at_once(lambda: [cosmos.described()]),
            ids.containers(cosmos.database): cosmos.containers,
        }
        for resource in deployments.regions():
            collections[f"{ids.account(resource)}/deployments"] = _at_once(partial(accounts.of_account, resource))
        self._collections = {path.lower(): read for path, read in collections.items()}

    @classmethod
    def of_environment(cls) -> Self:
        """Build it for the stack that the environment describes."""
        cosmos = Account(
            url=_url("cosmos"),
            key=os.environ.get("LETHE_COSMOS_KEY") or EMULATOR_KEY,
            database=os.environ.get("LETHE_COSMOS_DATABASE", "lethe"),
        )
        return cls(
            broker=parts.state_folder() / "broker.sqlite",
            model_url=_url("model"),
            cosmos=cosmos,
            page_size=int(os.environ.get("LETHE_MANAGEMENT_PAGE_SIZE", "100")),
        )

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(middlewares=[_errors])
        for what, kept in (("overrides", self._overrides), ("faults", self._faults)):
            app.router.add_post(f"/_control/{what}", partial(_add, kept))
            app.router.add_delete(f"/_control/{what}", partial(_clear, kept))
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        path = request.path.rstrip("/").lower()
        await self._meet_fault(request, path)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise errors.unauthenticated()
        if not request.query.get("api-version"):
            raise errors.no_api_version()
        if request.method != "GET":
            raise errors.only_reads()
        if path in self._collections:
            return web.json_response(self._page(request, await self._read(path)))
        for resource in await self._read(path.rpartition("/")[0]):
            if str(resource["id"]).lower() == path:
                return web.json_response(resource)
        raise errors.not_found()

    async def _read(self, collection: str) -> list[Json]:
        read = self._collections.get(collection)
        return self._overrides.applied(await read()) if read else []

    def _page(self, request: web.Request, resources: list[Json]) -> Json:
        skip = request.query.get("$skiptoken", "0")
        start = int(skip) if skip.isascii() and skip.isdigit() else 0
        page: Json = {"value": resources[start : start + self._page_size]}
        if start + self._page_size < len(resources):
            following = request.url.update_query({"$skiptoken": str(start + self._page_size)})
            page["nextLink"] = str(following)
        return page

    async def _meet_fault(self, request: web.Request, path: str) -> None:
        fault = self._faults.next(path)
        if fault is None:
            return
        await asyncio.sleep(fault.delay_seconds)
        if fault.status is not None:
            raise errors.of_status(fault.status)
        if fault.drop and request.transport is not None:
            request.transport.abort()
            await asyncio.Event().wait()  # the server cancels a handler whose connection is lost


async def _add(kept: Overrides | Faults, request: web.Request) -> web.Response:
    try:
        wanted = json.loads(await request.read())
        if not isinstance(wanted, dict):
            raise errors.bad_control("A JSON object is required.")
        kept.add(wanted)
    except json.JSONDecodeError:
        raise errors.bad_control("A JSON object is required.") from None
    except ValueError as error:
        raise errors.bad_control(str(error)) from None
    return web.Response(status=204)


async def _clear(kept: Overrides | Faults, _request: web.Request) -> web.Response:
    kept.clear()
    return web.Response(status=204)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        answer = await handler(request)
    except errors.ArmError as error:
        answer = web.json_response(error.body, status=error.status, headers=error.headers)
    answer.headers["x-ms-request-id"] = str(uuid.uuid4())
    return answer


def _at_once(read: Callable[[], list[Json]]) -> Read:
    async def asked() -> list[Json]:
        return read()

    return asked


def _url(part: str) -> str:
    """URL of another part: its port is given, because nobody could find a free one of its own choice."""
    variable, default = parts.PORTS[part]
    return f"http://{parts.HOST}:{os.environ.get(variable, default)}/"
