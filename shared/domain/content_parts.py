"""What may stand inside ``input`` and ``messages``: text, and data carried in the request itself.

Anything that would make the model service fetch (a remote URL, a file id) or remember (an item reference) is refused.
Membership is asked of tuples: a set would raise for a value that is a list or an object.
Every check gets the path of the field and raises `RequestRefused` with it; array positions are part of a path, values never.
"""

from collections.abc import Callable
from typing import Any

from shared.errors import Reason, RequestRefused

type Check = Callable[[dict[str, Any], str], None]


def check_input(value: object, path: str) -> None:
    """Check ``input`` of a Responses request: a string, or items of the kinds that need no state of the service."""
    if isinstance(value, str):
        return
    for item, at in _objects(value, path):
        kind = item.get("type", "message")
        if kind == "message":
            check_content(item.get("content"), f"{at}.content", _RESPONSES_PARTS)
        elif kind == "function_call_output":
            check_content(item.get("output"), f"{at}.output", _RESPONSES_PARTS)
        elif kind == "reasoning":
            _text(item, "encrypted_content", at)
        elif kind != "function_call":
            raise RequestRefused(Reason.UNSUPPORTED_VALUE, f"{at}.type")


def check_messages(value: object, path: str) -> None:
    """Check ``messages`` of a chat completion."""
    for message, at in _objects(value, path):
        if message.get("role") not in ("system", "developer", "user", "assistant", "tool"):
            raise RequestRefused(Reason.INVALID_VALUE, f"{at}.role")
        for refused in ("audio", "function_call"):
            if message.get(refused) is not None:
                raise RequestRefused(Reason.UNSUPPORTED_FIELD, f"{at}.{refused}")
        if message.get("content") is None and message["role"] == "assistant":
            continue
        check_content(message.get("content"), f"{at}.content", _CHAT_PARTS)


def check_content(value: object, path: str, parts: dict[str, Check]) -> None:
    """Check a content: a string, or parts of known types."""
    if isinstance(value, str):
        return
    for part, at in _objects(value, path):
        kind = part.get("type")
        check = parts.get(kind) if isinstance(kind, str) else None
        if check is None:
            raise RequestRefused(Reason.UNSUPPORTED_VALUE, f"{at}.type")
        check(part, at)


def check_tools(value: object, path: str) -> None:
    """Check ``tools``: functions only, which the caller runs; a hosted tool would act and store on the service's side."""
    for tool, at in _objects(value, path):
        if tool.get("type") != "function":
            raise RequestRefused(Reason.UNSUPPORTED_VALUE, f"{at}.type")


def check_tool_choice(value: object, path: str) -> None:
    """Check ``tool_choice``: a mode, or functions."""
    if isinstance(value, str):
        return
    if not isinstance(value, dict):
        raise RequestRefused(Reason.INVALID_TYPE, path)
    if value.get("type") not in ("function", "allowed_tools"):
        raise RequestRefused(Reason.UNSUPPORTED_VALUE, f"{path}.type")


def _objects(value: object, path: str) -> list[tuple[dict[str, Any], str]]:
    if value is None:
        raise RequestRefused(Reason.MISSING_FIELD, path)
    if not isinstance(value, list):
        raise RequestRefused(Reason.INVALID_TYPE, path)
    items = []
    for position, item in enumerate(value):
        at = f"{path}[{position}]"
        if not isinstance(item, dict):
            raise RequestRefused(Reason.INVALID_TYPE, at)
        items.append((item, at))
    return items


def _text(part: dict[str, Any], name: str, path: str) -> None:
    value = part.get(name)
    if not isinstance(value, str):
        raise RequestRefused(Reason.MISSING_FIELD if value is None else Reason.INVALID_TYPE, f"{path}.{name}")


def _has(name: str) -> Check:
    return lambda part, path: _text(part, name, path)


def _carried(name: str, *, refused: tuple[str, ...]) -> Check:
    """The data must stand in the request as a ``data:`` URL."""

    def check(part: dict[str, Any], path: str) -> None:
        for other in refused:
            if part.get(other) is not None:
                raise RequestRefused(Reason.UNSUPPORTED_FIELD, f"{path}.{other}")
        _text(part, name, path)
        if not part[name].startswith("data:"):
            raise RequestRefused(Reason.UNSUPPORTED_VALUE, f"{path}.{name}")

    return check


def _nested(name: str, check: Check) -> Check:
    def check_nested(part: dict[str, Any], path: str) -> None:
        inner = part.get(name)
        if not isinstance(inner, dict):
            raise RequestRefused(Reason.MISSING_FIELD if inner is None else Reason.INVALID_TYPE, f"{path}.{name}")
        check(inner, f"{path}.{name}")

    return check_nested


_RESPONSES_PARTS: dict[str, Check] = {
    "input_text": _has("text"),
    "output_text": _has("text"),
    "refusal": _has("refusal"),
    "input_image": _carried("image_url", refused=("file_id",)),
    "input_file": _carried("file_data", refused=("file_id", "file_url")),
}

_CHAT_PARTS: dict[str, Check] = {
    "text": _has("text"),
    "refusal": _has("refusal"),
    "image_url": _nested("image_url", _carried("url", refused=())),
    "file": _nested("file", _carried("file_data", refused=("file_id",))),
}
