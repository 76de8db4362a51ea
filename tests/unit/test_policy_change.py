from typing import Any

import pytest

from shared.domain.policy import DAY
from shared.domain.policy_change import as_json, compare, fingerprint
from tests.policies import CLIENT, DIRECTORY, POLICY, RETENTION, policy, read

OPTED_OUT = {"mode": "opted_out", "approval": "AOAI-2026-0117", "approved_on": "2026-03-02"}

LOOSENING: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("retention.output_seconds", {}, {"retention": RETENTION | {"output_seconds": DAY + 1}}),
    ("retention.receipt_seconds", {}, {"retention": RETENTION | {"receipt_seconds": 31 * DAY}}),
    ("retention.abuse_record_seconds", {}, {"retention": RETENTION | {"abuse_record_seconds": 22 * DAY}}),
    ("residency", {"residency": "region"}, {"residency": "data_zone"}),
    ("residency", {"residency": "data_zone"}, {"residency": "geography"}),
    ("residency", {"residency": "region"}, {"residency": "global"}),
    ("residency", {"residency": "geography"}, {"residency": "global"}),
    ("queue_submission", {"queue_submission": "signed"}, {"queue_submission": "open"}),
    ("queue_submission", {"queue_submission": "forbidden"}, {"queue_submission": "open"}),
    ("abuse_monitoring.mode", {"abuse_monitoring": {"mode": "flagged"}}, {"abuse_monitoring": OPTED_OUT}),
    ("abuse_monitoring.mode", {"abuse_monitoring": {"mode": "off"}}, {"abuse_monitoring": OPTED_OUT}),
]

TIGHTENING: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("retention.output_seconds", {}, {"retention": RETENTION | {"output_seconds": 60}}),
    ("retention.receipt_seconds", {}, {"retention": RETENTION | {"receipt_seconds": 2 * DAY}}),
    ("residency", {"residency": "global"}, {"residency": "region"}),
    ("queue_submission", {"queue_submission": "open"}, {"queue_submission": "signed"}),
    ("queue_submission", {"queue_submission": "open"}, {"queue_submission": "forbidden"}),
    ("queue_submission", {"queue_submission": "forbidden"}, {"queue_submission": "signed"}),
    ("grounding", {"grounding": "allowed"}, {"grounding": "forbidden"}),
    ("content_filter", {"content_filter": "report"}, {"content_filter": "required"}),
    ("webhook_hosts", {}, {"webhook_hosts": ["other.example"]}),
    ("reply_queues", {}, {"reply_queues": []}),
    ("models", {}, {"models": {"gpt-small": ["gpt-small-eu-2"]}}),
    ("principals", {}, {"principals": [{"directory": DIRECTORY, "client_id": CLIENT, "roles": ["Lethe.Submit"]}]}),
    ("limits.requests_in_flight", {}, {"limits": {"requests_in_flight": 8}}),
    ("limits.requests_in_flight", {"limits": {"requests_in_flight": 8}}, {"limits": {}}),
]


@pytest.mark.parametrize(("field", "before", "after"), LOOSENING)
def test_what_loosens_is_named(field: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    change = compare(policy(**before), policy(**after))
    assert change.loosened == (field,)
    assert field in change.names


@pytest.mark.parametrize(("field", "before", "after"), TIGHTENING)
def test_what_does_not_loosen_changes_without_a_second_principal(
    field: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    change = compare(policy(**before), policy(**after))
    assert change.names == (field,)
    assert change.loosened == ()


def test_the_way_back_out_of_an_opt_out_loosens_nothing() -> None:
    change = compare(policy(abuse_monitoring=OPTED_OUT), policy(abuse_monitoring={"mode": "flagged"}))
    assert change.names == ("abuse_monitoring.approval", "abuse_monitoring.approved_on", "abuse_monitoring.mode")
    assert change.loosened == ()


def test_the_same_policy_changes_nothing() -> None:
    change = compare(policy(), policy())
    assert (change.names, change.loosened) == ((), ())


@pytest.mark.parametrize(
    ("first", "loosened"),
    [
        ({"queue_submission": "signed"}, ()),
        ({"queue_submission": "forbidden"}, ()),
        ({"queue_submission": "signed", "residency": "geography"}, ()),
        ({"queue_submission": "signed", "residency": "global"}, ("residency",)),
        ({"queue_submission": "open"}, ("queue_submission",)),
        ({"queue_submission": "signed", "abuse_monitoring": OPTED_OUT}, ("abuse_monitoring.mode",)),
        ({"queue_submission": "signed", "abuse_monitoring": {"mode": "off"}}, ()),
    ],
)
def test_a_first_policy_is_held_against_the_defaults(first: dict[str, Any], loosened: tuple[str, ...]) -> None:
    assert compare(None, policy(**first)).loosened == loosened


def test_every_field_of_a_first_policy_is_new() -> None:
    change = compare(None, policy())
    assert {name.partition(".")[0] for name in change.names} == POLICY.keys() - {"limits"}  # no limit of its own
    assert all(one.before is None for one in change.fields)


def test_a_shown_policy_reads_as_the_same_policy() -> None:
    shown = policy(limits={"requests_per_minute": 5}, abuse_monitoring=OPTED_OUT)
    assert read(as_json(shown)) == shown


def test_a_fingerprint_names_one_version() -> None:
    assert fingerprint(policy()) == fingerprint(policy())
    assert fingerprint(policy()) != fingerprint(policy(grounding="forbidden"))
