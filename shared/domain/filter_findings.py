"""What a content filter found, by category and in codes of our own: no word that a filter quotes gets through here.

What is read is foreign JSON of any depth. So nothing here recurses, and nothing raises.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

type Codes = dict[str, bool | str]
"""``filtered``, ``detected`` and ``severity``, as far as a filter said them."""


class Category(StrEnum):
    """What Azure OpenAI's filter looks for: harms, prompt shields, protected material, and what a customer configures."""

    HATE = "hate"
    SEXUAL = "sexual"
    VIOLENCE = "violence"
    SELF_HARM = "self_harm"
    PROFANITY = "profanity"
    JAILBREAK = "jailbreak"
    INDIRECT_ATTACK = "indirect_attack"
    PROTECTED_MATERIAL_TEXT = "protected_material_text"
    PROTECTED_MATERIAL_CODE = "protected_material_code"
    PERSONALLY_IDENTIFIABLE_INFORMATION = "personally_identifiable_information"
    CUSTOM_BLOCKLISTS = "custom_blocklists"
    UNGROUNDED_MATERIAL = "ungrounded_material"
    OTHER = "other"
    """A category that is newer than this list."""


_CATEGORIES = {category.value: category for category in Category}
_SEVERITIES = ("safe", "low", "medium", "high", "unknown")
"""From harmless to grave; what we cannot read is taken for the gravest."""

_FOUND = frozenset({"filtered", "detected", "redacted", "blocked"})
"""Flags that say, when true, that something was found."""

_CONTENT = frozenset(
    {"output", "tools", "tool_choice", "text", "metadata", "instructions", "input", "prompt", "reasoning", "usage"}
)
_CONTENT_OF_CHOICE = frozenset({"message", "logprobs"})
"""Members of an answer that hold content, or repeat the request: a caller's schema may have a property ``error``."""


def category_of(name: str) -> Category:
    """Return a category by its name, which Azure also spells with a hyphen."""
    return _CATEGORIES.get(name.replace("-", "_"), Category.OTHER)


def members(value: object) -> Iterator[tuple[str, object]]:
    """Yield name and value of each member of every object inside a value."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            yield from current.items()
            waiting.extend(current.values())
        elif isinstance(current, list):
            waiting.extend(current)


def by_category(groups: Iterable[object]) -> dict[Category, Codes]:
    """Return the codes of all results by category, the graver where one is found twice."""
    merged: dict[Category, Codes] = {}
    for results in groups:
        for name, finding in results.items() if isinstance(results, dict) else ():
            if name == "error":
                continue
            key, codes = category_of(name), codes_of(finding)
            if key not in merged or _gravity(codes) > _gravity(merged[key]):
                merged[key] = codes
    return merged


def codes_of(finding: object) -> Codes:
    """Read a finding; what its parts say (a blocklist, a kind of personal information) is said of the whole."""
    codes: Codes = {}
    severities = []
    for name, value in members(finding):
        flag = "detected" if name == "redacted" else name
        if flag in ("filtered", "detected") and isinstance(value, bool):
            codes[flag] = value or codes.get(flag, False)
        elif name == "severity" and value is not None:
            severities.append(value if isinstance(value, str) and value in _SEVERITIES else "unknown")
    if severities:
        codes["severity"] = max(severities, key=_SEVERITIES.index)
    return codes


def is_readable(results: object) -> bool:
    """Whether each classifier said something readable; one that was down says ``error``, at either level."""
    return isinstance(results, dict) and bool(results) and all(_is_whole(finding) for finding in results.values())


def has_found(codes: Codes) -> bool:
    """Whether anything was filtered or detected, or is not safe."""
    return bool(codes.get("filtered") or codes.get("detected") or codes.get("severity", "safe") != "safe")


def is_doubtful(answer: dict[str, Any]) -> bool:
    """Whether an answer tells of an error anywhere, or has a flag that is neither true nor false."""
    return any(
        value is not None and (name == "error" or (name in _FOUND and not isinstance(value, bool)))
        for name, value in _told(answer)
    )


def found_anywhere(answer: dict[str, Any]) -> bool:
    """Whether an answer tells of a finding in any place, one that nobody knows yet too."""
    return any(
        (name in _FOUND and value is True) or (name == "severity" and value is not None and value != "safe")
        for name, value in _told(answer)
    )


def short_code(category: Category, codes: Codes) -> str:
    """Return a finding as one word, such as ``jailbreak:detected`` or ``violence:filtered:high``."""
    severity = codes.get("severity", "safe")
    way = "filtered" if codes.get("filtered") else "detected"
    return ":".join((category, way) if severity == "safe" else (category, way, str(severity)))


def _told(answer: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Every member of an answer but for its content."""
    choices = answer.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        yield from members(_without(choice, _CONTENT_OF_CHOICE))
    yield from members(_without(answer, _CONTENT | {"choices"} if isinstance(choices, list) else _CONTENT))


def _without(value: object, names: frozenset[str]) -> object:
    return {name: inner for name, inner in value.items() if name not in names} if isinstance(value, dict) else value


def _is_whole(finding: object) -> bool:
    entries = finding if isinstance(finding, list) else [finding]
    return all(isinstance(entry, dict) and codes_of(entry) for entry in entries) and bool(entries)


def _gravity(codes: Codes) -> tuple[bool, bool, int]:
    severity = str(codes.get("severity", "safe"))
    return bool(codes.get("filtered")), bool(codes.get("detected")), _SEVERITIES.index(severity)
