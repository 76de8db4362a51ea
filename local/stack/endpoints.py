"""What ``endpoints.json`` says: where the stack is, with which keys and tokens, in which processes."""

import asyncio
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from local.stack import settings
from local.stack.errors import StackError

PRINCIPALS = ("contoso", "fabrikam", "adatum", "operator", "reviewer")
"""The three sample tenants (roles Submit and Privacy) and the two people who look after the system."""

_HEALTH_SECONDS = 60
_POLL_SECONDS = 0.1


def describe(*, state: Path, addresses: settings.Addresses, tokens: dict[str, str], pids: dict[str, int]) -> dict[str, Any]:
    """Return the content of ``endpoints.json``."""
    return {
        "http": addresses.of("http"),
        "review": addresses.of("review"),
        "servicebus": addresses.servicebus,
        "cosmos": {"endpoint": addresses.of("cosmos"), "key": settings.cosmos_key()},
        "openai": {
            "base_url": addresses.of("model", "/openai/v1/"),
            "control_url": addresses.of("model", "/_control"),
        },
        "tokens": tokens,
        "webhook_receiver": addresses.of("receiver"),
        "management": addresses.of("management"),
        "vault": addresses.of("vault"),
        "pids": pids,
        "cosmos_control": addresses.of("cosmos", "/_control"),
        "issuer_control": addresses.of("issuer", "/_control"),
        "management_control": addresses.of("management", "/_control"),
        "vault_control": addresses.of("vault", "/_control"),
        "supervisor": os.getpid(),
        "clock_offset_file": str(settings.clock_offset_file(state)),
        "state": str(state),
    }


async def healthy(addresses: settings.Addresses, port: str) -> None:
    """Wait until the app at a port (``http`` or ``review``) answers its health check.

    Raises StackError when it does not within a minute.
    """
    status = 0
    try:
        async with asyncio.timeout(_HEALTH_SECONDS), aiohttp.ClientSession() as session:
            while status != HTTPStatus.OK:
                try:
                    async with session.get(addresses.of(port, "/healthz")) as answer:
                        status = answer.status
                except aiohttp.ClientConnectionError:
                    status = 0
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise StackError(f"The app {port!r} does not answer /healthz with 200 (last status: {status or 'none'}).") from None


async def mint_tokens(addresses: settings.Addresses) -> dict[str, str]:
    """Ask the issuer for a token of each sample principal.

    Raises StackError when it does not give them.
    """
    tokens = {}
    try:
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            for principal in PRINCIPALS:
                wanted = {"principal": principal}
                async with session.post(addresses.of("issuer", "/_control/tokens"), json=wanted) as answer:
                    tokens[principal] = str((await answer.json())["token"])
    except aiohttp.ClientError:
        raise StackError("The issuer gives no tokens.") from None
    return tokens
