"""A system that calls a stack over HTTP: requests with the token of one of its callers, and what came back."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2

from tests.system.stack import Stack, wait_for

TERMINAL = frozenset({"completed", "failed", "incomplete", "cancelled", "expired"})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer; ``text`` is its whole body."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        return json.loads(self.text)


@dataclass(frozen=True, kw_only=True)
class Http:
    """Both faces of one stack; safe for threads."""

    stack: Stack
    client: httpx2.Client

    def call(
        self, method: str, path: str, body: object = None, *, tenant: str | None = "contoso", **more: str | bytes
    ) -> Reply:
        """Send a request as a sample tenant, or as nobody.

        ``token`` and ``content`` take the place of the tenant's token and of the body; anything else is a header.
        """
        token = more.pop("token", None) or (self.stack.endpoints["tokens"][tenant] if tenant else None)
        content = more.pop("content", None if body is None else json.dumps(body).encode())
        headers = {"content-type": "application/json"} if content is not None else {}
        headers |= {"authorization": f"Bearer {token!s}"} if token else {}
        headers |= {name.replace("_", "-"): str(value) for name, value in more.items()}
        answer = self.client.request(method, path, content=content, headers=headers)
        return Reply(status=answer.status_code, headers=answer.headers, text=answer.text)

    def submit(self, prompt: str = "Hello", *, tenant: str = "contoso", **changes: Any) -> str:  # noqa: ANN401
        """Admit a generation and return its id."""
        reply = self.call("POST", "/v1/generations", line(prompt, **changes), tenant=tenant)
        assert reply.status == 202, reply.text
        return str(reply.json["id"])

    def read(self, generation: str, *, tenant: str = "contoso") -> Reply:
        """Read a generation."""
        return self.call("GET", f"/v1/generations/{generation}", tenant=tenant)

    def ended(self, generation: str, *, tenant: str = "contoso", seconds: float = 30) -> dict[str, Any]:
        """Return a generation once it has ended."""

        def look() -> dict[str, Any] | None:
            shown: dict[str, Any] = self.read(generation, tenant=tenant).json
            return shown if shown.get("status") in TERMINAL else None

        return wait_for("the generation to end", look, seconds=seconds)

    def token(self, principal: str = "", **order: object) -> str:
        """Let the issuer sign a token: ``claims`` to change (None takes one away), ``alg``, ``kid``."""
        answer = self.client.post(
            f"{self.stack.endpoints['issuer_control']}/tokens", json={"principal": principal, "claims": {}, **order}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def documents(self, data_class: str, generation: str, *, tenant: str = "contoso") -> list[dict[str, Any]]:
        """Stored documents of one class of a job, whatever its id's prefix."""
        job_id = generation.partition("_")[2]
        with self.stack.client() as client:
            return [found for found in client.documents(tenant, data_class) if found["jobId"] == job_id]


def line(prompt: str = "Hello", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A request with a key of its own; ``changes`` are laid over it."""
    return {
        "custom_id": f"order-{uuid4()}",
        "url": "/v1/responses",
        "body": {"model": "gpt-small", "input": prompt},
        **changes,
    }


@contextmanager
def calling(stack: Stack, *, seconds: float = 30) -> Iterator[Http]:
    """Connections to a stack for the length of a ``with`` block."""
    with httpx2.Client(base_url=stack.endpoints["http"], timeout=seconds, trust_env=False) as client:
        yield Http(stack=stack, client=client)


def received(stack: Stack, wanted: Callable[[dict[str, Any]], object] = bool) -> list[dict[str, Any]]:
    """Webhooks that the stack's receiver got: its reports, those whose event (a JSON object) is wanted."""
    answer = httpx2.get(f"{stack.endpoints['webhook_receiver']}/_control/received", trust_env=False)
    return [report for report in answer.json()["received"] if wanted(json.loads(report["body"]))]
