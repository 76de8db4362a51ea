"""Azure's content filter annotations: categories, what was noticed and let through, the blocked prompt, a classifier down."""

from dataclasses import dataclass

from local.model.errors import ModelError

HARMS = ("hate", "self_harm", "sexual", "violence")
PROMPT_SHIELDS = ("jailbreak", "indirect_attack")
COMPLETION_CHECKS = ("protected_material_text", "protected_material_code")

type Results = dict[str, dict[str, object]]

CITATION = {"URL": "https://github.com/contoso/quoted/blob/main/quoted.py", "license": "MIT"}
"""The source of whatever protected code a completion is told to quote."""

KINDS_OF_PII = ("Email", "PhoneNumber")


@dataclass(frozen=True, kw_only=True)
class Noticed:
    """What a filter detects and lets through; prompt shields in the prompt, all else in the completion."""

    categories: tuple[str, ...] = ()
    citation: bool = False
    pii: bool = False
    blocklists: tuple[str, ...] = ()


NOTHING = Noticed()

CLASSIFIER_DOWN: Results = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}


def prompt_results(*, blocked: str | None = None, unfiltered: bool = False, noticed: Noticed = NOTHING) -> Results:
    """Annotations of a prompt."""
    if unfiltered:
        return dict(CLASSIFIER_DOWN)
    shields = [name for name in noticed.categories if name in PROMPT_SHIELDS]
    return _results(PROMPT_SHIELDS, shields, blocked)


def completion_results(*, blocked: str | None = None, unfiltered: bool = False, noticed: Noticed = NOTHING) -> Results:
    """Annotations of a completion."""
    if unfiltered:
        return dict(CLASSIFIER_DOWN)
    detected = [name for name in noticed.categories if name not in PROMPT_SHIELDS]
    results = _results(COMPLETION_CHECKS, detected, blocked)
    if noticed.citation:
        results["protected_material_code"] = {"detected": True, "filtered": False, "citation": dict(CITATION)}
    if noticed.pii:
        flags = {"detected": True, "filtered": False, "redacted": False}
        kinds = [{"sub_category": kind, **flags} for kind in KINDS_OF_PII]
        results["personally_identifiable_information"] = {"detected": True, "filtered": False, "sub_categories": kinds}
    if noticed.blocklists:
        details = [{"id": name, "filtered": True} for name in noticed.blocklists]
        results["custom_blocklists"] = {"filtered": True, "details": details}
    return results


def source(source_type: str, results: Results, *, blocked: bool = False, characters: int = 0) -> dict[str, object]:
    """One entry of ``content_filters``, the form of the Responses API."""
    return {
        "blocked": blocked,
        "source_type": source_type,
        "content_filter_raw": [],
        "content_filter_results": results,
        "content_filter_offsets": {"start_offset": 0, "end_offset": characters, "check_offset": 0},
    }


def prompt_blocked(category: str, param: str) -> ModelError:
    """The 400 for a prompt that the filter stopped; ``innererror`` says why, its member is singular on the wire."""
    results = prompt_results(blocked=category)
    details: dict[str, object] = {
        "type": None,
        "param": "prompt",
        "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results},
    }
    if param == "input":
        details["content_filters"] = [source("prompt", results, blocked=True)]
    return ModelError(
        400,
        "content_filter",
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry.",
        **details,
    )


def _results(detections: tuple[str, ...], noticed: list[str], blocked: str | None) -> Results:
    results: Results = {name: {"filtered": False, "severity": "safe"} for name in HARMS}
    results |= {name: {"detected": False, "filtered": False} for name in detections}
    for name in noticed:
        results.pop(name.replace("-", "_"), None)
        harm = name.replace("-", "_") in HARMS
        results[name] = {"filtered": False, **({"severity": "low"} if harm else {"detected": True})}
    if blocked:
        # Azure also spells this category with a hyphen: whoever asks for that form gets it in place of the other.
        plain = blocked.replace("-", "_")
        results.pop(plain, None)
        harm = plain in HARMS
        results[blocked] = {"filtered": True, **({"severity": "high"} if harm else {"detected": True})}
    return results
