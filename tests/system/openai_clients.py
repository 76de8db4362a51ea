"""The official OpenAI client for Python, unmodified, at a stack; and a listener that counts what it sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import Response

from tests.system.http import TERMINAL
from tests.system.stack import Stack, wait_for

SMALL: dict[str, Any] = {"model": "gpt-small", "background": True}


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A client, and the requests that it has sent: its retries are requests too."""

    client: OpenAI
    sent: list[httpx2.Request] = field(default_factory=list)


def base_url(stack: Stack) -> str:
    return f"{stack.endpoints['http']}/openai/v1"


@contextmanager
def counted(stack: Stack, *, tenant: str = "contoso") -> Iterator[Counted]:
    """A client of a tenant with its own defaults, but for the listener."""
    sent: list[httpx2.Request] = []
    transport = httpx2.Client(event_hooks={"request": [sent.append]}, trust_env=False)
    with OpenAI(base_url=base_url(stack), api_key=stack.endpoints["tokens"][tenant], http_client=transport) as client:
        yield Counted(client=client, sent=sent)


def async_client(stack: Stack) -> AsyncOpenAI:
    """A client of contoso."""
    return AsyncOpenAI(base_url=base_url(stack), api_key=stack.endpoints["tokens"]["contoso"])


def ended(client: OpenAI, response: Response) -> Response:
    """Poll a response as the client's documentation does, until it has ended."""

    def look() -> Response | None:
        found = client.responses.retrieve(response.id)
        return found if found.status in TERMINAL else None

    return wait_for("the response to end", look)
