"""A tenant that is called back: the official OpenAI client with its token, its endpoints, and what the receiver got."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from openai import OpenAI
from openai.types.responses import Response
from openai.types.webhooks.webhook_endpoint_with_secret import WebhookEndpointWithSecret

from tests.system.stack import Stack, wait_for

QUEUE = "webhook-deliveries"
COMPLETED = "response.completed"
ENDED = ("response.completed", "response.failed", "response.cancelled", "response.incomplete")
GENERATED = ("generation.completed", "generation.failed", "generation.cancelled", "generation.incomplete")
MINUTE, HOUR, DAY = 60, 3600, 86_400
PAUSES = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Seconds between two attempts, as Standard Webhooks recommends."""

_ANY_TIME = 10**9
"""Seconds of tolerance, for a webhook of a stack whose clock was moved."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One post to the receiver, and what it was answered."""

    name: str
    method: str
    received_at: float
    headers: dict[str, str]
    body: str
    answered: int

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def about(self) -> str:
        return str(self.event["data"]["id"])

    @property
    def signatures(self) -> list[str]:
        return self.headers["webhook-signature"].split()


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """The stack's receiver: one for all tenants and endpoints, which are told apart by the last part of their URL."""

    url: str

    def hook(self, name: str) -> str:
        return f"{self.url}/hooks/{name}"

    def received(self, name: str | None = None) -> list[Webhook]:
        found = httpx2.get(f"{self.url}/_control/received", trust_env=False).json()["received"]
        return [Webhook(**each) for each in found if name in (None, each["name"])]

    def wait_for(self, count: int, name: str | None = None, *, seconds: float = 30) -> list[Webhook]:
        """Return what was received once there is so much of it."""

        def enough() -> list[Webhook] | None:
            found = self.received(name)
            return found if len(found) >= count else None

        return wait_for(f"{count} webhooks at {name or 'the receiver'}", enough, seconds=seconds)

    def answers(self, **order: int | str) -> None:
        """Order the next answer, or the next ``count``: ``status``, ``retry_after``, ``redirect``."""
        httpx2.post(f"{self.url}/_control/answer", json=order, trust_env=False).raise_for_status()

    def answers_well(self) -> None:
        httpx2.delete(f"{self.url}/_control/answer", trust_env=False).raise_for_status()

    def forget(self) -> None:
        httpx2.delete(f"{self.url}/_control/received", trust_env=False).raise_for_status()


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A tenant of a stack, as a program of its own would act for it."""

    name: str
    openai: OpenAI
    receiver: Receiver

    def listens(self, hook: str = "main", *, to: tuple[str, ...] = ENDED, url: str | None = None) -> WebhookEndpointWithSecret:
        """Register an endpoint at the receiver, or elsewhere."""
        given: Any = list(to)  # the client's own list of types does not know Lethe's
        return self.openai.webhooks.create(name=hook, url=url or self.receiver.hook(hook), event_types=given)

    def asks(self, prompt: str = "Hello.", *, key: str | None = None) -> Response:
        """Submit a response in background mode."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.openai.responses.create(model="gpt-small", input=prompt, background=True, extra_headers=headers)

    def accepts(self, webhook: Webhook, secret: str) -> None:
        """Fail unless the client's own check takes the signature, whenever it was made."""
        self.openai.webhooks.verify_signature(webhook.body, webhook.headers, secret=secret, tolerance=_ANY_TIME)

    def forgets_endpoints(self) -> None:
        for endpoint in self.openai.webhooks.list(limit=100):
            self.openai.webhooks.delete(endpoint.id)


@contextmanager
def tenant_of(stack: Stack, name: str, **client: Any) -> Iterator[Tenant]:  # noqa: ANN401
    """Connect to a stack as one of its tenants, whose token is always a fresh one; ``client`` are options of the client."""
    described = stack.endpoints
    issuer, base_url = f"{described['issuer_control']}/tokens", f"{described['http']}/openai/v1"

    def token() -> str:
        return str(httpx2.post(issuer, json={"principal": name}, trust_env=False).raise_for_status().json()["token"])

    with OpenAI(base_url=base_url, api_key=token, **client) as openai:
        yield Tenant(name=name, openai=openai, receiver=Receiver(url=described["webhook_receiver"]))


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """What a stack stores of events, and the queue in which attempts wait; quick on a stack that keeps its connections."""

    stack: Stack

    def of(self, tenant: Tenant, response: Response) -> dict[str, Any]:
        """One entry for each endpoint that is to hear of a response's end; none before it is announced."""
        job_id = response.id.removeprefix("resp_")
        events = [event for event in self.stack.events(tenant.name) if event["jobId"] == job_id]
        return dict(events[0]["deliveries"]) if events else {}

    def settled(self, tenant: Tenant, response: Response) -> dict[str, Any]:
        """Return the entries once no endpoint of them is to be tried again."""

        def look() -> dict[str, Any] | None:
            found = self.of(tenant, response)
            return found if found and all(entry["state"] != "pending" for entry in found.values()) else None

        return wait_for("every delivery to be settled", look)

    def wait_until_all_wait(self, count: int = 1) -> set[int]:
        """Return once the queue holds nothing but ``count`` scheduled attempts: then a moved clock takes away no lock."""

        def quiet() -> set[int] | None:
            messages = self.stack.peek(QUEUE)
            waiting = {message.sequence_number for message in messages if message.is_scheduled}
            return waiting if len(waiting) == len(messages) == count else None

        return wait_for(f"{count} waiting attempts, and no other", quiet)

    def retry(self, tenant: Tenant, times: int, *, count: int = 1) -> None:
        """Let time pass until the next attempts are due, each time that ``count`` of them wait; the last have begun then."""
        for _ in range(times):
            waiting = self.wait_until_all_wait(count)
            self.stack.advance(max(0.0, self._last_due(tenant) - self._now()))
            wait_for("the attempts to begin", partial(self._have_begun, waiting))

    def wait_until_drained(self) -> None:
        """Return once no attempt waits or runs."""
        wait_for("an empty queue of deliveries", lambda: not self.stack.peek(QUEUE))

    def _have_begun(self, attempts: set[int]) -> bool:
        return not attempts & {message.sequence_number for message in self.stack.peek(QUEUE) if message.is_scheduled}

    def _last_due(self, tenant: Tenant) -> float:
        events = self.stack.events(tenant.name)
        deliveries = [entry for event in events for entry in event["deliveries"].values()]
        return max(float(entry["next_at"]) for entry in deliveries if entry["state"] == "pending")

    def _now(self) -> float:
        offset = Path(self.stack.endpoints["clock_offset_file"])
        return time.time() + (float(offset.read_text()) if offset.exists() else 0.0)
