"""The Cosmos DB account and its containers: these are asked of the running endpoint, by the official SDK."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from local.management import errors, ids
from local.management.overrides import Json

_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """The one account of the stack: where its endpoint is, and how to ask it."""

    url: str
    key: str
    database: str

    def described(self) -> Json:
        """Return the account; keys are on, as the endpoint takes nothing else."""
        return {
            "id": ids.COSMOS,
            "name": "lethe",
            "type": "Microsoft.DocumentDB/databaseAccounts",
            "location": "Sweden Central",
            "kind": "GlobalDocumentDB",
            "properties": {
                "provisioningState": "Succeeded",
                "documentEndpoint": self.url,
                "locations": [{"locationName": "Sweden Central", "failoverPriority": 0}],
                "backupPolicy": {
                    "type": "Periodic",
                    "periodicModeProperties": {
                        "backupIntervalInMinutes": 240,
                        "backupRetentionIntervalInHours": 8,
                        "backupStorageRedundancy": "Local",
                    },
                },
                "consistencyPolicy": {"defaultConsistencyLevel": "Session"},
                "disableLocalAuth": False,
                "enableAnalyticalStorage": False,
                "publicNetworkAccess": "Enabled",
            },
        }

    async def containers(self) -> list[Json]:
        """Return the containers that there are; raises ``ArmError`` when the endpoint does not say."""
        try:
            async with (
                asyncio.timeout(_PATIENCE_SECONDS),
                CosmosClient(self.url, self.key, retry_total=0, connection_timeout=2) as client,
            ):
                database = client.get_database_client(self.database)
                return [self._container(each) async for each in database.list_containers()]
        except CosmosResourceNotFoundError:
            raise errors.not_found() from None
        except TimeoutError:
            raise errors.timed_out() from None
        except (AzureError, aiohttp.ClientError, OSError):
            raise errors.unavailable() from None

    def _container(self, properties: Mapping[str, Any]) -> Json:
        resource = {"id": properties["id"], "partitionKey": dict(properties["partitionKey"])}
        for name in ("defaultTtl", "analyticalStorageTtl"):
            if properties.get(name) is not None:
                resource[name] = properties[name]
        return {
            "id": f"{ids.containers(self.database)}/{properties['id']}",
            "name": properties["id"],
            "type": "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers",
            "properties": {"resource": resource},
        }
