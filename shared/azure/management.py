"""Azure Resource Manager, for reading only: how queues, containers, model accounts and the store are set up.

The pipeline is Microsoft's, with as few policies as a read needs: it follows no redirect, logs no URL, and never registers a
resource provider, which would be a write.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import AsyncRetryPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core import AsyncARMPipelineClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from shared.azure.management_shapes import Account, Container, Deployment, Page, Queue, Store
from shared.domain.configuration import AccountSettings, ContainerSettings, QueueSettings, StoreSettings
from shared.errors import ManagementUnavailable

_SCOPES = {
    "https://management.azure.com": "https://management.azure.com/.default",
    "https://management.usgovcloudapi.net": "https://management.core.usgovcloudapi.net/.default",
    "https://management.chinacloudapi.cn": "https://management.chinacloudapi.cn/.default",
}
"""Scope of a token by endpoint, as ``azure.mgmt.core.tools.get_arm_endpoints`` has them."""
READ_TIMEOUT = 10.0
"""Seconds for one read with all its pages and repetitions."""

# The newest stable versions at the time of writing; their shapes are in ``shared.azure.management_shapes``.
# https://learn.microsoft.com/azure/templates/ lists them for each resource provider.
_COGNITIVE_SERVICES = "2025-06-01"
_DOCUMENT_DB = "2025-04-15"
_SERVICE_BUS = "2024-01-01"

_MOST_PAGES = 50
_REPETITIONS = 2


def scope(endpoint: str) -> str:
    """Return what a token for an endpoint is asked for; any but a cloud's own (the embedded stack's) names itself."""
    return _SCOPES.get(endpoint, f"{endpoint}/.default")


class Management:
    """Reads of the resources that Lethe is set up with; each raises `ManagementUnavailable` for whatever cannot be read.

    ``accounts`` maps the names of model resources, as policies know them, to resource ids.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        credential: AsyncTokenCredential,
        service_bus_id: str,
        cosmos_id: str,
        cosmos_database: str,
        accounts: Mapping[str, str],
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._queues = f"{service_bus_id}/queues"
        self._store = cosmos_id
        self._containers = f"{cosmos_id}/sqlDatabases/{cosmos_database}/containers"
        self._accounts = dict(accounts)
        self._client = AsyncARMPipelineClient[HttpRequest, AsyncHttpResponse](
            self._endpoint,
            policies=[
                AsyncRetryPolicy(retry_total=_REPETITIONS, retry_backoff_factor=0.2),
                AsyncARMChallengeAuthenticationPolicy(credential, scope(self._endpoint)),
            ],
        )

    async def queues(self) -> tuple[QueueSettings, ...]:
        """Read all queues of the namespace."""
        async with _foreign_errors():
            return tuple(each.settings() for each in await self._all(Page[Queue], self._queues, _SERVICE_BUS))

    async def containers(self) -> tuple[ContainerSettings, ...]:
        """Read all containers of Lethe's database."""
        async with _foreign_errors():
            return tuple(each.settings() for each in await self._all(Page[Container], self._containers, _DOCUMENT_DB))

    async def account(self, resource: str) -> AccountSettings:
        """Read a model account with its deployments."""
        account_id = self._accounts.get(resource)
        if account_id is None:
            raise ManagementUnavailable
        async with _foreign_errors():
            account = Account.model_validate_json(await self._get(self._url(account_id, _COGNITIVE_SERVICES)))
            deployments = await self._all(Page[Deployment], f"{account_id}/deployments", _COGNITIVE_SERVICES)
            return account.settings(resource, deployments)

    async def content_logging(self, resource: str) -> bool | None:
        """Read of a model account only whether it logs content, as `AccountSettings` says it."""
        account_id = self._accounts.get(resource)
        if account_id is None:
            raise ManagementUnavailable
        async with _foreign_errors():
            account = Account.model_validate_json(await self._get(self._url(account_id, _COGNITIVE_SERVICES)))
            return account.settings(resource, []).content_logging

    async def store(self) -> StoreSettings:
        """Read the Cosmos DB account."""
        async with _foreign_errors():
            return Store.model_validate_json(await self._get(self._url(self._store, _DOCUMENT_DB))).settings()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _url(self, resource_id: str, version: str) -> str:
        return f"{self._endpoint}{resource_id}?api-version={version}"

    async def _all[Resource](self, page: type[Page[Resource]], collection: str, version: str) -> list[Resource]:
        """Follow a list to its end: half a list would look like missing resources."""
        found: list[Resource] = []
        url = self._url(collection, version)
        for _ in range(_MOST_PAGES):
            read = page.model_validate_json(await self._get(url))
            found += read.value
            if not read.next_link:
                return found
            url = read.next_link
        raise ManagementUnavailable

    async def _get(self, url: str) -> bytes:
        """Return the body of a 200; the token goes to the endpoint only, whatever a link to a next page says."""
        own = urlsplit(self._endpoint)
        asked = urlsplit(url)
        if (asked.scheme, asked.netloc) != (own.scheme, own.netloc):
            raise ManagementUnavailable
        request = HttpRequest("GET", url)
        # The settings allow http on loopback only, and only outside of Azure.
        response = await self._client.send_request(request, enforce_https=own.scheme == "https")
        if response.status_code != HTTPStatus.OK:
            raise ManagementUnavailable
        return response.content


@asynccontextmanager
async def _foreign_errors() -> AsyncIterator[None]:
    """Turn whatever a read raises into `ManagementUnavailable`: no id, URL or text of Azure survives."""
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            yield
    except (AzureError, aiohttp.ClientError, TimeoutError, OSError, ValueError):  # `ValueError`: an answer of another shape
        raise ManagementUnavailable from None
