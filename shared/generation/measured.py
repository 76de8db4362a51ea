"""What a job tells as metrics: where it may be processed, and how it ended."""

from shared.domain.generation import Outcome
from shared.errors import Failure, Reason, RequestRefused
from shared.metrics import Decision, Metric, Withheld, count

_DECISIONS = {Reason.WRONG_GEOGRAPHY: Decision.WRONG_GEOGRAPHY, Reason.RESIDENCY_FORBIDDEN: Decision.FORBIDDEN}


def measure_residency(refusal: RequestRefused | None) -> None:
    """Tell of a decision where a request may be processed; a refusal for another reason is none."""
    decision = _DECISIONS.get(refusal.reason) if refusal else Decision.ALLOWED
    if decision is not None:
        count(Metric.RESIDENCY_DECISIONS, decision=decision)


def measure_end(outcome: Outcome) -> None:
    """Tell of a job that ended, and what the content filter had said."""
    count(Metric.GENERATIONS, status=outcome.status)
    if outcome.error_code == Failure.UNFILTERED:
        count(Metric.FILTER_OUTCOMES, outcome=Withheld.WITHHELD)
    elif outcome.content_filter is not None:
        count(Metric.FILTER_OUTCOMES, outcome=outcome.content_filter.verdict)
