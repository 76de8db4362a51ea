import pytest

from shared.domain.retry import ATTEMPTS, LONGEST_BACKOFF, Again, GiveUp, decide
from shared.errors import Failure

NOW = 1000.0


@pytest.mark.parametrize(
    ("failure", "attempts", "retry_after", "expires_at", "decision"),
    [
        # The pause doubles from one second, and stops growing
        (Failure.UNAVAILABLE, 1, None, 9999.0, Again(at=1001.0)),
        (Failure.UNAVAILABLE, 2, None, 9999.0, Again(at=1002.0)),
        (Failure.UNAVAILABLE, 4, None, 9999.0, Again(at=1008.0)),
        (Failure.RATE_LIMITED, 9, None, 9999.0, Again(at=1256.0)),
        (Failure.RATE_LIMITED, 10, None, 9999.0, Again(at=NOW + LONGEST_BACKOFF)),
        (Failure.RATE_LIMITED, 100_000, None, 9999.0, Again(at=NOW + LONGEST_BACKOFF)),
        # What the service asks for is honoured whole, shorter and longer than ours
        (Failure.RATE_LIMITED, 1, 0.25, 9999.0, Again(at=1000.25)),
        (Failure.RATE_LIMITED, 7, 0.0, 9999.0, Again(at=1000.0)),
        (Failure.RATE_LIMITED, 1, 3600.0, 9999.0, Again(at=4600.0)),
        (Failure.UNAVAILABLE, 1, 30.0, 9999.0, Again(at=1030.0)),
        (Failure.RATE_LIMITED, 1, -5.0, 9999.0, Again(at=1000.0)),
        # No next attempt at the deadline or later
        (Failure.RATE_LIMITED, 1, 3600.0, 4600.0, GiveUp(code="expired")),
        (Failure.RATE_LIMITED, 1, 3600.0, 4600.1, Again(at=4600.0)),
        (Failure.RATE_LIMITED, 1, float("inf"), 9999.0, GiveUp(code="expired")),
        (Failure.UNAVAILABLE, 1, None, 1000.5, GiveUp(code="expired")),
        # A request that is wrong stays wrong
        (Failure.REJECTED, 1, None, 9999.0, GiveUp(code="model_rejected_request")),
        (Failure.REJECTED, 1, 1.0, 9999.0, GiveUp(code="model_rejected_request")),
        # What may have been paid for is repeated less often
        (Failure.TIMEOUT, 2, None, 9999.0, Again(at=1002.0)),
        (Failure.TIMEOUT, 3, None, 9999.0, GiveUp(code="model_timeout")),
        (Failure.INVALID_OUTPUT, 3, None, 9999.0, GiveUp(code="invalid_model_output")),
        (Failure.UNFILTERED, 1, None, 9999.0, Again(at=1001.0)),
        (Failure.UNFILTERED, 2, None, 9999.0, Again(at=1002.0)),
        (Failure.UNFILTERED, 3, None, 9999.0, GiveUp(code="content_filter_unavailable")),
        (Failure.DEPLOYMENT_NOT_FOUND, 3, None, 9999.0, GiveUp(code="deployment_not_found")),
        (Failure.ACCESS_DENIED, 7, None, 9999.0, Again(at=1064.0)),
        (Failure.ACCESS_DENIED, 8, None, 9999.0, GiveUp(code="model_access_denied")),
        (Failure.UNAVAILABLE, 8, None, 9999.0, GiveUp(code="model_unavailable")),
        (Failure.UNAVAILABLE, 9, None, 9999.0, GiveUp(code="model_unavailable")),  # a count from a former release
    ],
)
def test_a_failed_call_is_repeated_or_given_up(
    failure: Failure, attempts: int, retry_after: float | None, expires_at: float, decision: Again | GiveUp
) -> None:
    found = decide(failure, attempts=attempts, retry_after=retry_after, now=NOW, expires_at=expires_at)
    assert found == decision


def test_every_failure_but_a_rate_limit_ends_after_a_fixed_number_of_attempts() -> None:
    assert {*Failure} - {*ATTEMPTS} == {Failure.RATE_LIMITED, Failure.REJECTED}
