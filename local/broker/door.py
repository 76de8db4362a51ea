"""Lets clients in: plain AMQP at once, and SASL by MSSBCBS or ANONYMOUS, neither of which proves anything.

.NET's SDK, and so the Functions host, asks for MSSBCBS, which proton does not know. So this small preface talks SASL
itself and gives proton the connection behind it. It builds connections as proton's own acceptor does.
"""

import socket
from typing import Any

from proton import UNDESCRIBED, Array, Data, Described, Event, Transport, symbol, ubyte, ulong
from proton._handlers import IOHandler
from proton._io import IO
from proton.reactor import Container

SASL_HEADER = b"AMQP\x03\x01\x00\x00"
SASL_FRAME = b"\x02\x01\x00\x00"
"""Two words of header, a SASL frame, no channel; the frame's size stands before it."""
MECHANISMS, OUTCOME = 0x40, 0x44


class Door:
    """Listens on one address; ``handler`` gets the events of every connection."""

    def __init__(self, container: Container, host: str, port: int, handler: object) -> None:
        self._container = container
        self._handler = handler
        self._listener = _watch(container, IO.listen(host, port), self)

    def on_selectable_readable(self, _event: Event) -> None:
        """Accept a connection."""
        client, _address = IO.accept(self._listener)
        Greeting(self._container, client, self._handler)


class Greeting:
    """One connection until proton takes it over."""

    def __init__(self, container: Container, client: socket.socket, handler: object) -> None:
        self._container = container
        self._client = client
        self._handler = handler
        self._received = b""
        self._offered = False
        self._selectable = _watch(container, client, self)

    def on_selectable_readable(self, _event: Event) -> None:
        """Take what the client says until it speaks AMQP, or is gone."""
        try:
            chunk = self._client.recv(4096)
            self._received += chunk
            speaks_amqp = self._greet()
        except OSError:
            chunk, speaks_amqp = b"", False
        if speaks_amqp:
            self._selectable.release()
        if speaks_amqp or not chunk:
            self._selectable.terminate()
            self._selectable.update()
        if speaks_amqp:
            self._hand_over()

    def _greet(self) -> bool:
        """Answer SASL; True as soon as the next bytes are proton's."""
        if not self._offered:
            if len(self._received) < len(SASL_HEADER):
                return False
            if not self._received.startswith(SASL_HEADER):
                return True
            self._received = self._received.removeprefix(SASL_HEADER)
            self._offered = True
            offer = Array(UNDESCRIBED, Data.SYMBOL, symbol("MSSBCBS"), symbol("ANONYMOUS"))
            self._client.sendall(SASL_HEADER + _frame(MECHANISMS, [offer]))
        size = int.from_bytes(self._received[:4])
        if not size or len(self._received) < size:
            return False
        self._received = self._received[size:]
        self._client.sendall(_frame(OUTCOME, [ubyte(0)]))
        return True

    def _hand_over(self) -> None:
        connection = self._container.connection(self._handler)
        connection._acceptor = self  # noqa: SLF001 - says that the socket is there already
        transport = Transport(Transport.SERVER)
        transport.bind(connection)
        selectable = self._container.selectable(delegate=self._client)
        selectable._transport = transport  # noqa: SLF001
        transport._selectable = selectable  # noqa: SLF001
        if self._received:
            transport.push(self._received)
        IOHandler.update(transport, selectable, self._container.now)


def _watch(container: Container, delegate: socket.socket, handler: object) -> Any:  # noqa: ANN401
    selectable = container.selectable(handler=handler, delegate=delegate)
    selectable._transport = None  # noqa: SLF001
    selectable.reading = True
    selectable.update()
    return selectable


def _frame(kind: int, fields: list[Any]) -> bytes:
    data = Data()
    data.put_object(Described(ulong(kind), fields))
    body = SASL_FRAME + bytes(data.encode())
    return (len(body) + 4).to_bytes(4) + body
