"""The simulated model as tests meet it: a running part, the official client for it, and its control URL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from openai import AsyncOpenAI

from tests.parts import running


@dataclass(frozen=True, kw_only=True)
class Model:
    """Where a running model listens."""

    origin: str

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[AsyncOpenAI]:  # noqa: ANN401
        """An AsyncOpenAI client that neither retries nor waits long."""
        settings = {"api_key": "token", "max_retries": 0, "timeout": 10, **options}
        async with AsyncOpenAI(base_url=f"{self.origin}/openai/v1/", **settings) as client:
            yield client

    def post(self, path: str, content: bytes = b"{}", headers: dict[str, str] | None = None) -> httpx2.Response:
        """Send what the official client would not."""
        return httpx2.post(f"{self.origin}{path}", content=content, headers=headers, timeout=10)

    def calls(self) -> Any:  # noqa: ANN401
        """What the model says that it was asked since the last reset."""
        return httpx2.get(f"{self.origin}/_control/calls", timeout=10).json()

    def fault(self, **fault: object) -> None:
        """Set a fault."""
        httpx2.post(f"{self.origin}/_control/faults", json=fault, timeout=10).raise_for_status()

    def reset(self) -> None:
        """Forget calls and faults."""
        for what in ("calls", "faults"):
            httpx2.delete(f"{self.origin}/_control/{what}", timeout=10).raise_for_status()


@contextmanager
def serving(state: Path) -> Iterator[Model]:
    """Run a model that answers without latency."""
    with running("model", state, LETHE_MODEL_LATENCY_MS="0") as part:
        yield Model(origin=f"http://127.0.0.1:{part.port}")
