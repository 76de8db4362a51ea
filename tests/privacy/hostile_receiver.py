"""A receiver of webhooks that answers badly, each time in another way, with canaries in everything that it says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

from tests.privacy.cases import Planting


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """The receiver's port, and the names of the bad answers that it has given."""

    port: int
    given: list[str] = field(default_factory=list)


def _status(handler: BaseHTTPRequestHandler, planted: Planting, status: int, **headers: str) -> None:
    handler.send_response(status, planted("reason phrase"))
    body = planted("body of an answer").encode()
    for name, value in {"X-Answer": planted("header of an answer"), "Set-Cookie": f"a={planted('cookie')}", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _nonsense(handler: BaseHTTPRequestHandler, planted: Planting) -> None:
    handler.wfile.write(f"{planted('nonsense')} and no HTTP\r\n\r\n".encode())


def _half(handler: BaseHTTPRequestHandler, planted: Planting) -> None:
    handler.wfile.write(f"HTTP/1.1 200 {planted('half a head')}\r\nX-".encode())


ANSWERS: dict[str, Callable[[BaseHTTPRequestHandler, Planting], None]] = {
    "an error": lambda handler, planted: _status(handler, planted, 500),
    "a redirect": lambda handler, planted: _status(handler, planted, 307, Location=f"http://127.0.0.1:9/{planted('location')}"),
    "nonsense": _nonsense,
    "half an answer": _half,
    "a Retry-After": lambda handler, planted: _status(handler, planted, 503, Retry_After=planted("Retry-After")),
    "a refusal": lambda handler, planted: _status(handler, planted, 400),
    "success": lambda handler, planted: _status(handler, planted, 200),
}


@contextmanager
def hostile(planted: Planting) -> Iterator[Hostile]:
    """Listen for the length of a ``with`` block; one answer after the other, the last one for ever."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                name = [*ANSWERS][min(len(receiver.given), len(ANSWERS) - 1)]
                receiver.given.append(name)
            ANSWERS[name](self, planted)
            self.close_connection = True

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the test's own output is no part of what is looked at."""

    lock = threading.Lock()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Hostile(port=server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
