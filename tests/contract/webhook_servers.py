"""Endpoints that attack the sender: a TLS server on loopback that a detour makes look public, and answers by hand."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpcore2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.delivery.guard import Address

PUBLIC = "20.50.2.1"

type Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Names:
    """A resolver that answers what it is told, one answer a question, the last one for ever; it counts the questions."""

    def __init__(self, *answers: Iterable[str]) -> None:
        self._answers = [[ip_address(address) for address in answer] for answer in answers]
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> list[Address]:
        self.asked.append(host)
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


class Detour(httpcore2.AnyIOBackend):
    """Dials the test's own server whatever address is asked for, and remembers the addresses."""

    def __init__(self, port: int, *, unreachable: frozenset[str] = frozenset()) -> None:
        self._port = port
        self._unreachable = unreachable
        self.dialled: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.dialled.append((host, port))
        if host in self._unreachable:
            raise httpcore2.ConnectError
        return await super().connect_tcp("127.0.0.1", self._port, timeout, local_address, socket_options)


@dataclass(kw_only=True)
class Server:
    """A running server: its port, and every request that it read, whole."""

    port: int
    requests: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def serving(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Serve on loopback: read one request, answer by hand, close."""
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            server.requests.append(head + await reader.readexactly(length))
            await answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(handle(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    listening = await asyncio.start_server(start, "127.0.0.1", 0, ssl=context)
    server = Server(port=listening.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listening.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await listening.wait_closed()


def saying(text: str) -> Answer:
    """Answer with a text and close."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(text.encode("latin-1"))
        await writer.drain()

    return answer


def certificate_for(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a self-signed certificate; return the context that serves it and the one that trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(private + certificate.public_bytes(encoding))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cadata=certificate.public_bytes(encoding).decode("ascii"))
    return server, client
