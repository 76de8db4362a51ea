"""Webhooks as a test meets them: a real store and a real receiver, a queue that only remembers, and a clock to move."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

import httpx2
from azure.cosmos.aio import CosmosClient

from local.cosmos.auth import EMULATOR_KEY
from shared.azure.events import Events
from shared.azure.evidence import Evidence
from shared.azure.queues import Outgoing
from shared.azure.secret_store import FileSecrets
from shared.azure.webhook_endpoints import WebhookEndpoints
from shared.delivery.deliver import deliver
from shared.delivery.endpoints import WithSecret, create_endpoint
from shared.delivery.sender import Sender
from shared.delivery.services import Webhooks
from shared.domain.policy import DAY, STAMP, TenantPolicy
from shared.domain.principal import Principal, Role
from tests.contract.cosmos import DATABASE, Endpoint
from tests.contract.memory_signer import MemorySigner
from tests.parts import running
from tests.policies import policy

if TYPE_CHECKING:
    from shared.azure.policies import Policies
    from shared.azure.queues import Queues

TENANT = "contoso"
TYPE = "response.completed"
OPERATOR = Principal(directory="d", client_id="c", roles=frozenset({Role.OPERATOR}))
SIGNER = MemorySigner()


class Queue:
    """A queue with duplicate detection: what was put in and when it appears, taken out by a test."""

    def __init__(self, now: "Now") -> None:
        self._now = now
        self._seen: set[str] = set()
        self.waiting: list[tuple[float, Outgoing]] = []
        self.fails = False

    async def send(self, queue: str, message: Outgoing) -> None:
        await self.schedule(queue, message, at=self._now())

    async def schedule(self, queue: str, message: Outgoing, *, at: float) -> int:
        assert queue == "webhook-deliveries"
        assert json.loads(message.body).keys() == {"tenant", "job_id", "event_id", "endpoint_id"}
        if self.fails:
            raise ConnectionResetError
        if message.message_id not in self._seen:
            self._seen.add(message.message_id)
            self.waiting.append((at, message))
        return len(self._seen)

    def take(self) -> list[Outgoing]:
        """Messages that have appeared."""
        due = [message for at, message in self.waiting if at <= self._now()]
        self.waiting = [(at, message) for at, message in self.waiting if at > self._now()]
        return due

    def forget_ids(self) -> None:
        """The time of duplicate detection is over."""
        self._seen.clear()


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


class SamplePolicies:
    """One policy for every tenant, whose hosts a test may change."""

    def __init__(self) -> None:
        self.hosts: tuple[str, ...] = ("127.0.0.1", "localhost")

    async def get(self, tenant: str) -> TenantPolicy:
        retention = {"output_seconds": 60, "receipt_seconds": 60, "abuse_record_seconds": 60}
        return policy(tenant_id=tenant, retention=retention, principals=[], webhook_hosts=self.hosts, reply_queues=[])


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A running receiver."""

    port: int

    def url(self, name: str = "a") -> str:
        return f"http://127.0.0.1:{self.port}/hooks/{name}"

    def control(self, method: str, what: str, **body: object) -> Any:  # noqa: ANN401
        answer = httpx2.request(method, f"http://127.0.0.1:{self.port}/_control/{what}", json=body or None, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def received(self) -> list[dict[str, Any]]:
        return list(self.control("GET", "received")["received"])

    def answers(self, **answer: object) -> None:
        self.control("POST", "answer", **answer)

    def reset(self) -> None:
        self.control("DELETE", "received")
        self.control("DELETE", "answer")


@contextmanager
def receiving(state: Path) -> Iterator[Receiver]:
    """Run a receiver."""
    with running("receiver", state) as part:
        yield Receiver(port=part.port)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Everything that a delivery works with."""

    webhooks: Webhooks
    queue: Queue
    now: Now
    policies: SamplePolicies
    receiver: Receiver
    client: CosmosClient

    async def endpoint(self, *types: str, name: str = "a", tenant: str = TENANT) -> WithSecret:
        """Register the receiver."""
        return await create_endpoint(
            tenant,
            name="mine",
            url=self.receiver.url(name),
            event_types=types or (TYPE,),
            webhooks=self.webhooks,
            actor=OPERATOR if tenant == STAMP else None,
        )

    async def event(self, *, lives: float = 30.0 * DAY, event_type: str = TYPE) -> tuple[str, str]:
        """Store the event of a job; returns its job and its id."""
        job_id, event_id = token_hex(20), f"evt_{token_hex(16)}"
        await self.webhooks.events.create(
            tenant_id=TENANT, source_id=job_id, event_id=event_id, event_type=event_type, lives=lives
        )
        return job_id, event_id

    async def work(self) -> int:
        """Deliver what has appeared in the queue, once; returns how many messages that were."""
        messages = self.queue.take()
        for message in messages:
            await deliver(message.body, self.webhooks)
        return len(messages)

    async def document(self, job_id: str) -> dict[str, Any]:
        """The event as it is stored."""
        return await self._read("generations", "event", [TENANT, job_id])

    async def endpoint_document(self, endpoint_id: str, tenant: str = TENANT) -> dict[str, Any]:
        """The endpoint as it is stored."""
        return await self._read("webhook-endpoints", endpoint_id, tenant)

    async def clear(self) -> None:
        """Delete every endpoint and every event, so that the next test's timer finds its own only."""
        for endpoint in await self.webhooks.endpoints.all(TENANT):
            await self.webhooks.endpoints.delete(TENANT, endpoint.id)
        container = self.client.get_database_client(DATABASE).get_container_client("generations")
        for found in [each async for each in container.query_items("SELECT c.id, c.tenantId, c.jobId FROM c")]:
            await container.delete_item(found["id"], [found["tenantId"], found["jobId"]])

    async def _read(self, container: str, name: str, key: Any) -> dict[str, Any]:  # noqa: ANN401
        return dict(await self.client.get_database_client(DATABASE).get_container_client(container).read_item(name, key))


@asynccontextmanager
async def bench(cosmos: Endpoint, receiver: Receiver, folder: Path) -> AsyncIterator[Bench]:
    """Build the services on a running store and receiver."""
    now, policies = Now(), SamplePolicies()
    queue = Queue(now)
    sender = Sender(allow_loopback=True, seconds=2)
    receiver.reset()
    async with CosmosClient(cosmos.url, EMULATOR_KEY) as client:
        database = client.get_database_client(DATABASE)
        webhooks = Webhooks(
            events=Events(database.get_container_client("generations"), clock=now, grace=900),
            endpoints=WebhookEndpoints(database.get_container_client("webhook-endpoints"), clock=now),
            policies=cast("Policies", policies),
            queues=cast("Queues", queue),
            secrets=FileSecrets(folder / "secrets.json"),
            sender=sender,
            evidence=Evidence(database.get_container_client("evidence"), signer=SIGNER, clock=now),
            clock=now,
            operator_hosts=("127.0.0.1",),
            allow_loopback=True,
        )
        yield Bench(webhooks=webhooks, queue=queue, now=now, policies=policies, receiver=receiver, client=client)
    await sender.close()
