"""One Cosmos DB client per process, and the one place where its exceptions end."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from shared.errors import LetheError, StoreUnavailable
from shared.patience import answering, was_away

type Document = dict[str, Any]
type Operation = tuple[str, tuple[Any, ...]] | tuple[str, tuple[Any, ...], dict[str, Any]]
"""One operation of a transactional batch: its kind, its arguments, its conditions."""
type Key = str | list[str]
"""A partition key; of a hierarchical one all parts, or for a query the first of them."""

OPERATION_TIMEOUT = 20.0
"""Seconds for one operation with the SDK's own retries; its ``timeout=`` does not interrupt a call under way."""


class Answered(LetheError):
    """Cosmos DB answered with a status that decides something; see the status."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


NOT_FOUND, CONFLICT, PRECONDITION_FAILED, TOO_LARGE, FAILED_DEPENDENCY = 404, 409, 412, 413, 424
_DECISIVE = frozenset({NOT_FOUND, CONFLICT, PRECONDITION_FAILED, TOO_LARGE, FAILED_DEPENDENCY})


@asynccontextmanager
async def foreign_errors() -> AsyncIterator[None]:
    """Turn what the SDK raises into `Answered` (a status that decides) or `StoreUnavailable`, both without its text.

    A failed batch answers the status of the operation that failed it.
    """
    try:
        async with answering(StoreUnavailable, within=OPERATION_TIMEOUT):
            yield
    except CosmosBatchOperationError as error:
        raise _judged(_batch_status(error)) from None
    except CosmosHttpResponseError as error:
        raise _judged(int(error.status_code or 0)) from None
    except (AzureError, aiohttp.ClientError, TimeoutError, OSError):
        was_away(StoreUnavailable)
        raise StoreUnavailable from None


def _judged(status: int) -> LetheError:
    if status in _DECISIVE:
        return Answered(status)
    was_away(StoreUnavailable)
    return StoreUnavailable()


async def find_document(container: ContainerProxy, document_id: str, key: Key) -> Document | None:
    """Read a document, None when there is none; raises `StoreUnavailable`."""
    partition: Any = key
    try:
        async with foreign_errors():
            return dict(await container.read_item(document_id, partition))
    except Answered as answer:
        if answer.status == NOT_FOUND:
            return None
        raise StoreUnavailable from None


async def query_rows(
    container: ContainerProxy,
    text: str,
    values: Mapping[str, object] | None = None,
    *,
    key: Key | None = None,
    page: int | None = None,
) -> list[Any]:
    """Return every row of a query; raises `StoreUnavailable`.

    ``values`` have the names of the query's parameters without their ``@``. Without a key it runs over all partitions.
    ``page``: how many rows an answer of the store has at the most, where its own choice is not good enough.
    """
    options: dict[str, Any] = {"partition_key": key, "max_item_count": page}
    options = {name: value for name, value in options.items() if value is not None}
    parameters: list[dict[str, object]] = [{"name": f"@{name}", "value": value} for name, value in (values or {}).items()]
    try:
        async with foreign_errors():
            return [row async for row in container.query_items(text, parameters=parameters, **options)]
    except Answered:
        raise StoreUnavailable from None


async def count_rows(
    container: ContainerProxy, text: str, values: Mapping[str, object] | None = None, *, key: Key | None = None
) -> int:
    """Return what a query counts: it has a number for each physical partition. Raises `StoreUnavailable`."""
    return sum(int(number) for number in await query_rows(container, text, values, key=key))


def sets(values: dict[str, object]) -> list[dict[str, object]]:
    """Patch operations that set fields of a document; Cosmos DB takes ten at the most."""
    return [{"op": "set", "path": f"/{name}", "value": value} for name, value in values.items()]


def _batch_status(error: CosmosBatchOperationError) -> int:
    for response in error.operation_responses or []:
        status = int(response.get("statusCode", 0))
        if status not in {0, 200, 201, FAILED_DEPENDENCY}:
            return status
    return int(error.status_code or 0)


class Cosmos:
    """The client of one account; opened on first use, closed with the process."""

    def __init__(self, *, endpoint: str, credential: str | AsyncTokenCredential, database: str) -> None:
        self._client = CosmosClient(
            endpoint,
            credential=credential,
            enable_compact_utf8_item_writes=True,
            connection_timeout=5,
            read_timeout=10,
        )
        self._database = database

    def container(self, name: str) -> ContainerProxy:
        """Return a container; no request is made."""
        return self._client.get_database_client(self._database).get_container_client(name)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
