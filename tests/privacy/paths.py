"""Every path of a request that is accepted, from success to the last failure."""

import json
from dataclasses import replace
from typing import Any

from tests.privacy.cases import CHAT, EMBEDDINGS, LABELS, RESPONSES, Case, Ending, Kind, Planting, request
from tests.privacy.flock import Flock

ANSWERED = frozenset({"completion"})
REPEATED = frozenset({"tool name", "tool description", "tool parameter", "format name", "format schema"})
"""Places that the Responses API repeats in its answer, and that are kept with it: the functions on offer, the wanted format."""


def output(detail: str, *, kept: frozenset[str] = frozenset(), sealed: str = "") -> Ending:
    """An output document; ``kept`` says what stands in it besides the caller's labels."""
    return Ending(kind=Kind.OUTPUT, detail=detail, kept=LABELS | kept, sealed=sealed)


EXPIRED = Ending(kind=Kind.EXPIRED)
COMPLETED = output("completed", kept=ANSWERED | REPEATED)
CHATTED = output("completed", kept=ANSWERED)
BLOCKLIST = frozenset({"blocklist name"})
"""A name that a customer gave a blocklist may tell of people and projects: it is content, and stands in the output only."""
LISTED = output("completed", kept=ANSWERED | REPEATED | BLOCKLIST, sealed="annotated")
CHAT_LISTED = output("completed", kept=ANSWERED | BLOCKLIST, sealed="annotated")
EMBEDDED = Ending(kind=Kind.OUTPUT, detail="completed", kept=frozenset({"custom_id", "batch"}))


def failed(code: str, *, sealed: str = "") -> Ending:
    """An output document with an error and no response."""
    return output(f"failed {code}", sealed=sealed)


BLOCKED = failed("content_filter", sealed="prompt_blocked")
CUT = output("incomplete", kept=REPEATED, sealed="completion_blocked")
CHAT_CUT = replace(CUT, kept=LABELS)
ANNOTATED, CHAT_ANNOTATED = replace(COMPLETED, sealed="annotated"), replace(CHATTED, sealed="annotated")
UNFILTERED = replace(COMPLETED, sealed="unfiltered")


AT_ONCE: dict[str, tuple[str, str, Ending]] = {
    "a response": (RESPONSES, "", COMPLETED),
    "a chat completion": (CHAT, "", CHATTED),
    "an embedding": (EMBEDDINGS, "", EMBEDDED),
    "a prompt blocked": (RESPONSES, "[[block:violence]]", BLOCKED),
    "a chat prompt blocked": (CHAT, "[[block:self_harm]]", BLOCKED),
    "an embedding blocked": (EMBEDDINGS, "[[block:violence]]", replace(BLOCKED, kept=EMBEDDED.kept)),
    "a completion blocked": (RESPONSES, "[[block-completion:hate]]", CUT),
    "a chat completion blocked": (CHAT, "[[block-completion:hate]]", CHAT_CUT),
    "a prompt annotated": (RESPONSES, "[[annotate:jailbreak]]", ANNOTATED),
    "a chat prompt annotated": (CHAT, "[[annotate:jailbreak]]", CHAT_ANNOTATED),
    "a blocklist that matched": (RESPONSES, "[[blocklist:{blocklist}]] [[citation]] [[pii]]", LISTED),
    "a blocklist that matched a chat": (CHAT, "[[blocklist:{blocklist}]] [[citation]] [[pii]]", CHAT_LISTED),
    "a filter that was down": (RESPONSES, "[[unfiltered]]", UNFILTERED),
    "a 429 waited for in place": (RESPONSES, "[[status:429:2]]", COMPLETED),
    "a 429 until the deadline": (RESPONSES, "[[status:429:2:90000]]", EXPIRED),
    "a 500 at each attempt": (RESPONSES, "[[status:500:99:0]]", failed("model_unavailable")),
    "a 403 at each attempt": (CHAT, "[[status:403:99:0]]", failed("model_access_denied")),
    "a timeout at each attempt": (RESPONSES, "[[hang]]", failed("model_timeout")),
    "an error that quotes the prompt": (RESPONSES, "[[echo-error]]", failed("model_rejected_request")),
    "a chat error that quotes the prompt": (CHAT, "[[echo-error]]", failed("model_rejected_request")),
    "broken JSON at each attempt": (RESPONSES, "[[truncate]]", failed("invalid_model_output")),
    "an output too large": (CHAT, "[[long:2300000]]", failed("output_too_large")),
}
"""Path: url, directive of the simulator (``{blocklist}`` is a canary in the name of a blocklist), and how it ends."""

LONG_WAIT = 300
"""Seconds that a model asks a job to stay away: too long for a worker to wait in place."""


def at_once(flock: Flock) -> list[Case]:
    """Messages of all paths that need nothing but a directive."""
    return [accepted(flock, path, url, directive, ending) for path, (url, directive, ending) in AT_ONCE.items()]


def while_the_store_is_away(flock: Flock) -> list[Case]:
    """Requests of all three urls, to be sent when Cosmos DB does not answer."""
    urls = {RESPONSES: COMPLETED, CHAT: CHATTED, EMBEDDINGS: EMBEDDED}
    return [
        accepted(flock, f"a store that is away ({url})", url, "", ending, tenant="fabrikam") for url, ending in urls.items()
    ]


WAITING = Ending(kind=Kind.WAITING)


def answered(flock: Flock, path: str) -> Case:
    """A request that the model answers."""
    return accepted(flock, path, RESPONSES, "", COMPLETED, tenant="fabrikam")


def waiting(flock: Flock) -> Case:
    """A job that waits as a scheduled copy."""
    return accepted(flock, "a 429 waited for by a copy", RESPONSES, f"[[status:429:2:{LONG_WAIT}]]", WAITING)


def poison(flock: Flock) -> Case:
    """A message during which the host dies, each time: it hangs until then."""
    case = accepted(flock, "a poison message", RESPONSES, "[[hang]]", failed("delivery_attempts_exhausted"), grounding=[])
    [message] = json.loads(case.body)["body"]["input"]
    return replace(case, prompt=message["content"])


def late(flock: Flock) -> Case:
    """A message whose deadline comes while no host runs."""
    return accepted(flock, "a deadline before the first run", CHAT, "", EXPIRED, expires_after=LONG_WAIT // 2)


def accepted(flock: Flock, path: str, url: str, directive: str, ending: Ending, **more: Any) -> Case:  # noqa: ANN401
    """One accepted message; ``more`` goes into the request."""
    planted = Planting(flock=flock, path=path)
    if "{blocklist}" in directive:
        directive = directive.format(blocklist=planted("blocklist name"))
    return planted.case(request(planted, url, directive, **more), ending, custom_id=planted("custom_id"))


def conflict(flock: Flock, other: Case) -> Case:
    """The key of another case with another content; the other's canaries in the key come back with this message."""
    planted = Planting(flock=flock, path="a conflict")
    key = {name: json.loads(other.body)[name] for name in ("batch", "custom_id")}
    case = planted.case({**request(planted, RESPONSES), **key}, Ending(kind=Kind.REJECTED, detail="conflict"))
    return replace(case, in_body=case.in_body | {label for label in other.in_body if label.place in key})
