"""Service Bus triggers: one pump per function, in peek-lock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver
from azure.servicebus.exceptions import MessageAlreadySettled, MessageLockLostError

from local import clock
from local.host import locks, logs, metadata, runtime
from local.host.host_json import HostJson
from local.host.invocation import Invoker
from local.host.runtime import Function
from local.host.settings import Connection

_WAIT = 5.0
"""Seconds for which one receive asks, opening the connection included."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_SETTLE_AGAIN = 0.1
_SETTLE_LIMIT = 5.0
_READ_SECONDS = 0.02
"""How long the SDK holds a connection to wait for a frame. While it does, nothing can be sent on it: a settlement
waits its turn, and a received message is noticed late. The SDK's 0.2 s would delay both visibly."""


@asynccontextmanager
async def connect(connection: Connection) -> AsyncIterator[ServiceBusClient]:
    """Open a client that never retries by itself: the pump does, for ever.

    ``try_timeout``, because the SDK settles a message of an earlier connection by a request whose 60 s no cancellation cuts
    short: on a connection that is just being closed it waits without ever giving the loop back.
    """
    if connection.connection_string:
        async with ServiceBusClient.from_connection_string(
            connection.connection_string, retry_total=0, try_timeout=_SETTLE_LIMIT
        ) as client:
            yield client
        return
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415  # 0.4 s, and rarely needed here

    async with (
        DefaultAzureCredential() as credential,
        ServiceBusClient(str(connection.namespace), credential, retry_total=0, try_timeout=_SETTLE_LIMIT) as client,
    ):
        yield client


class Pump:
    """Feeds one function from one queue."""

    def __init__(
        self,
        function: Function,
        *,
        queue: str,
        open_client: Callable[[], AbstractAsyncContextManager[ServiceBusClient]],
        host: HostJson,
        invoker: Invoker,
    ) -> None:
        self._function = function
        self._queue = queue
        self._open_client = open_client
        self._host = host
        self._invoker = invoker
        self._receiver: ServiceBusReceiver | None = None
        self._receiving: asyncio.Task[list[ServiceBusReceivedMessage]] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._renewing = asyncio.Lock()
        self._stopping = False

    def stop(self) -> None:
        """Receive no more; ``run`` returns when the running invocations have ended."""
        self._stopping = True
        self._changed.set()
        if self._receiving:
            self._receiving.cancel()

    async def run(self) -> None:
        """Receive until stopped, through every outage of the broker."""
        logs.own_sdk.set(True)
        pause = _FIRST_PAUSE
        while not self._stopping:
            try:
                async with self._open_client() as client, self._open_receiver(client) as receiver:
                    async for message in self._messages(receiver):
                        pause = _FIRST_PAUSE
                        self._start(message)
                    await self._finish()
            except Exception as error:  # noqa: BLE001  # the SDK raises many kinds when a connection dies
                self._warn(f"Receiving from '{self._queue}' failed ({type(error).__name__}); trying again")
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        await self._finish()

    @asynccontextmanager
    async def _open_receiver(self, client: ServiceBusClient) -> AsyncIterator[ServiceBusReceiver]:
        receiver = client.get_queue_receiver(
            self._queue, prefetch_count=self._host.prefetch_count, socket_timeout=_READ_SECONDS
        )
        async with receiver:
            self._receiver = receiver
            try:
                yield receiver
            finally:
                self._receiver = None

    async def _messages(self, receiver: ServiceBusReceiver) -> AsyncIterator[ServiceBusReceivedMessage]:
        """Yield a message whenever a slot is free.

        One at a time: asked for more, the SDK waits 0.2 s for further ones before it hands over the first, and what it
        then holds is locked while nobody works on it.
        """
        while True:
            while len(self._running) >= self._host.max_concurrent_calls and not self._stopping:
                self._changed.clear()
                await self._changed.wait()
            if self._stopping:
                return
            self._receiving = asyncio.create_task(receiver.receive_messages(max_message_count=1, max_wait_time=_WAIT))
            try:
                messages = await self._receiving
            except asyncio.CancelledError:
                if self._stopping:
                    return
                raise
            for message in messages:
                yield message

    def _start(self, message: ServiceBusReceivedMessage) -> None:
        task = asyncio.create_task(self._handle(message))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._changed.set()
        if not task.cancelled() and (error := task.exception()):
            self._warn(f"Handling a message of '{self._queue}' failed ({type(error).__name__})")

    async def _finish(self) -> None:
        """Let the running invocations end; they settle over the receiver that is still open."""
        if self._running:
            await asyncio.wait(set(self._running))

    async def _handle(self, message: ServiceBusReceivedMessage) -> None:
        try:
            body = runtime.binary(metadata.body_of(message))
        except ValueError:
            self._warn(f"The body of a message cannot be bound. MessageId: {message.message_id}")
            await self._settle(message, succeeded=False)
            return
        keeper = asyncio.create_task(
            locks.keep(
                message,
                receiver=lambda: self._receiver,
                turn=self._renewing,
                limit=self._host.max_auto_lock_renewal,
            )
        )
        try:
            outcome = await self._invoker.run(
                self._function,
                reason="(null)",
                inputs=[(self._function.parameter, body)],
                metadata=metadata.of(message),
                details=metadata.details_of(message),
            )
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        if self._host.auto_complete_messages or not outcome.succeeded:
            await self._settle(message, succeeded=outcome.succeeded)

    async def _settle(self, message: ServiceBusReceivedMessage, *, succeeded: bool) -> None:
        """Complete or abandon; over a connection opened since, if need be; given up when the lock has run out."""
        while clock.now() < locks.end(message):
            if receiver := self._receiver:
                try:
                    async with asyncio.timeout(_SETTLE_LIMIT):
                        await (receiver.complete_message(message) if succeeded else receiver.abandon_message(message))
                except MessageAlreadySettled:
                    return
                except MessageLockLostError:
                    break
                except Exception:  # noqa: BLE001, S110  # a dying connection raises many kinds; the next one is tried
                    pass
                else:
                    return
            await asyncio.sleep(_SETTLE_AGAIN)
        self._warn(f"The lock was lost before the message could be settled. MessageId: {message.message_id}")

    def _warn(self, message: str) -> None:
        logs.write("Host.ServiceBus", message, level=logs.WARNING, function=self._function.name)
