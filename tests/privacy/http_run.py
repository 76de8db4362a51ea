"""A canary run over HTTP while it goes on: its stack, its calls, and all that was answered."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.privacy import http_callers, rules
from tests.privacy.cases import Planting
from tests.privacy.flock import Flock
from tests.privacy.hooks import Hooks
from tests.privacy.hostile_receiver import Hostile, hostile
from tests.privacy.http_calls import LETHE, OPENAI, Call
from tests.privacy.journey import Journey
from tests.system.http import Http, Reply, calling
from tests.system.stack import running_stack


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run while it goes on."""

    journey: Journey
    http: Http
    tokens: dict[str, str] = field(repr=False)
    """By tenant."""
    hooks: Hooks
    hostile: Hostile
    operator: str = field(repr=False)
    """The token of somebody who runs the service."""
    reviewer: str = field(repr=False)
    """The token of a person who reviews."""
    answers: dict[str, bytes] = field(default_factory=dict, repr=False)
    """Answers that may show nothing."""
    shown: dict[str, bytes] = field(default_factory=dict, repr=False)
    """Answers about jobs, to their owner."""
    unexpected: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The token that is shown where nothing else is said."""
        return self.tokens["contoso"]

    def call(self, call: Call) -> Reply:
        """Make a call and keep its answer, under what it may show."""
        more: dict[str, str | bytes] = {"token": call.token or self.tokens[call.caller], **call.headers}
        if call.content is not None:
            more["content"] = call.content
        lowered = {name.lower() if name.lower().startswith("content") else name: value for name, value in more.items()}
        reply = self.http.call(call.method, call.target, tenant=None, **lowered)
        if reply.status not in call.status:
            self.unexpected.append(f"{call.path}: {reply.status}")
        kept = self.shown if reply.status < 300 else self.answers
        kept[f"{len(self.answers) + len(self.shown)} to {call.path}"] = f"{dict(reply.headers)}{reply.text}".encode()
        self.statuses.add(reply.status)
        if reply.status < 300 and call.outputs:
            self.ids[call.path] = reply.json["id"]
            self.owners[call.path] = call.caller
        return reply

    def all(self, calls: Iterable[Call], *, status: int | None = None) -> None:
        """Make calls, several at a time; with a status, all are expected to end so."""
        expected = [replace(call, status=(status,)) if status else call for call in calls]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.call, expected))

    def to(self, path: str) -> str:
        """Where a job is read."""
        return f"{OPENAI if self.ids[path].startswith('resp_') else LETHE}/{self.ids[path]}"

    def read(self, path: str, *, status: int = 200, told: str = "") -> Call:
        """The reading of a job by its owner."""
        return Call(path=told or path, method="GET", target=self.to(path), status=(status,), caller=self.owners[path])


@contextmanager
def started(folder: Path, settings: dict[str, str]) -> Iterator[Run]:
    flock = Flock()
    planted = Planting(flock=flock, path="a receiver")
    with running_stack(folder, **settings) as stack, calling(stack) as http, hostile(planted) as receiver:
        token = http_callers.accepted(flock, http)
        yield Run(
            journey=Journey(stack=stack, flock=flock),
            http=http,
            tokens={"contoso": token, **rules.join(http)},
            hooks=Hooks(http=http, flock=flock, token=token),
            hostile=receiver,
            operator=http_callers.operating(flock, http),
            reviewer=http_callers.reviewing(flock, http),
        )
