"""A submitting system, seen from Azure's side: it sends to a queue, and reads stores and the queue of rejected messages."""

import hashlib
import json
import urllib.request
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from azure.cosmos import ContainerProxy, CosmosClient, DatabaseProxy
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusMessageState, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import MessageSizeExceededError

REQUESTS = "generation-requests"
REJECTED = "generation-rejected"
_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as a peek shows it."""

    body: bytes
    properties: dict[str, str]
    sequence_number: int
    is_scheduled: bool
    """Whether it waits for a time that the sender has named."""


class Client:
    """Connections to one stack, opened as they are needed; a context manager. Everything here is the official SDKs."""

    def __init__(self, endpoints: dict[str, Any]) -> None:
        self._endpoints = endpoints
        self._open = ExitStack()
        self._receivers: dict[str, ServiceBusReceiver] = {}
        self._sender: ServiceBusSender | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def _cosmos(self) -> CosmosClient:
        cosmos = self._endpoints["cosmos"]
        client: CosmosClient = self._open.enter_context(CosmosClient(cosmos["endpoint"], cosmos["key"]))
        return client

    @cached_property
    def _bus(self) -> ServiceBusClient:
        return self._open.enter_context(ServiceBusClient.from_connection_string(self._endpoints["servicebus"]))

    def submit(self, bodies: Sequence[bytes], **properties: Any) -> None:  # noqa: ANN401
        """Send one request message per body, as few batches as the SDK can make of them; ``properties`` go to each message.

        Raises MessageSizeExceededError for one that is larger than a message may be.
        """
        if self._sender is None:  # one costs a connection
            self._sender = self._open.enter_context(self._bus.get_queue_sender(REQUESTS))
        batch = self._sender.create_message_batch()
        for body in bodies:
            message = ServiceBusMessage(body, **properties)
            try:
                batch.add_message(message)
            except MessageSizeExceededError:
                self._sender.send_messages(batch)
                batch = self._sender.create_message_batch()
                batch.add_message(message)
        self._sender.send_messages(batch)

    def documents(self, tenant: str, data_class: str, *, batch: str | None = None) -> list[dict[str, Any]]:
        """Return a tenant's documents of one data class (``output``, ``receipt``, ``event``), of one batch or of all."""
        query = "SELECT * FROM c WHERE c.dataClass = @class"
        parameters: list[dict[str, object]] = [{"name": "@class", "value": data_class}]
        if batch is not None:
            query += " AND c.batch = @batch"
            parameters.append({"name": "@batch", "value": batch})
        pages: Iterable[dict[str, Any]] = self.container("generations").query_items(
            query, parameters=parameters, partition_key=[tenant]
        )
        return list(pages)

    def container(self, name: str) -> ContainerProxy:
        """Return a container of the database."""
        database: DatabaseProxy = self._cosmos.get_database_client("lethe")
        return database.get_container_client(name)

    def peek(self, queue: str, *, after: int = 0) -> list[Message]:
        """Return the messages of a queue behind a sequence number, the scheduled ones too; they stay where they are."""
        if queue not in self._receivers:
            self._receivers[queue] = self._open.enter_context(self._bus.get_queue_receiver(queue))
        messages: list[Message] = []
        while page := _page(self._receivers[queue], after):
            messages += page
            after = page[-1].sequence_number
        return messages

    def model_calls(self, prompt: str) -> int:
        """Return how often the simulated model was asked this prompt."""
        url = f"{self._endpoints['openai']['control_url']}/calls"
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - the stack's own loopback URL
            calls = json.load(answer)["by_prompt"]
        return int(calls.get(hashlib.sha256(prompt.encode()).hexdigest(), 0))


def _page(receiver: ServiceBusReceiver, after: int) -> list[Message]:
    return [
        Message(
            body=b"".join(bytes(part) for part in message.body),
            properties={_text(name): _text(value) for name, value in (message.application_properties or {}).items()},
            sequence_number=message.sequence_number or 0,
            is_scheduled=message.state is ServiceBusMessageState.SCHEDULED,
        )
        for message in receiver.peek_messages(max_message_count=_PAGE, sequence_number=after + 1)
    ]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
