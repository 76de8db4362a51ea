"""Azure's content filter annotations: categories, the blocked prompt, and the classifier that was down."""

from local.model.errors import ModelError

HARMS = ("hate", "self_harm", "sexual", "violence")
PROMPT_SHIELDS = ("jailbreak", "indirect_attack")
COMPLETION_CHECKS = ("protected_material_text", "protected_material_code")

type Results = dict[str, dict[str, object]]

CLASSIFIER_DOWN: Results = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}


def prompt_results(*, blocked: str | None = None, unfiltered: bool = False) -> Results:
    """Annotations of a prompt."""
    return dict(CLASSIFIER_DOWN) if unfiltered else _results(PROMPT_SHIELDS, blocked)


def completion_results(*, blocked: str | None = None, unfiltered: bool = False) -> Results:
    """Annotations of a completion."""
    return dict(CLASSIFIER_DOWN) if unfiltered else _results(COMPLETION_CHECKS, blocked)


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


def _results(detections: tuple[str, ...], blocked: str | None) -> Results:
    results: Results = {name: {"filtered": False, "severity": "safe"} for name in HARMS}
    results |= {name: {"detected": False, "filtered": False} for name in detections}
    if blocked:
        # Azure also spells this category with a hyphen: whoever asks for that form gets it in place of the other.
        plain = blocked.replace("-", "_")
        results.pop(plain, None)
        harm = plain in HARMS
        results[blocked] = {"filtered": True, **({"severity": "high"} if harm else {"detected": True})}
    return results
