"""A client for the keys of one Azure Key Vault, and the one place where its exceptions end.

The SDK's own authentication wants https and takes the token's audience from whoever answers; here both follow from the
setting. The pipeline has as few policies as that needs: it follows no redirect and logs no URL.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    AsyncRetryPolicy,
    ContentDecodePolicy,
    HeadersPolicy,
)
from azure.keyvault.keys.aio import KeyClient

from shared.errors import KeysUnavailable

SCOPE = "https://vault.azure.net/.default"
TIMEOUT = 10.0
"""Seconds for one operation, with the SDK's own repetitions."""
_REPETITIONS = 2


def key_client(vault_url: str, *, credential: AsyncTokenCredential) -> KeyClient:
    """Make a client; no request is made."""
    return KeyClient(
        vault_url,
        credential,
        policies=[
            HeadersPolicy(),
            ContentDecodePolicy(),
            AsyncRetryPolicy(retry_total=_REPETITIONS, retry_backoff_factor=0.2),
            AsyncBearerTokenCredentialPolicy(credential, SCOPE),
        ],
    )


def options(vault_url: str) -> dict[str, Any]:
    """Options of each request: http is for loopback, which the settings allow outside of Azure only."""
    return {"enforce_https": vault_url.startswith("https:")}


@asynccontextmanager
async def foreign_errors(*meant: type[Exception], within: float = TIMEOUT) -> AsyncIterator[None]:
    """Turn what the SDK raises, but what is meant, into `KeysUnavailable`: no URL or text of the vault survives."""
    try:
        async with asyncio.timeout(within):
            yield
    except meant:
        raise
    except (AzureError, aiohttp.ClientError, TimeoutError, OSError):
        raise KeysUnavailable from None
    except (AttributeError, TypeError, ValueError):  # an answer of another shape
        raise KeysUnavailable from None
