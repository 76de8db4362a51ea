"""Azure OpenAI accounts and their deployments, as the seed file lists them and the model part serves them."""

from collections.abc import Iterable

from local import deployments
from local.deployments import Deployment
from local.management import ids
from local.management.overrides import Json

_VERSIONS = {"gpt-4.1-mini": "2025-04-14", "text-embedding-3-small": "1"}
_CAPACITY = 10
_CAPABILITIES = ({"name": "VirtualNetworks"}, {"name": "CustomerManagedKey"})


def accounts(model_url: str) -> list[Json]:
    """Return every account.

    Capability ``ContentLogging`` appears, as "false", only where modified abuse monitoring is approved. Local
    authentication is off, as the model refuses keys.
    """
    logged = deployments.content_logging()
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
                "capabilities": [*_CAPABILITIES, *_content_logging(logged.get(name))],
                "disableLocalAuth": True,
                "publicNetworkAccess": "Enabled",
            },
        }
        for name, region in deployments.regions().items()
    ]


def _content_logging(value: str | None) -> list[Json]:
    return [] if value is None else [{"name": "ContentLogging", "value": value}]


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
