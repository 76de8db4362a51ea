"""Azure OpenAI accounts and their deployments, as the seed file lists them and the model part serves them."""

from collections.abc import Iterable

from local import deployments
from local.deployments import Deployment
from local.management import ids
from local.management.overrides import Json

_VERSIONS = {"gpt-4.1-mini": "2025-04-14", "text-embedding-3-small": "1"}
_CAPACITY = 10


def accounts(model_url: str) -> list[Json]:
    """Return every account.

    No capability ``ContentLogging``: it appears, as "false", only where modified abuse monitoring is approved. Local
    authentication is off, as the model refuses keys.
    """
    return [
        {
            "id": ids.account(name),
            "name": name,
            "type": "Microsoft.CognitiveServices/accounts",
            "location": region,
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "properties": {
                "endpoint": model_url,
                "provisioningState": "Succeeded",
                "capabilities": [{"name": "VirtualNetworks"}, {"name": "CustomerManagedKey"}],
                "disableLocalAuth": True,
                "publicNetworkAccess": "Enabled",
            },
        }
        for name, region in deployments.regions().items()
    ]


def of_account(resource: str) -> list[Json]:
    """Return the deployments of an account."""
    return list(_described(each for each in deployments.existing() if each.resource == resource))


def _described(listed: Iterable[Deployment]) -> Iterable[Json]:
    for each in listed:
        yield {
            "id": f"{ids.account(each.resource)}/deployments/{each.name}",
            "name": each.name,
            "type": "Microsoft.CognitiveServices/accounts/deployments",
            "sku": {"name": each.sku, "capacity": _CAPACITY},
            "properties": {
                "model": {"format": "OpenAI", "name": each.model, "version": _VERSIONS.get(each.model, "1")},
                "raiPolicyName": "Microsoft.DefaultV2",
                "provisioningState": "Succeeded",
            },
        }
