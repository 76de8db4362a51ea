"""What the content filter of Azure OpenAI said about a prompt and its completion, as one value.

Shapes: chat completions carry ``prompt_filter_results`` and ``choices[].content_filter_results``; Responses carry a list
``content_filters``; a blocked prompt is a 400 whose ``innererror`` has ``content_filter_result``, or a failed response. The
name of the results is singular on some wires and plural in some documents: both are read everywhere. A classifier that was
down answers ``error`` in place of categories: that text is *unfiltered*, which is not the same as safe.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain import filter_details, filter_findings
from shared.domain.filter_details import Details
from shared.domain.filter_findings import Category, Codes

_RESULTS = ("content_filter_results", "content_filter_result")
_BLOCKED = "content_filter"
"""A code of an error, a ``finish_reason``, a reason of ``incomplete_details``."""


class Verdict(StrEnum):
    """From harmless to unknown. ``annotated``: something was detected and let through."""

    PASSED = "passed"
    ANNOTATED = "annotated"
    PROMPT_BLOCKED = "prompt_blocked"
    COMPLETION_BLOCKED = "completion_blocked"
    UNFILTERED = "unfiltered"


@dataclass(frozen=True, kw_only=True)
class FilterOutcome:
    """The verdict, each category's findings in codes, and in ``details`` the texts that they refer to, which are content."""

    verdict: Verdict
    categories: dict[Category, Codes]
    details: Details = filter_details.NONE

    def as_json(self) -> dict[str, Any]:
        """``content_filter`` of a generation: content, for the output only."""
        return {"outcome": self.verdict, "categories": self.categories, "details": self.details.as_json()}

    def codes(self) -> list[str]:
        """What was noticed, sorted, at most one code for each category: free of content, for receipts."""
        noticed = {name: codes for name, codes in self.categories.items() if filter_findings.has_found(codes)}
        return sorted(filter_findings.short_code(name, codes) for name, codes in noticed.items())


def of_blocked_prompt(error: object) -> FilterOutcome:
    """Parse the ``error`` of a 400, which has the findings in one of several places."""
    return _blocked(Verdict.PROMPT_BLOCKED, _results_within(error))


def of_chat_completion(body: dict[str, Any]) -> FilterOutcome:
    """Parse a 200 of chat completions."""
    choices = _list(body.get("choices"))
    prompts = [results for entry in _list(body.get("prompt_filter_results")) for results in _results(entry)]
    completions = [results for choice in choices for results in _results(choice)]
    if any(isinstance(choice, dict) and choice.get("finish_reason") == _BLOCKED for choice in choices):
        return _blocked(Verdict.COMPLETION_BLOCKED, [*prompts, *completions])
    return _let_through(body, [*prompts, *completions], both_sides=bool(prompts and completions))


def of_response(body: dict[str, Any]) -> FilterOutcome:
    """Parse a 200 of Responses, whatever its own status says."""
    entries = _list(body.get("content_filters"))
    prompts = [results for entry in entries if _source(entry) == "prompt" for results in _results(entry)]
    completions = [results for entry in entries if _source(entry) == "completion" for results in _results(entry)]
    others = [results for entry in entries if _source(entry) not in {"prompt", "completion"} for results in _results(entry)]
    error = body.get("error")
    everything = [*prompts, *completions, *others, *_results_within(error)]
    blocked = {_source(entry) for entry in entries if isinstance(entry, dict) and entry.get("blocked") is True}
    if "prompt" in blocked:
        return _blocked(Verdict.PROMPT_BLOCKED, everything)
    details = body.get("incomplete_details")
    if blocked or (isinstance(details, dict) and details.get("reason") == _BLOCKED):
        return _blocked(Verdict.COMPLETION_BLOCKED, everything)
    if body.get("status") == "failed":
        refused = isinstance(error, dict) and error.get("code") == _BLOCKED
        return _blocked(_refused_side(prompts, completions) if refused else Verdict.UNFILTERED, everything)
    return _let_through(body, everything, both_sides=bool(prompts and completions))


def _blocked(verdict: Verdict, groups: list[object]) -> FilterOutcome:
    """The verdict that was said elsewhere, with whatever findings there are."""
    return FilterOutcome(
        verdict=verdict, categories=filter_findings.by_category(groups), details=filter_details.of_results(groups)
    )


def _refused_side(prompts: list[object], completions: list[object]) -> Verdict:
    """What an error that does not say it was about: the prompt, as with a 400, unless only the completion was filtered."""
    prompt, completion = (filter_findings.by_category(groups).values() for groups in (prompts, completions))
    of_completion = any(codes.get("filtered") for codes in completion) and not any(codes.get("filtered") for codes in prompt)
    return Verdict.COMPLETION_BLOCKED if of_completion else Verdict.PROMPT_BLOCKED


def _let_through(body: dict[str, Any], groups: list[object], *, both_sides: bool) -> FilterOutcome:
    """Decide: a completion is only called filtered when prompt and completion were, whole and readably."""
    is_whole = both_sides and all(filter_findings.is_readable(results) for results in groups)
    categories = filter_findings.by_category(groups)
    noticed = any(filter_findings.has_found(codes) for codes in categories.values())
    if filter_findings.found_anywhere(body) and not noticed:
        categories[Category.OTHER] = {"detected": True}
        noticed = True
    if not is_whole or filter_findings.is_doubtful(body):
        verdict = Verdict.UNFILTERED
    else:
        verdict = Verdict.ANNOTATED if noticed else Verdict.PASSED
    return FilterOutcome(verdict=verdict, categories=categories, details=filter_details.of_results(groups))


def _results(entry: object) -> list[object]:
    """The results of an entry under either name; of one without any, None, which nobody can read."""
    found = [entry[name] for name in _RESULTS if entry.get(name) is not None] if isinstance(entry, dict) else []
    return found or [None]


def _results_within(error: object) -> list[object]:
    """Results in whichever place: ``innererror``, ``inner_error``, an entry of ``content_filters``, or the error itself."""
    return [value for name, value in filter_findings.members(error) if name in _RESULTS]


def _source(entry: object) -> str:
    found = entry.get("source_type") if isinstance(entry, dict) else None
    return found.lower() if isinstance(found, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
