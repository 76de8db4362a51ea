"""The resource ids of the stack's services, as in Azure Resource Manager; case does not matter in them."""

SUBSCRIPTION = "11e7be00-0000-4000-8000-0000000000b0"
_PROVIDERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lethe/providers"

ACCOUNTS = f"{_PROVIDERS}/Microsoft.CognitiveServices/accounts"
DATABASE_ACCOUNTS = f"{_PROVIDERS}/Microsoft.DocumentDB/databaseAccounts"

SERVICE_BUS = f"{_PROVIDERS}/Microsoft.ServiceBus/namespaces/lethe"
COSMOS = f"{DATABASE_ACCOUNTS}/lethe"
QUEUES = f"{SERVICE_BUS}/queues"


def account(resource: str) -> str:
    """Id of the Azure OpenAI account behind a resource of the seed file."""
    return f"{ACCOUNTS}/{resource}"


def containers(database: str) -> str:
    """Id of the collection of a database's containers."""
    return f"{COSMOS}/sqlDatabases/{database}/containers"
