"""What the stack puts into Cosmos before the app starts, by the official SDK: database, containers, policies.

The app itself never creates any of them; in Azure the infrastructure templates do.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosResourceExistsError

_SEED = Path(__file__).parent.parent / "seed"


def policies() -> list[dict[str, Any]]:
    """Return the policies of the sample tenants."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((_SEED / "policies").glob("*.json"))]


async def cosmos(*, endpoint: str, key: str, database: str) -> None:
    """Create what is missing, sample policies too: one that was changed or offboarded stays so. Safe to repeat."""
    containers = json.loads((_SEED / "containers.json").read_text(encoding="utf-8"))
    async with CosmosClient(endpoint, key) as client:
        lethe = await client.create_database_if_not_exists(database)
        for name, definition in containers.items():
            await lethe.create_container_if_not_exists(
                name, _partition_key(definition["partition_key"]), default_ttl=definition["default_ttl"]
            )
        container = lethe.get_container_client("policies")
        for policy in policies():
            with suppress(CosmosResourceExistsError):
                await container.create_item(policy)


def _partition_key(paths: list[str]) -> PartitionKey:
    return PartitionKey(paths[0]) if len(paths) == 1 else PartitionKey(paths, kind="MultiHash")
