"""Policies with a canary in each place of them: good ones, and every sort that is refused."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.policies import POLICY, PRINCIPAL, RETENTION
from tests.privacy.cases import Planting

type Json = dict[str, Any]
type Spoil = Callable[[Planting, Json], object]

NAMES = frozenset({"name of a field", "alias"})
"""Places whose text is a name inside the operator's own document: told back to whoever wrote it, and to nobody else."""

HOUR = 3600


def good(planted: Planting, *, client: str | None = None, **changes: object) -> Json:
    """A policy that the stamp can honour, with its own words wherever it takes any."""
    return {
        **POLICY,
        "tenant_id": planted("tenant"),
        "models": {planted("alias"): ["gpt-small-eu"], "gpt-small": ["gpt-small-eu"]},
        "principals": [PRINCIPAL | {"client_id": client or str(uuid4())}],
        "webhook_hosts": ["127.0.0.1", f"{planted('host')}.example"],
        "reply_queues": [f"{planted('queue')}-replies"],
        "queue_submission": "signed",
        **changes,
    }


def _set(name: str, value: Callable[[Planting], object]) -> Spoil:
    return lambda planted, document: document | {name: value(planted)}


def _in(name: str, inner: str, value: Callable[[Planting], object]) -> Spoil:
    return lambda planted, document: document | {name: document[name] | {inner: value(planted)}}


def _raw(text: Callable[[Planting], bytes]) -> Spoil:
    return lambda planted, _: text(planted)


def _bytes(planted: Planting, place: str) -> bytes:
    return planted(place).encode()


INVALID: dict[str, Spoil] = {
    "an unknown field": lambda p, document: document | {p("name of a field"): p("value of a field")},
    "an unknown field inside": lambda p, document: (
        document | {"retention": RETENTION | {p("name of a field"): p("value of a field")}}
    ),
    "a name with control characters": lambda p, document: document | {f"\u001b[2J{p('name of a field')}\nx": p("value")},
    "an alias that is none": _set("models", lambda p: {f"{p('alias')} !": ["gpt-small-eu"]}),
    "a deployment that is not listed": _set("models", lambda p: {p("alias"): [p("deployment")]}),
    "models that are a list": _set("models", lambda p: [p("model")]),
    "a tenant that is no name": _set("tenant_id", lambda p: f"Tenant {p('tenant')}"),
    "a tenant of a wrong type": _set("tenant_id", lambda p: {"x": p("tenant")}),
    "a host that is none": _set("webhook_hosts", lambda p: [f"{p('host')}/path"]),
    "a queue that is none": _set("reply_queues", lambda p: [f"{p('queue')} ?"]),
    "a client that is no GUID": _set("principals", lambda p: [PRINCIPAL | {"client_id": p("client")}]),
    "a role that is none": _set("principals", lambda p: [PRINCIPAL | {"roles": [p("role")]}]),
    "a geography that is none": _set("geography", lambda p: p("geography")),
    "a residency that is none": _set("residency", lambda p: p("residency")),
    "a submission that is none": _set("queue_submission", lambda p: p("submission")),
    "a time that is text": _in("retention", "output_seconds", lambda p: p("seconds")),
    "a limit that is text": _in("limits", "requests_in_flight", lambda p: p("limit")),
    "a date that is none": _set(
        "abuse_monitoring", lambda p: {"mode": "opted_out", "approval": p("approval"), "approved_on": p("date")}
    ),
    "an approval without an opt-out": _set("abuse_monitoring", lambda p: {"mode": "off", "approval": p("approval")}),
    "text that is no JSON": _raw(lambda p: b"{not JSON: " + _bytes(p, "text")),
    "bytes that are no UTF-8": _raw(lambda p: b'{"tenant_id": "%s\xff"}' % _bytes(p, "text")),
    "a key that comes twice": _raw(lambda p: b'{"%s": 1, "%s": 2}' % (_bytes(p, "key"), _bytes(p, "key"))),
    "a number that is none": _raw(lambda p: b'{"%s": NaN}' % _bytes(p, "key")),
    "nesting too deep": _raw(lambda p: b'{"%s": ' % _bytes(p, "key") + b"[" * 90 + b"]" * 90 + b"}"),
    "a document too large": _raw(lambda p: json.dumps({p("key"): p("value") * 20_000}).encode()),
    "a JSON string": _raw(lambda p: b'"%s"' % _bytes(p, "text")),
}
"""Path, and what is wrong with the document."""
