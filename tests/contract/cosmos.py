"""A Cosmos endpoint of one test module's own, as the official SDK and its control URL see it."""

import json
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient

from local import clock
from local.cosmos.auth import EMULATOR_KEY
from tests.parts import Part, start

DATABASE = "lethe"


class Endpoint:
    """A running endpoint that can be killed and started again on its port and its disk."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.part: Part = start("cosmos", state)

    @property
    def url(self) -> str:
        """Its account endpoint."""
        return f"http://127.0.0.1:{self.part.port}/"

    @asynccontextmanager
    async def container(self, name: str = "generations", **options: Any) -> AsyncIterator[ContainerProxy]:  # noqa: ANN401
        """A container of the seeded database, on a client of its own."""
        async with CosmosClient(self.url, EMULATOR_KEY, **options) as client:
            yield client.get_database_client(DATABASE).get_container_client(name)

    def control(self, method: str, what: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401
        """A call of the control URL."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}_control/{what}", data=data, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return json.loads(response.read() or b"null")

    def fault(self, **fault: object) -> None:
        """Arm a fault."""
        self.control("POST", "faults", fault)

    def counts(self, container: str = "generations") -> Any:  # noqa: ANN401
        """Item requests that reached a container since the last reset."""
        return self.control("GET", "requests").get(container, {})

    def reset(self) -> None:
        """No faults, no counts."""
        self.control("DELETE", "faults")
        self.control("DELETE", "requests")

    def holds(self, content: str) -> bool:
        """Whether any file of the state folder contains these bytes."""
        return any(content.encode() in file.read_bytes() for file in self.state.iterdir() if file.is_file())

    def crash_and_restart(self) -> None:
        """SIGKILL, and a new process on the same port and disk."""
        self.part.kill()
        self._close_output()
        self.part = start("cosmos", self.state, LETHE_COSMOS_PORT=str(self.part.port))

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.part.process.terminate()
        code = self.part.process.wait(timeout=10)
        self._close_output()
        return code

    def _close_output(self) -> None:
        if self.part.process.stdout is not None:
            self.part.process.stdout.close()


@contextmanager
def fresh_endpoint(folder: Path) -> Iterator[Endpoint]:
    """An endpoint with the seeded containers and nothing in them, whose clock ``clock.advance`` moves."""
    state = folder / "state"
    state.mkdir()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LETHE_CLOCK_OFFSET_FILE", str(state / "clock-offset"))
        assert clock.offset() == 0
        endpoint = Endpoint(state)
        try:
            yield endpoint
        finally:
            endpoint.stop()


def document(job: str, name: str = "receipt", **more: object) -> dict[str, Any]:
    """An item of the container ``generations``."""
    return {"id": name, "tenantId": "contoso", "jobId": job, **more}


def key(job: str) -> list[Any]:
    """The partition key of such an item."""
    return ["contoso", job]


def eventually(holds: Callable[[], bool], within: float = 5.0) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False
