"""Environments in which the app starts: of the embedded stack, and of an app in Azure."""

import json

import pytest

from shared import settings
from shared.errors import InvalidSettings
from tests.policies import DEPLOYMENT, DIRECTORY

AZURE_MODEL = "https://lethe.openai.azure.com/openai/v1/"


def issuer_at(origin: str) -> str:
    """A trusted issuer, as its setting names it."""
    return json.dumps({f"{origin}/{DIRECTORY}/v2.0": f"{origin}/{DIRECTORY}/discovery/v2.0/keys"})


def listed(*deployments: object) -> str:
    """Deployments, as their setting lists them."""
    return json.dumps(deployments)


_BOTH = {
    "LETHE_GEOGRAPHY": "eu",
    "LETHE_SERVICE_BUS_ID": "/subscriptions/11e7be00/resourceGroups/lethe/providers/Microsoft.ServiceBus/namespaces/lethe",
    "LETHE_COSMOS_ID": "/subscriptions/11e7be00/resourceGroups/lethe/providers/Microsoft.DocumentDB/databaseAccounts/lethe",
    "LETHE_TOKEN_AUDIENCES": '["11e7be00-0000-4000-8000-0000000000aa"]',
}
LOCAL = {
    **_BOTH,
    "ServiceBus": "Endpoint=sb://localhost:5672;SharedAccessKeyName=k;SharedAccessKey=bus-secret;UseDevelopmentEmulator=true",
    "LETHE_COSMOS_ENDPOINT": "http://127.0.0.1:8081",
    "LETHE_COSMOS_KEY": "cosmos-secret",
    "LETHE_DEPLOYMENTS": listed(DEPLOYMENT),
    "LETHE_MANAGEMENT_ENDPOINT": "http://127.0.0.1:8085",
    "LETHE_KEY_STORE": "file:///keys.json",
    "LETHE_EVIDENCE_KEY": "http://127.0.0.1:8086/keys/lethe-evidence",
    "LETHE_ABUSE_VAULT": "http://127.0.0.1:8086",
    "LETHE_TOKEN_ISSUERS": issuer_at("http://127.0.0.1:9100"),
}
AZURE = {
    **_BOTH,
    "WEBSITE_SITE_NAME": "lethe-eu",
    "ServiceBus__fullyQualifiedNamespace": "lethe.servicebus.windows.net",
    "LETHE_COSMOS_ENDPOINT": "https://lethe.documents.azure.com",
    "LETHE_DEPLOYMENTS": listed(DEPLOYMENT | {"endpoint": AZURE_MODEL}),
    "LETHE_KEY_STORE": "https://lethe.vault.azure.net",
    "LETHE_EVIDENCE_KEY": "https://lethe.vault.azure.net/keys/lethe-evidence",
    "LETHE_ABUSE_VAULT": "https://lethe-abuse.vault.azure.net",
    "LETHE_TOKEN_ISSUERS": issuer_at("https://login.microsoftonline.com"),
}


def refusal(environment: dict[str, str]) -> InvalidSettings:
    """The refusal to start in an environment."""
    with pytest.raises(InvalidSettings) as refused:
        settings.load(environment)
    return refused.value
