"""The app's identity in Entra ID; there is no other credential, and no setting for one."""

import os

from azure import identity
from azure.core.credentials import TokenCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.identity import aio


def app_credential() -> AsyncTokenCredential:
    """Return the identity of the app: in Azure (and on the embedded stack, which serves the same endpoint) the managed one.

    Its endpoint is plain http on the machine itself, so a proxy of the environment would read every token: none is used.
    Elsewhere it is the developer's own, as far as ``AZURE_TOKEN_CREDENTIALS`` lets the chain go.
    """
    if "IDENTITY_ENDPOINT" in os.environ:
        return aio.ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID"), use_env_settings=False)
    return aio.DefaultAzureCredential()


def blocking_credential() -> TokenCredential:
    """Return the same identity for the exporter of metrics, which works in a thread of its own, without an event loop."""
    if "IDENTITY_ENDPOINT" in os.environ:
        return identity.ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID"), use_env_settings=False)
    return identity.DefaultAzureCredential()
