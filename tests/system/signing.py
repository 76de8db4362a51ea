"""A tenant whose policy asks for signatures, and its senders: they sign by the very code of docs/how-to/submit-signed.md."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from azure.cosmos.aio import CosmosClient
from azure.servicebus import ServiceBusClient, ServiceBusReceivedMessage

from local.demo.client import REJECTED
from local.stack import keys
from shared.azure.secret_store import FileSecrets
from shared.azure.submission_secrets import SubmissionSecrets
from shared.clock import clock
from tests.system.jobs import job, text_of
from tests.system.stack import Stack, wait_for

_ROOT = Path(__file__).parents[2]
CLIENT_ID = "11e7be00-0000-4000-8000-00000000516e"
SECRETS = "keys-webhooks.json"
"""The one file in which signing secrets lie."""


def examples(language: str) -> list[str]:
    """Code of the document, block by block."""
    text = (_ROOT / "docs" / "how-to" / "submit-signed.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def documented_sign() -> Callable[[str, str, datetime], dict[str, str]]:
    """The document's function ``sign``."""
    names: dict[str, Any] = {}
    exec(examples("python")[0], names)  # noqa: S102 - it is our own document
    signs: Callable[[str, str, datetime], dict[str, str]] = names["sign"]
    return signs


SIGN = documented_sign()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A message that lies in ``generation-rejected``; ``lives`` is its time to live in seconds."""

    reason: str
    field: str
    lives: float
    properties: set[str]


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A tenant of a running stack."""

    stack: Stack
    name: str

    def sign_up(self, **changes: object) -> None:
        """Write a policy like contoso's, but with signed submission and a principal of its own, and keys."""
        policies = self.stack.store.container("policies")
        sample = policies.read_item("policy", "contoso")
        [principal] = sample["principals"]
        own = {"tenantId": self.name, "queue_submission": "signed", "principals": [principal | {"client_id": CLIENT_ID}]}
        policies.create_item({name: value for name, value in sample.items() if name[0] != "_"} | own | changes)
        keys.create_missing(self.stack.state / "keys.json", [self.name])

    def rotate(self, *, keep_old: bool = False) -> str:
        """Give the tenant a first or another secret, of which the workers hear within a minute."""
        return asyncio.run(self._rotate(keep_old=keep_old))

    async def _rotate(self, *, keep_old: bool) -> str:
        endpoints = self.stack.endpoints
        secrets = FileSecrets(self.stack.state / SECRETS)
        async with CosmosClient(endpoints["cosmos"]["endpoint"], endpoints["cosmos"]["key"]) as client:
            container = client.get_database_client("lethe").get_container_client("policies")
            now = clock(Path(endpoints["clock_offset_file"]))
            return await SubmissionSecrets(container, secrets=secrets, clock=now).rotate(self.name, keep_old=keep_old)

    def job(self, batch: str, prompt: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """A request of the tenant; its prompt is the batch unless another is given."""
        return job(batch, "one", prompt or batch.replace("-", " "), tenant=self.name, **fields)

    def send_signed(self, envelope: dict[str, Any], secret: str, **properties: Any) -> None:  # noqa: ANN401
        """Send a request that is signed for now."""
        self.send(envelope, self.signed(envelope, secret), **properties)

    def signed(self, envelope: dict[str, Any], secret: str, *, after: float = 0) -> dict[str, Any]:
        """Sign a request for so many seconds after the stack's present time."""
        at = datetime.fromtimestamp(clock(Path(self.stack.endpoints["clock_offset_file"]))() + after, UTC)
        return dict(SIGN(json.dumps(envelope), secret, at))

    def send(self, envelope: dict[str, Any], signature: dict[str, Any] | None = None, **properties: Any) -> None:  # noqa: ANN401
        """Send a request with these application properties."""
        self.stack.submit([envelope], application_properties=signature, **properties)

    def answer(self, batch: str, *, seconds: float = 30) -> str:
        """What the model said to the one job of a batch, once it has ended."""
        [output] = self.stack.wait_for_outputs(self.name, batch, 1, seconds=seconds)
        return text_of(output)

    def refusals(self, envelope: dict[str, Any], count: int = 1) -> list[Refused]:
        """Rejected messages with this request as body, once there are so many."""
        body = json.dumps(envelope).encode()
        connection = self.stack.endpoints["servicebus"]
        with ServiceBusClient.from_connection_string(connection) as bus, bus.get_queue_receiver(REJECTED) as receiver:

            def enough() -> list[Refused] | None:
                found = [one for one in receiver.peek_messages(100, sequence_number=1) if b"".join(one.body) == body]
                return [_refused(one) for one in found] if len(found) >= count else None

            return wait_for("a rejection", enough)


class Signer(NamedTuple):
    """A tenant with signed submission, and its secret."""

    tenant: Tenant
    secret: str


def signer(stack: Stack, name: str, **changes: object) -> Signer:
    """Sign a new tenant up."""
    tenant = Tenant(stack=stack, name=name)
    tenant.sign_up(**changes)
    return Signer(tenant, tenant.rotate())


def _refused(message: ServiceBusReceivedMessage) -> Refused:
    properties = {str(_text(name)): _text(value) for name, value in (message.application_properties or {}).items()}
    assert message.time_to_live is not None
    lives = message.time_to_live.total_seconds()
    return Refused(reason=properties["reason"], field=properties["field"], lives=lives, properties=set(properties))


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
