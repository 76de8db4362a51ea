"""Since when a setting stands, and by whom, as the evidence of applied policies tells it."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.domain.evidence import Chain, Kind, Record, Unreadable, next_record
from shared.domain.policy_history import Applied, histories, last_change

ANNA, BEN = "d/anna", "d/ben"


def record(at: float, after: str, *fields: str, kind: Kind = Kind.POLICY_APPLIED, **more: Any) -> Record:  # noqa: ANN401
    told = {"tenant": "contoso", "actor": ANNA, "fields": fields, "loosened": (), "after": after, **more}
    return next_record(None, chain=Chain.POLICIES, kind=kind, at=at, token="0" * 32, fields=told)


FIRST = record(1, "v1", "content_filter", "abuse_monitoring.mode", "residency")
SECOND = record(2, "v2", "abuse_monitoring.mode", before="v1", actor=BEN, proposed_by=ANNA)
THIRD = record(3, "v3", "residency", before="v2")
OTHERS = record(4, "o1", "content_filter", tenant="fabrikam", actor=BEN)
FAILED = record(5, "vx", "content_filter", before="v3", actor=BEN)
"""Evidence comes before the write: this version was never written."""
PROPOSED = record(6, "v9", "content_filter", kind=Kind.POLICY_PROPOSED)
CHAIN: list[Record | Unreadable] = [FIRST, SECOND, Unreadable(), THIRD, OTHERS, FAILED, PROPOSED]


def found(standing: str, *fields: str, tenant: str = "contoso", chain: Sequence[Record | Unreadable] = CHAIN) -> Applied | None:
    return last_change(histories(chain).get(tenant, ()), standing, fields)


@pytest.mark.parametrize(
    ("fields", "at", "applied_by", "proposed_by"),
    [
        (["residency"], 3, ANNA, None),
        (["abuse_monitoring.mode"], 2, BEN, ANNA),
        (["content_filter"], 1, ANNA, None),
        (["content_filter", "abuse_monitoring.mode"], 2, BEN, ANNA),
    ],
)
def test_the_version_that_last_changed_a_field_says_since_when_and_by_whom(
    fields: list[str], at: float, applied_by: str, proposed_by: str | None
) -> None:
    change = found("v3", *fields)
    assert change is not None
    assert (change.at, change.applied_by, change.proposed_by) == (at, applied_by, proposed_by)


def test_a_version_that_was_never_written_and_another_tenants_change_nothing() -> None:
    change = found("v3", "content_filter")
    assert change is not None
    assert change.at == 1
    other = found("o1", "content_filter", tenant="fabrikam")
    assert other is not None
    assert (other.at, other.applied_by) == (4, BEN)


@pytest.mark.parametrize("standing", ["by hand", "v9"])
def test_of_a_policy_that_no_record_names_nobody_knows(standing: str) -> None:
    assert found(standing, "residency") is None
    assert found("v3", "residency", tenant="unknown") is None


def test_where_the_records_end_the_answer_ends() -> None:
    assert found("v3", "residency", chain=[SECOND, THIRD]) is not None
    assert found("v3", "content_filter", chain=[SECOND, THIRD]) is None
