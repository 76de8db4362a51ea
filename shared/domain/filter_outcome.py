"""What the content filter of Azure OpenAI said about a prompt and its completion, as one value.

Shapes: chat completions carry ``prompt_filter_results`` and ``choices[].content_filter_results``; Responses carry a list
``content_filters``; a blocked prompt is a 400 whose ``innererror`` has ``content_filter_result`` (plural in some documents).
A classifier that was down answers ``error`` in place of categories: that text is *unfiltered*, which is not the same as safe.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """From harmless to unknown. ``annotated``: something was detected and let through."""

    PASSED = "passed"
    ANNOTATED = "annotated"
    PROMPT_BLOCKED = "prompt_blocked"
    COMPLETION_BLOCKED = "completion_blocked"
    UNFILTERED = "unfiltered"


@dataclass(frozen=True, kw_only=True)
class FilterOutcome:
    """The verdict, and each category's findings in codes: no text of a citation or a blocklist term is kept."""

    verdict: Verdict
    categories: dict[str, dict[str, bool | str]]

    def as_json(self) -> dict[str, Any]:
        """``content_filter`` of a generation."""
        return {"outcome": self.verdict, "categories": self.categories}


KNOWN_CATEGORIES = frozenset(
    {"hate", "sexual", "violence", "self_harm", "profanity", "jailbreak", "indirect_attack", "protected_material_text"}
    | {"protected_material_code", "personally_identifiable_information", "custom_blocklists", "ungrounded_material"}
)
_SEVERITIES = ("safe", "low", "medium", "high", "unknown")
"""From harmless to grave; what we cannot read is taken for the gravest."""


def of_blocked_prompt(innererror: object) -> FilterOutcome:
    """Parse the 400 of a blocked prompt."""
    found = innererror if isinstance(innererror, dict) else {}
    results = found.get("content_filter_result") or found.get("content_filter_results")
    return FilterOutcome(verdict=Verdict.PROMPT_BLOCKED, categories=_merge([results]))


def of_chat_completion(body: dict[str, Any]) -> FilterOutcome:
    """Parse a 200 of chat completions."""
    choices = [choice for choice in _list(body.get("choices")) if isinstance(choice, dict)]
    prompts = [
        entry.get("content_filter_results", entry.get("content_filter_result"))
        for entry in _list(body.get("prompt_filter_results"))
        if isinstance(entry, dict)
    ]
    completions = [choice.get("content_filter_results") for choice in choices]
    blocked = any(choice.get("finish_reason") == "content_filter" for choice in choices)
    return _outcome(prompts, completions, completion_blocked=blocked)


def of_response(body: dict[str, Any]) -> FilterOutcome:
    """Parse a 200 of Responses, whatever its own status says."""
    filters = [entry for entry in _list(body.get("content_filters")) if isinstance(entry, dict)]
    of_prompt = [entry for entry in filters if str(entry.get("source_type")).lower() == "prompt"]
    prompts = [entry.get("content_filter_results") for entry in of_prompt]
    completions = [entry.get("content_filter_results") for entry in filters if entry not in of_prompt]
    if any(entry.get("blocked") is True for entry in of_prompt):
        return FilterOutcome(verdict=Verdict.PROMPT_BLOCKED, categories=_merge(prompts))
    details = body.get("incomplete_details")
    stopped = isinstance(details, dict) and details.get("reason") == "content_filter"
    blocked = stopped or any(entry.get("blocked") is True for entry in filters)
    return _outcome(prompts, completions, completion_blocked=blocked)


def _outcome(prompts: list[object], completions: list[object], *, completion_blocked: bool) -> FilterOutcome:
    """Decide: a completion is only called filtered when prompt and completion were, whole and readably."""
    categories = _merge([*prompts, *completions])
    if completion_blocked:
        verdict = Verdict.COMPLETION_BLOCKED
    elif not (prompts and completions and all(_is_complete(results) for results in [*prompts, *completions])):
        verdict = Verdict.UNFILTERED
    elif any(_noticed(finding) for finding in categories.values()):
        verdict = Verdict.ANNOTATED
    else:
        verdict = Verdict.PASSED
    return FilterOutcome(verdict=verdict, categories=categories)


def _is_complete(results: object) -> bool:
    """Whether each classifier said something readable; one that was down says ``error``, at either level."""
    return isinstance(results, dict) and bool(results) and all(_codes(finding) for finding in results.values())


def _merge(groups: Iterable[object]) -> dict[str, dict[str, bool | str]]:
    """Return the findings by category, the graver where one is found twice."""
    merged: dict[str, dict[str, bool | str]] = {}
    for results in groups:
        if not isinstance(results, dict):
            continue
        for name, finding in results.items():
            if name == "error":
                continue
            key = name.replace("-", "_")
            key = key if key in KNOWN_CATEGORIES else "other"
            codes = _codes(finding)
            if key not in merged or _gravity(codes) > _gravity(merged[key]):
                merged[key] = codes
    return merged


def _codes(finding: object) -> dict[str, bool | str]:
    if isinstance(finding, list):  # blocklists: one entry each
        flags = [entry.get("filtered") for entry in finding if isinstance(entry, dict)]
        return {"filtered": any(flag is True for flag in flags)} if flags and len(flags) == len(finding) else {}
    if not isinstance(finding, dict):
        return {}
    codes: dict[str, bool | str] = {
        flag: finding[flag] for flag in ("filtered", "detected") if isinstance(finding.get(flag), bool)
    }
    severity = finding.get("severity")
    if severity is not None:
        codes["severity"] = severity if isinstance(severity, str) and severity in _SEVERITIES else "unknown"
    return codes


def _noticed(codes: dict[str, bool | str]) -> bool:
    return bool(codes.get("filtered") or codes.get("detected") or codes.get("severity", "safe") != "safe")


def _gravity(codes: dict[str, bool | str]) -> tuple[bool, bool, int]:
    severity = str(codes.get("severity", "safe"))
    return bool(codes.get("filtered")), bool(codes.get("detected")), _SEVERITIES.index(severity)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
