"""What the model was asked, without what it was asked about: names, counts, hashes. In memory only."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.model.prompt import Json, Prompt

REMEMBERED_REQUESTS = 500


class Journal:
    """The calls since the start or the last reset."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Forget every call, and how often a prompt's failures were answered."""
        self._by_deployment: Counter[str] = Counter()
        self._by_prompt: Counter[str] = Counter()
        self._directed: Counter[str] = Counter()
        self._requests: deque[dict[str, object]] = deque(maxlen=REMEMBERED_REQUESTS)
        self._most_at_once: dict[str, int] = {}

    def record_request(self, method: str, path: str, headers: Mapping[str, str], body: Json) -> None:
        """Remember what went over the wire, by names. Subject values are expected to be MACs, tests compare them."""
        self._requests.append(
            {
                "method": method,
                "path": path,
                "fields": sorted(body),
                "store": body.get("store"),
                "headers": sorted({name.lower() for name in headers}),
                "user": body.get("user"),
                "safety_identifier": body.get("safety_identifier"),
            }
        )

    def record_call(self, body: Json, prompt: Prompt) -> None:
        """Count a call of one of the three operations, whatever becomes of it."""
        self._by_deployment[str(body.get("model"))] += 1
        self._by_prompt[prompt.key] += 1

    @contextmanager
    def running(self, deployment: str) -> Iterator[None]:
        """Keep how many calls of a deployment were under way at once."""
        self._running[deployment] += 1
        self._most_at_once[deployment] = max(self._most_at_once.get(deployment, 0), self._running[deployment])
        try:
            yield
        finally:
            self._running[deployment] -= 1

    def directed(self, prompt: Prompt) -> int:
        """Count a call that obeys its directives; return how many with the same prompt came before."""
        earlier = self._directed[prompt.key]
        self._directed[prompt.key] += 1
        return earlier

    def report(self) -> dict[str, object]:
        """Everything as JSON, for the control URL."""
        return {
            "total": self._by_deployment.total(),
            "by_deployment": dict(self._by_deployment),
            "by_prompt": dict(self._by_prompt),
            "most_at_once": dict(self._most_at_once),
            "requests": list(self._requests),
        }
