"""Every sort of message that is refused, with a canary wherever a sender could have put content."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.privacy.cases import EMBEDDINGS, RESPONSES, Case, Ending, Kind, Planting, request
from tests.privacy.flock import Flock

LARGEST_BODY = 262_050
"""Bytes of a body with which a message still fits a queue that takes 256 KB."""

type Json = dict[str, Any]
type Spoil = Callable[[Planting, Json], object]


def _set(name: str, value: Callable[[Planting], object]) -> Spoil:
    def spoil(planted: Planting, envelope: Json) -> Json:
        return {**envelope, name: value(planted)}

    return spoil


def _set_in_body(name: str, value: Callable[[Planting], object]) -> Spoil:
    def spoil(planted: Planting, envelope: Json) -> Json:
        return {**envelope, "body": {**envelope["body"], name: value(planted)}}

    return spoil


def _raw(text: Callable[[Planting], bytes]) -> Spoil:
    return lambda planted, _: text(planted)


def _bytes(planted: Planting, place: str) -> bytes:
    return planted(place).encode()


def _message(planted: Planting, content: object) -> list[Json]:
    return [{"role": "user", "content": content, planted("name in a message"): 1}]


def _part(planted: Planting, **part: object) -> list[Json]:
    return _message(planted, [part])


REFUSALS: dict[str, tuple[str, Spoil]] = {
    "text that is no JSON": ("invalid_json", _raw(lambda p: b"{not JSON: " + _bytes(p, "text"))),
    "a JSON string": ("invalid_type", _raw(lambda p: b'"%s"' % _bytes(p, "text"))),
    "bytes that are no UTF-8": ("invalid_encoding", _raw(lambda p: b'{"tenant": "%s\xff"}' % _bytes(p, "text"))),
    "half a surrogate pair": ("invalid_encoding", _raw(lambda p: b'{"%s": "\\ud800"}' % _bytes(p, "key"))),
    "a key that comes twice": (
        "duplicate_key",
        _raw(lambda p: b'{"tenant": "contoso", "%s": 1, "%s": 2}' % (_bytes(p, "key"), _bytes(p, "key"))),
    ),
    "a number that is none": ("invalid_json", _raw(lambda p: b'{"tenant": "contoso", "%s": NaN}' % _bytes(p, "key"))),
    "a number too long to read": ("invalid_json", _raw(lambda p: b'{"%s": %s}' % (_bytes(p, "key"), b"1" * 5000))),
    "nesting too deep": ("too_deep", _raw(lambda p: b'{"%s": ' % _bytes(p, "key") + b"[" * 90 + b"]" * 90 + b"}")),
    "a request too large": ("request_too_large", _set("batch", lambda p: f"{p('over-long batch')} {'wordy ' * 34_000}")),
    "an unknown field": ("unknown_field", lambda p, envelope: {**envelope, p("name of a field"): 1}),
    "an unknown field of the body": (
        "unknown_field",
        lambda p, envelope: {**envelope, "body": {**envelope["body"], p("name of a field"): 1}},
    ),
    "an unknown field of a document": (
        "unknown_field",
        _set("grounding", lambda p: [{"content": "text", p("name of a field"): p("value of a field")}]),
    ),
    "a tenant of a wrong type": ("invalid_type", _set("tenant", lambda p: {p("tenant key"): p("tenant value")})),
    "an unknown tenant": ("unknown_tenant", _set("tenant", lambda p: p("tenant"))),
    "a tenant that is no name": ("unknown_tenant", _set("tenant", lambda p: f"Tenant {p('tenant')}!")),
    "an unknown model": ("unknown_model", _set_in_body("model", lambda p: p("model"))),
    "a custom_id of a wrong type": ("invalid_type", _set("custom_id", lambda p: [p("custom_id in a list")])),
    "a custom_id too long": ("invalid_value", _set("custom_id", lambda p: p("long custom_id") * 20)),
    "a custom_id with a control character": ("invalid_value", _set("custom_id", lambda p: f"{p('odd custom_id')}\n")),
    "an unknown url": ("unsupported_value", _set("url", lambda p: f"/v1/{p('url')}")),
    "an unknown method": ("unsupported_value", _set("method", lambda p: p("method"))),
    "a deadline that is text": ("invalid_type", _set("expires_after", lambda p: p("expires_after"))),
    "metadata too long": ("invalid_value", _set_in_body("metadata", lambda p: {p("long key") * 10: p("value")})),
    "metadata of a wrong type": ("invalid_type", _set_in_body("metadata", lambda p: {p("key"): [p("value")]})),
    "a stored response": ("unsupported_field", _set_in_body("previous_response_id", lambda p: p("previous_response_id"))),
    "a hosted tool": ("unsupported_value", _set_in_body("tools", lambda p: [{"type": p("tool type")}])),
    "a tool choice that is unknown": ("unsupported_value", _set_in_body("tool_choice", lambda p: {"type": p("tool choice")})),
    "a content part that is unknown": ("unsupported_value", _set_in_body("input", lambda p: _part(p, type=p("part type")))),
    "an image elsewhere": (
        "unsupported_value",
        _set_in_body("input", lambda p: _part(p, type="input_image", image_url=f"https://example.com/{p('image_url')}")),
    ),
    "a role of a wrong type": (
        "invalid_value",
        lambda p, envelope: {
            **envelope,
            "url": "/v1/chat/completions",
            "body": {"model": "gpt-small", "messages": [{"role": {p("role key"): p("role value")}, "content": "text"}]},
        },
    ),
}
"""Path: reason, and what is wrong with the request."""


def refusals(flock: Flock) -> list[Case]:
    """One message of each sort."""
    cases = []
    for path, (reason, spoil) in REFUSALS.items():
        planted = Planting(flock=flock, path=path)
        cases.append(_refused(planted, spoil(planted, request(planted, RESPONSES)), reason))
    planted = Planting(flock=flock, path="grounding of an embedding")
    grounded = {**request(planted, EMBEDDINGS), "grounding": [{"content": planted("grounding content")}]}
    return [*cases, _refused(planted, grounded, "unsupported_field")]


def _refused(planted: Planting, body: object, reason: str) -> Case:
    return planted.case(body, Ending(kind=Kind.REJECTED, detail=reason))


def larger_than_a_copy(flock: Flock) -> Case:
    """A message that fits the queue and, with a reason added, fits it no more."""
    planted = Planting(flock=flock, path="a message without room for a reason")
    body = f'{{"{planted("key")}": "{"wordy " * 44_000}'[:LARGEST_BODY].encode()
    case = planted.case(body, Ending(kind=Kind.OMITTED, detail="request_too_large"))
    return replace(case, around_body=frozenset(), properties={})


def not_in_data_sections(flock: Flock) -> Case:
    """A message that Azure Functions cannot bind; the broker dead-letters it by counting."""
    planted = Planting(flock=flock, path="a body that is no bytes")
    body = planted("text").encode()
    return planted.case(body, Ending(kind=Kind.DEAD, detail="MaxDeliveryCountExceeded"), is_amqp_value=True)
