"""Every sort of HTTP call, with a canary in each place of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.privacy.cases import CHAT, EMBEDDINGS, LABELS, RESPONSES, Ending, Planting, request
from tests.privacy.flock import Flock, Label
from tests.privacy.paths import ANNOTATED, BLOCKED, CHATTED, COMPLETED, EMBEDDED, failed
from tests.privacy.refusals import REFUSALS
from tests.privacy.rules import ADMITTED_A_MINUTE, CROWDED, RULES, asked, over_http

LETHE, OPENAI = "/v1/generations", "/openai/v1/responses"
LOOKUP, ENDPOINTS = f"{LETHE}/lookup", "/openai/v1/webhook_endpoints"
ABSENT = "0" * 40
NO_HOOK = f"we_{'0' * 32}"

type Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request with its canaries; ``repr`` shows none.

    ``kept`` says in which places those stand that the output document keeps; ``in_body`` are all that an admitted one queues.
    """

    path: str
    method: str = "POST"
    target: str = field(default=LETHE, repr=False)
    status: tuple[int, ...]
    content: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str | None = field(default=None, repr=False)
    caller: str = "contoso"
    """Whose token is shown, where none is named."""
    kept: frozenset[str] = frozenset()
    in_body: frozenset[Label] = frozenset()
    is_sealed: bool = False
    """Whether the job leaves a sealed record."""

    @property
    def outputs(self) -> frozenset[Label]:
        """What is left once the job has ended."""
        return frozenset(label for label in self.in_body if label.place in self.kept)


def headers(planted: Planting) -> dict[str, str]:
    """Headers that a client may add; none is Lethe's business but the key."""
    names = ("Idempotency-Key", "X-Request-Id", "X-Client-Note", "Cookie", "OpenAI-Organization", "Referer", "X-Forwarded-For")
    return {name: planted("custom_id" if name == "Idempotency-Key" else f"header {name}") for name in names}


ADMITTED: dict[str, tuple[str, str, Ending]] = {
    "a response": (RESPONSES, "", COMPLETED),
    "a chat completion": (CHAT, "", CHATTED),
    "an embedding": (EMBEDDINGS, "", EMBEDDED),
    "a prompt blocked": (RESPONSES, "[[block:violence]]", BLOCKED),
    "a prompt annotated": (RESPONSES, "[[annotate:jailbreak]]", ANNOTATED),
    "an error that quotes the prompt": (RESPONSES, "[[echo-error]]", failed("model_rejected_request")),
}
"""Path: url, directive of the simulator, and how it ends."""


def admitted(flock: Flock) -> list[Call]:
    """Requests that are admitted, on both faces where both have them."""
    lethe = [to_lethe(flock, f"{path} over HTTP", *how) for path, how in ADMITTED.items()]
    openai = [
        to_openai(flock, f"{path} on OpenAI's face", directive, ending)
        for path, (url, directive, ending) in ADMITTED.items()
        if url == RESPONSES
    ]
    return [*lethe, *openai]


def to_lethe(flock: Flock, path: str, url: str, directive: str, ending: Ending) -> Call:
    """A request that Lethe's own face admits."""
    planted = Planting(flock=flock, path=path)
    envelope = request(planted, url, directive)
    del envelope["tenant"]
    content = json.dumps(envelope).encode()
    return Call(
        path=path,
        status=(202,),
        content=content,
        headers={name: value for name, value in headers(planted).items() if name != "Idempotency-Key"},
        kept=ending.kept,
        is_sealed=bool(ending.sealed),
        in_body=planted.labels_in(content),
    )


def to_openai(flock: Flock, path: str, directive: str, ending: Ending) -> Call:
    """A request that OpenAI's face admits; its key travels in a header."""
    planted = Planting(flock=flock, path=path)
    content = _openai_body(request(planted, RESPONSES, directive))
    key = planted("custom_id").encode()
    return Call(
        path=path,
        target=OPENAI,
        status=(200,),
        content=content,
        headers=headers(planted),
        kept=ending.kept,
        is_sealed=bool(ending.sealed),
        in_body=planted.labels_in(content + key),
    )


def by_rule(flock: Flock) -> list[Call]:
    """What policies refuse, fail or put off, on both faces where both have a place for it."""
    calls = []
    for tenant, rule in RULES.items():
        planted = Planting(flock=flock, path=f"the policy of {tenant}, over HTTP")
        content = over_http(planted, tenant, rule)
        calls.append(_by_rule(planted, content, rule.status, tenant, rule.ending, LETHE))
        if rule.has_place_on_openais_face:
            planted = Planting(flock=flock, path=f"the policy of {tenant}, on OpenAI's face")
            envelope = asked(planted, tenant, rule)
            envelope["body"]["metadata"]["custom_id"] = planted("custom_id")
            status = 200 if rule.status == 202 else rule.status
            calls.append(_by_rule(planted, _openai_body(envelope), status, tenant, rule.ending, OPENAI))
    return calls


def _by_rule(planted: Planting, content: bytes, status: int, caller: str, ending: Ending, target: str) -> Call:
    call = Call(path=planted.path, target=target, status=(status,), content=content, caller=caller)
    return replace(call, kept=ending.kept, in_body=planted.labels_in(content)) if status < 300 else call


def too_many(flock: Flock) -> list[Call]:
    """A request more than a tenant may send within a minute, on both faces, behind those that it may send."""
    calls = []
    for number in range(ADMITTED_A_MINUTE):
        call = to_lethe(flock, f"one of a few a minute ({number})", RESPONSES, "", COMPLETED)
        calls.append(replace(call, caller=CROWDED))
    lethe = to_lethe(flock, "one too many", RESPONSES, "", COMPLETED)
    openai = to_openai(flock, "one too many on OpenAI's face", "", COMPLETED)
    none: frozenset[Label] = frozenset()
    return [*calls, *(replace(call, caller=CROWDED, status=(429,), in_body=none) for call in (lethe, openai))]


def _openai_body(envelope: Json) -> bytes:
    return json.dumps({**envelope["body"], "background": True}).encode()


def refused(flock: Flock) -> list[Call]:
    """Every sort of invalid request, on both faces, and the wrong ways to send a good one."""
    calls = []
    for path, (_, spoil) in REFUSALS.items():
        planted = Planting(flock=flock, path=f"{path}, over HTTP")
        spoiled = spoil(planted, {name: value for name, value in request(planted, RESPONSES).items() if name != "tenant"})
        content = spoiled if isinstance(spoiled, bytes) else json.dumps(spoiled).encode()
        calls.append(Call(path=planted.path, status=(400, 413), content=content, headers=headers(planted)))
        planted = Planting(flock=flock, path=f"{path}, on OpenAI's face")
        good = request(planted, RESPONSES)
        spoiled = spoil(planted, good)
        if isinstance(spoiled, bytes):
            content = spoiled
        elif isinstance(spoiled, dict) and spoiled["body"] != good["body"]:
            content = _openai_body(spoiled)
        else:  # what was spoiled has no place on this face
            continue
        calls.append(Call(path=planted.path, target=OPENAI, status=(400,), content=content, headers=headers(planted)))
    return [*calls, *_badly_sent(flock), *_refused_lookups(flock), *_refused_endpoints(flock), *_about_subjects(flock)]


def _badly_sent(flock: Flock) -> list[Call]:
    ways = {
        "a wrong content type": ((415,), {"Content-Type": "text/plain"}),
        "a content encoding": ((415,), {"Content-Encoding": "gzip"}),
        "a key too long": ((400,), {"Idempotency-Key": "long"}),
    }
    calls = []
    for path, (status, wrong) in ways.items():
        planted = Planting(flock=flock, path=path)
        own = {name: planted("long key") * 20 if value == "long" else value for name, value in wrong.items()}
        content = _openai_body(request(planted, RESPONSES))
        calls.append(Call(path=path, target=OPENAI, status=status, content=content, headers=headers(planted) | own))
    planted = Planting(flock=flock, path="a body far too large")
    content = json.dumps({planted("key"): planted("value") * 300_000}).encode()
    calls.append(Call(path=planted.path, status=(413,), content=content))
    planted = Planting(flock=flock, path="no background")
    content = json.dumps(request(planted, RESPONSES)["body"]).encode()
    return [*calls, Call(path=planted.path, target=OPENAI, status=(400,), content=content)]


def _refused_lookups(flock: Flock) -> list[Call]:
    planted = Planting(flock=flock, path="a lookup")
    bodies: dict[int, list[object]] = {
        404: [{"custom_id": planted("unknown custom_id")}, {"custom_id": planted("custom_id"), "batch": planted("batch")}],
        400: [{planted("unknown field"): planted("value")}, {"custom_id": [planted("custom_id in a list")]}, planted("text")],
    }
    return [
        Call(path=planted.path, target=LOOKUP, status=(status,), content=json.dumps(body).encode())
        for status, several in bodies.items()
        for body in several
    ]


def _refused_endpoints(flock: Flock) -> list[Call]:
    planted = Planting(flock=flock, path="an endpoint that is refused")
    hook = {"name": planted("name"), "url": "http://127.0.0.1:9/hooks/x", "event_types": ["response.completed"]}
    wrong: list[object] = [
        hook | {"name": planted("long name") * 20},
        hook | {"name": [planted("name in a list")]},
        hook | {"url": f"http://{planted('userinfo')}:x@127.0.0.1/"},
        hook | {"url": f"http://127.0.0.1:9/?q={planted('query')}"},
        hook | {"url": f"https://{planted('host')}.example/hook"},
        hook | {"url": f"ftp://127.0.0.1/{planted('path')}"},
        hook | {"event_types": [planted("event type")]},
        hook | {planted("unknown field"): planted("value")},
    ]
    calls = [Call(path=planted.path, target=ENDPOINTS, status=(400,), content=json.dumps(body).encode()) for body in wrong]
    more: list[tuple[str, int, Json]] = [
        ("", 404, {"name": planted("name of another")}),
        ("/rotate_secret", 400, {"keep_old_secret_active_for_24_hours": planted("word")}),
        ("/test", 400, {"event_type": planted("event type of a test")}),
    ]
    return calls + [
        Call(path=planted.path, target=f"{ENDPOINTS}/{NO_HOOK}{action}", status=(status,), content=json.dumps(body).encode())
        for action, status, body in more
    ]


def _about_subjects(flock: Flock) -> list[Call]:
    """Erasures and exports, refused ones and those of somebody of whom there is nothing."""
    planted = Planting(flock=flock, path="a data subject")
    bodies: list[tuple[str, int, Json]] = [
        ("erasures", 202, {"safety_identifier": planted("subject to erase")}),
        ("exports", 200, {"safety_identifier": planted("subject to export")}),
        ("erasures", 400, {"safety_identifier": [planted("subject in a list")]}),
        ("erasures", 400, {"safety_identifier": planted("long subject") * 20}),
        ("erasures", 400, {planted("unknown field"): planted("value")}),
        ("exports", 400, {"safety_identifier": planted("subject"), "after": planted("cursor")}),
    ]
    return [
        Call(path=planted.path, target=f"/v1/subjects/{what}", status=(status,), content=json.dumps(body).encode())
        for what, status, body in bodies
    ]


def in_urls(flock: Flock) -> list[Call]:
    """What a caller writes into a URL, though no route asks for it: hosts log that, and so does the local one."""
    planted = Planting(flock=flock, path="a URL")
    targets = {
        f"{LETHE}/gen_{planted('id of a generation')}": 404,
        f"{LETHE}/gen_{ABSENT}?note={planted('unknown parameter')}": 404,
        f"{OPENAI}/resp_{planted('id of a response')}": 404,
        f"{OPENAI}/resp_{ABSENT}?stream={planted('stream')}": 400,
        f"{ENDPOINTS}?limit={planted('limit')}": 400,
        f"{ENDPOINTS}?after={planted('after')}": 404,
        f"/v1/subjects/erasures/erasure_{planted('id of an erasure')}": 404,
        f"/v1/holds/hold_{planted('id of a hold')}": 403,
        f"/{planted('no route')}": 404,
    }
    return [
        Call(path=planted.path, method="GET", target=target, status=(status,), in_body=planted.labels_in(target.encode()))
        for target, status in targets.items()
    ]


SHOWN = LABELS | COMPLETED.kept
"""Places that an answer about a job may show to its owner."""
