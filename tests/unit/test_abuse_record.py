"""Which jobs leave a record for abuse review, and how long it and the key that opens it last."""

from datetime import UTC, date, datetime

import pytest

from shared.domain import abuse_record
from shared.domain.abuse_record import Kept, day_of, expires_at, is_over, key_of, longest_seconds, why_kept
from shared.domain.filter_outcome import FilterOutcome, Verdict
from shared.domain.generation import EXPIRED, Outcome, Status
from shared.domain.policy import DAY, AbuseMonitoring, Retention

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
OPTED_OUT = AbuseMonitoring(mode="opted_out", approval="AOAI-1", approved_on=date(2026, 3, 2))


def ended(verdict: Verdict | None, *, body: bool = True) -> Outcome:
    """An outcome with this verdict of the filter."""
    found = FilterOutcome(verdict=verdict, categories={}) if verdict else None
    return Outcome(status=Status.COMPLETED, content_filter=found, body={"output": []} if body else None)


@pytest.mark.parametrize(
    ("mode", "outcome", "watched", "why"),
    [
        ("flagged", ended(Verdict.PASSED), False, None),
        ("flagged", ended(Verdict.PASSED), True, Kept.ALERT),
        ("flagged", ended(Verdict.ANNOTATED), False, Kept.FLAGGED),
        ("flagged", ended(Verdict.PROMPT_BLOCKED, body=False), False, Kept.FLAGGED),
        ("flagged", ended(Verdict.COMPLETION_BLOCKED), True, Kept.FLAGGED),
        ("flagged", ended(Verdict.UNFILTERED), False, Kept.FLAGGED),
        ("flagged", ended(None), False, None),  # embeddings: no filter speaks of them
        ("flagged", ended(None), True, Kept.ALERT),
        ("all", ended(Verdict.PASSED), False, Kept.ALL),
        ("all", ended(None), False, Kept.ALL),
        ("all", ended(Verdict.ANNOTATED), False, Kept.FLAGGED),
        ("all", EXPIRED, True, None),  # no model saw it
        ("all", Outcome(status=Status.FAILED, error_code="model_timeout"), True, None),
        ("off", ended(Verdict.PROMPT_BLOCKED), True, None),
    ],
)
def test_a_job_leaves_a_record(mode: str, outcome: Outcome, *, watched: bool, why: Kept | None) -> None:
    assert why_kept(AbuseMonitoring.model_validate({"mode": mode}), outcome, is_watched=watched) is why


@pytest.mark.parametrize("verdict", [*Verdict, None])
def test_a_tenant_that_opted_out_leaves_none(verdict: Verdict | None) -> None:
    assert why_kept(OPTED_OUT, ended(verdict), is_watched=True) is None


@pytest.mark.parametrize("recovery_days", [7, 14, 28])
def test_thirty_days_after_admission_the_key_is_beyond_recovery_too(recovery_days: int) -> None:
    retention = Retention(output_seconds=1, receipt_seconds=1, abuse_record_seconds=30 * DAY)
    for admitted_at in (NOON, NOON + 0.5, NOON - DAY / 2, NOON + DAY / 2 - 1):
        ends_at = expires_at(retention, admitted_at=admitted_at, recovery_days=recovery_days)
        day = day_of(key_of(ends_at))
        assert day is not None
        assert not is_over(day, ends_at)
        assert is_over(day, ends_at + DAY)
        assert ends_at + DAY + recovery_days * DAY <= admitted_at + 30 * DAY


def test_a_policy_shortens_it() -> None:
    retention = Retention(output_seconds=1, receipt_seconds=1, abuse_record_seconds=60)
    assert expires_at(retention, admitted_at=NOON, recovery_days=7) == NOON + 60
    assert longest_seconds(abuse_record.LONGEST_RECOVERY_DAYS) == DAY


def test_a_key_is_named_after_the_day_on_which_its_records_end() -> None:
    assert key_of(NOON) == "lethe-abuse-2026-11-25"
    assert day_of("lethe-abuse-2026-11-25") == date(2026, 11, 25)
    for other in (
        "lethe-evidence",
        "lethe-abuse-2026-11-31",
        "lethe-abuse-2026-11-25-x",
        "lethe-abuse-",
        "x-lethe-abuse-2026-11-25",
    ):
        assert day_of(other) is None
