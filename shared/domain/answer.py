"""What an answer of the model service means for a generation."""

import re
from dataclasses import dataclass, field
from typing import Any

from shared.domain import filter_outcome
from shared.domain.bodies import Endpoint
from shared.domain.filter_outcome import FilterOutcome, Verdict
from shared.domain.generation import ErrorCode, Outcome, Status, Usage
from shared.domain.json_document import Json
from shared.domain.policy import Filtering
from shared.domain.upstream import kept
from shared.errors import Failure, ModelFailed

_CODE = re.compile(r"[A-Za-z0-9 _.-]{1,64}")
_OK = 200


@dataclass(frozen=True, kw_only=True)
class ModelAnswer:
    """An answer that a generation can be made of: a 200, or the 400 of a blocked prompt."""

    status_code: int
    request_id: str | None
    region: str | None
    body: Json = field(repr=False)


class Unfiltered(ModelFailed):
    """The required filter did not see the completion; ``found`` is what it said of the rest."""

    def __init__(self, found: FilterOutcome) -> None:
        super().__init__(Failure.UNFILTERED)
        self.found = found


def outcome(endpoint: Endpoint, answer: ModelAnswer) -> Outcome:
    """Read an answer; raises `ModelFailed` when it is no answer to this endpoint, or says itself that it failed."""
    if answer.status_code != _OK:
        found = filter_outcome.of_blocked_prompt(answer.body.get("error"))
        return Outcome(status=Status.FAILED, error_code=ErrorCode.CONTENT_FILTER, content_filter=found)
    match endpoint:
        case Endpoint.RESPONSES:
            return _of_response(answer)
        case Endpoint.CHAT_COMPLETIONS:
            return _of_chat_completion(answer)
        case Endpoint.EMBEDDINGS:
            return _of_embeddings(answer)


def filtered(outcome: Outcome, filtering: Filtering) -> Outcome:
    """Return an outcome that may be handed out; raises `Unfiltered` where the filter is required, and did not see it."""
    found = outcome.content_filter
    if filtering is Filtering.REQUIRED and found is not None and found.verdict is Verdict.UNFILTERED:
        raise Unfiltered(found)
    return outcome


def _of_response(answer: ModelAnswer) -> Outcome:
    body = answer.body
    found = filter_outcome.of_response(body)
    if found.verdict is Verdict.PROMPT_BLOCKED:
        return Outcome(status=Status.FAILED, error_code=ErrorCode.CONTENT_FILTER, content_filter=found)
    blocked = found.verdict is Verdict.COMPLETION_BLOCKED
    if body.get("status") == "failed" and not blocked:
        error = body.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        raise ModelFailed(
            {"rate_limit_exceeded": Failure.RATE_LIMITED, "invalid_prompt": Failure.REJECTED}.get(
                code if isinstance(code, str) else "", Failure.UNAVAILABLE
            )
        )
    has_output = blocked or isinstance(body.get("output"), list)  # a blocked one may have been cut before its first word
    if body.get("status") not in ("completed", "incomplete", "failed") or not has_output:
        raise ModelFailed(Failure.INVALID_OUTPUT)
    status = Status.INCOMPLETE if blocked or body["status"] == "incomplete" else Status.COMPLETED
    return _outcome(answer, status, found, _usage(body, "input_tokens", "output_tokens"))


def _of_chat_completion(answer: ModelAnswer) -> Outcome:
    choices = answer.body.get("choices")
    if not isinstance(choices, list) or not choices or not all(_is_choice(choice) for choice in choices):
        raise ModelFailed(Failure.INVALID_OUTPUT)
    found = filter_outcome.of_chat_completion(answer.body)
    status = Status.INCOMPLETE if found.verdict is Verdict.COMPLETION_BLOCKED else Status.COMPLETED
    return _outcome(answer, status, found, _usage(answer.body, "prompt_tokens", "completion_tokens"))


def _is_choice(choice: object) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("message"), dict)


def _of_embeddings(answer: ModelAnswer) -> Outcome:
    if not isinstance(answer.body.get("data"), list):
        raise ModelFailed(Failure.INVALID_OUTPUT)
    return _outcome(answer, Status.COMPLETED, None, _usage(answer.body, "prompt_tokens", None))


def _outcome(answer: ModelAnswer, status: Status, found: FilterOutcome | None, usage: Usage | None) -> Outcome:
    return Outcome(
        status=status,
        content_filter=found,
        status_code=answer.status_code,
        request_id=_code(answer.request_id),
        body=kept(answer.body),
        usage=usage,
        processed_in=_code(answer.region),
    )


def _usage(body: Json, into: str, out: str | None) -> Usage | None:
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    return Usage(input_tokens=_count(usage.get(into)), output_tokens=_count(usage.get(out)) if out else 0)


def _count(value: Any) -> int:  # noqa: ANN401 - foreign JSON
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _code(value: str | None) -> str | None:
    """A short technical name from a response header; anything else is dropped, since it will be kept with the receipt."""
    return value if value and _CODE.fullmatch(value) else None
