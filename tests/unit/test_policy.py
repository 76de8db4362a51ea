import pytest
from pydantic import ValidationError

from shared.domain.policy import (
    DAY,
    Deadlines,
    Filtering,
    Limits,
    Retention,
    Submission,
    deadlines,
    ttl,
)
from shared.domain.principal import Role
from shared.domain.residency import Geography, Residency
from tests.policies import CLIENT, DIRECTORY, POLICY, read


def test_a_whole_policy_is_read() -> None:
    whole = read(POLICY)
    assert (whole.geography, whole.residency) == (Geography.EU, Residency.DATA_ZONE)
    assert whole.models == {"gpt-small": ("gpt-small-eu",)}
    assert whole.retention.shortest_seconds == DAY
    assert (whole.content_filter, whole.abuse_monitoring.mode, whole.grounding) == (Filtering.REPORT, "flagged", "allowed")
    assert whole.roles_of(directory=DIRECTORY, client_id=CLIENT) == {Role.SUBMIT, Role.PRIVACY}
    assert (whole.webhook_hosts, whole.reply_queues) == (("hooks.contoso.example",), ("contoso-replies",))
    assert whole.limits == Limits()


@pytest.mark.parametrize("field", sorted({*POLICY} - {"queue_submission"}))
def test_a_policy_without_one_of_its_fields_is_refused(field: str) -> None:
    with pytest.raises(ValidationError):
        read({name: value for name, value in POLICY.items() if name != field})


def test_a_policy_that_does_not_say_who_may_submit_takes_signed_messages_only() -> None:
    assert read({name: value for name, value in POLICY.items() if name != "queue_submission"}).queue_submission is (
        Submission.SIGNED
    )


@pytest.mark.parametrize(
    ("expires_after", "content"),
    [
        (None, 1060.0),
        (1, 1001.0),
        (59, 1059.0),
        (60, 1060.0),
        (61, 1060.0),  # it can only shorten
        (10**30, 1060.0),
    ],
)
def test_expires_after_can_only_shorten_the_deadline_of_the_content(expires_after: int | None, content: float) -> None:
    retention = Retention(output_seconds=60, receipt_seconds=600, abuse_record_seconds=60)
    fixed = deadlines(retention, admitted_at=1000.0, expires_after=expires_after)
    assert fixed == Deadlines(content=content, receipt=1600.0)


@pytest.mark.parametrize(
    ("expires_at", "now", "seconds"),
    [
        (1060.0, 1000.0, 60 + 900),
        (1060.9, 1000.0, 60 + 900),  # never later than the deadline and its grace
        (1060.0, 1059.9, 1 + 900),
        (1060.0, 1060.0, 1 + 900),  # Cosmos refuses 0
        (1060.0, 99_999.0, 1 + 900),  # long past: still visible to the timer
    ],
)
def test_ttl_is_what_remains_and_the_grace_at_least_a_second(expires_at: float, now: float, seconds: int) -> None:
    assert ttl(expires_at, now=now, grace=900) == seconds


@pytest.mark.parametrize(
    ("held_until", "seconds"),
    [
        (0.0, 60 + 900),  # not held
        (999.0, 60 + 900),  # no more
        (1059.0, 60 + 900),  # the deadline comes later
        (1061.0, 61 + 900),
        (4600.0, 3600 + 900),
    ],
)
def test_ttl_reaches_past_a_hold_and_never_shortens_for_it(held_until: float, seconds: int) -> None:
    assert ttl(1060.0, now=1000.0, grace=900, held_until=held_until) == seconds
