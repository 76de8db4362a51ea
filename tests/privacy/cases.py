"""What a case of the canary run is: one message on one path through the system, a canary in each place of it."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.privacy.flock import Flock, Label

RESPONSES, CHAT, EMBEDDINGS = "/v1/responses", "/v1/chat/completions", "/v1/embeddings"
UNREPEATED = "and then these are twelve words of which the model repeats eleven:"
"""What keeps the prompt's first canary out of the completion, which repeats the last twelve words."""

STORE, QUEUES = "cosmos.sqlite", "broker.sqlite"
"""The two files that may hold content until its deadline."""

LABELS = frozenset({"custom_id", "batch", "metadata key", "metadata value"})
"""Places that the caller gets back with every output, whatever it says."""

NEVER_SEALED = LABELS | {"user", "safety_identifier"}
"""Places of a body that no sealed record has: the caller's labels, and what names the data subject, of whom it has a MAC."""

CARRIED = frozenset({"property name", "property value", "property 'field'"})
"""Places around the body that a copy takes along."""

type Traces = set[tuple[Label, str]]
"""Which canary is in which file."""


class Kind(StrEnum):
    """Where a message ends."""

    OUTPUT = "output"
    """An output document; ``detail`` is its status, with the error's code."""
    REJECTED = "rejected"
    """The queue of rejected messages; ``detail`` is the reason."""
    OMITTED = "rejected without its body"
    EXPIRED = "expired"
    """A receipt, nothing else."""
    DEAD = "dead-lettered"
    WAITING = "waiting"
    """A copy that Lethe scheduled: the body, and the sender's own application properties."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a message ends; of an output, also in which places the canaries of the request stand that are in it.

    ``sealed``: what the filter said of a job that therefore leaves a sealed record; empty for one that leaves none.
    """

    kind: Kind
    detail: str = ""
    kept: frozenset[str] = frozenset()
    sealed: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A message with its canaries; ``repr`` shows none."""

    path: str
    ending: Ending
    body: bytes = field(repr=False)
    in_body: frozenset[Label]
    around_body: frozenset[Label]
    properties: dict[str, Any] = field(repr=False)
    is_amqp_value: bool = False
    custom_id: str = field(default="", repr=False)
    prompt: str = field(default="", repr=False)

    @property
    def sealed(self) -> frozenset[Label]:
        """What a reviewer is shown of the job's sealed record."""
        none: frozenset[Label] = frozenset()
        return frozenset(label for label in self.in_body if label.place not in NEVER_SEALED) if self.ending.sealed else none

    def queued(self) -> Traces:
        """While the message waits, all of it is in the queue's file."""
        return {(label, QUEUES) for label in self.in_body | self.around_body}

    def ended(self) -> Traces:
        """What may be left of the message until its deadline, and where; every bit of it has to be found there."""
        match self.ending.kind:
            case Kind.OUTPUT:
                return {(label, STORE) for label in self.in_body if label.place in self.ending.kept}
            case Kind.REJECTED:
                return {(label, QUEUES) for label in self.in_body}
            case Kind.DEAD:
                return self.queued()
            case Kind.WAITING:
                carried = {label for label in self.around_body if label.place in CARRIED}
                return {(label, QUEUES) for label in self.in_body | carried}
            case Kind.OMITTED | Kind.EXPIRED:
                return set()


@dataclass(frozen=True, kw_only=True)
class Planting:
    """Plants canaries on one path, and makes a case of what it planted."""

    flock: Flock
    path: str
    _planted: dict[str, str] = field(default_factory=dict, repr=False)

    def __call__(self, place: str) -> str:
        """Return the canary of a place; always the same one."""
        if place not in self._planted:
            self._planted[place] = self.flock.plant(self.path, place)
        return self._planted[place]

    def labels_in(self, content: bytes) -> frozenset[Label]:
        """Labels of the canaries that stand in some bytes as they are."""
        return frozenset(
            Label(path=self.path, place=place) for place, each in self._planted.items() if each.encode() in content
        )

    def case(self, body: object, ending: Ending, **more: Any) -> Case:  # noqa: ANN401
        """Make the case, with canaries around the body too; a body that is no bytes becomes JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        in_body = self.labels_in(content)
        properties = {
            "subject": self("subject of the message"),
            "correlation_id": self("correlation id"),
            "content_type": self("content type"),
            "to": self("to of the message"),
            "reply_to": self("reply-to of the message"),
            "application_properties": {
                self("property name"): self("property value"),
                "field": self("property 'field'"),
                "lethe-admitted-at": self("property 'lethe-admitted-at'"),
            },
        }
        around = {place for place in self._planted if place.startswith(("property", "reply-to", "correlation", "content type"))}
        around |= {"subject of the message", "to of the message"}
        return Case(
            path=self.path,
            ending=ending,
            body=content,
            in_body=in_body,
            around_body=frozenset(Label(path=self.path, place=place) for place in around),
            properties=properties,
            **more,
        )


def request(planted: Planting, url: str, directive: str = "", *, tenant: str = "contoso", **more: object) -> dict[str, Any]:
    """Build a request with a canary in each place that its endpoint has."""
    body: dict[str, Any] = {"model": "embed-small" if url == EMBEDDINGS else "gpt-small"}
    text = f"{directive} {planted('prompt')} {UNREPEATED} {planted('completion')}"
    if url == RESPONSES:
        body |= {"input": [{"role": "user", "content": text}], "instructions": planted("instructions")}
        body["tools"] = [{"type": "function", **_function(planted)}]
        body["text"] = {"format": {"type": "json_schema", **_schema(planted)}}
    elif url == CHAT:
        body["messages"] = [
            {"role": "system", "content": planted("system message")},
            {"role": "user", "content": [{"type": "text", "text": text}]},
        ]
        body["tools"] = [{"type": "function", "function": _function(planted)}]
        body["response_format"] = {"type": "json_schema", "json_schema": _schema(planted)}
        body["stop"] = [planted("stop")]
    else:
        body["input"] = text
    body["user"] = planted("user")
    if url != EMBEDDINGS:
        body["safety_identifier"] = planted("safety_identifier")
        body["metadata"] = {planted("metadata key"): planted("metadata value")}
        place = ("id", "title", "content")
        more = {"grounding": [{name: planted(f"grounding {name}") for name in place}], **more}
    return {
        "tenant": tenant,
        "batch": planted("batch"),
        "custom_id": planted("custom_id"),
        "method": "POST",
        "url": url,
        "body": body,
        **more,
    }


def _function(planted: Planting) -> dict[str, Any]:
    return {
        "name": f"f_{planted('tool name')}",
        "description": planted("tool description"),
        "parameters": {"type": "object", "properties": {planted("tool parameter"): {"type": "string"}}},
    }


def _schema(planted: Planting) -> dict[str, Any]:
    return {"name": f"s_{planted('format name')}", "schema": {"type": "object", "description": planted("format schema")}}
