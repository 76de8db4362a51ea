"""Each rule of a policy's shape: what it refuses, and its nearest neighbour, which it takes."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.policy import DAY, LETHES_QUEUES
from tests.policies import CLIENT, DIRECTORY, POLICY, PRINCIPAL, RETENTION, read

APPROVAL = {"approval": "AOAI-2026-0117", "approved_on": "2026-03-02"}
OPTED_OUT = {"mode": "opted_out", **APPROVAL}
SIGNED = {"queue_submission": "signed"}


def retention(**changes: object) -> dict[str, Any]:
    return {"retention": RETENTION | changes}


def monitoring(**fields: object) -> dict[str, Any]:
    return {"abuse_monitoring": fields}


def principal(**changes: object) -> dict[str, Any]:
    return {"principals": [PRINCIPAL | changes]}


def without(whole: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if name != field}


type Change = dict[str, Any]
RULES: dict[str, tuple[list[Change], list[Change]]] = {
    # rule: what it refuses, what it takes
    "no field that is not known": ([{"surprise": 1}], [{}]),
    "a tenant id of lower-case letters, digits and hyphens inside": (
        [{"tenant_id": name} for name in ("", "Contoso", "-a", "a-", "a_b", "a" * 41, "a/b", "a\n", None, 1)],
        [{"tenant_id": name} for name in ("a", "a-1", "a" * 40)],
    ),
    "a geography of the list": (
        [{"geography": name} for name in ("", "EU", "europa", "global", None, ["eu"])],
        [{"geography": name} for name in ("eu", "europe", "us", "south_africa")],
    ),
    "a level of residency, global by the word only": (
        [{"residency": level} for level in ("", "Region", "any", "world", "zone", None)],
        [{"residency": level} for level in ("region", "data_zone", "geography", "global")],
    ),
    "a retention for each class of data": (
        [{"retention": without(RETENTION, name)} for name in RETENTION] + [retention(telemetry_seconds=60)],
        [{"retention": RETENTION}],
    ),
    "whole seconds, at least one": (
        [retention(**{name: value}) for name in RETENTION for value in (0, -1, "3600", 3600.5, True, None)],
        [retention(output_seconds=1), retention(abuse_record_seconds=1)],
    ),
    "outputs for at most 30 days": (
        [retention(output_seconds=30 * DAY + 1, receipt_seconds=60 * DAY)],
        [retention(output_seconds=30 * DAY, receipt_seconds=60 * DAY)],
    ),
    "receipts for at most 400 days": ([retention(receipt_seconds=400 * DAY + 1)], [retention(receipt_seconds=400 * DAY)]),
    "records of abuse for at most 30 days": (
        [retention(abuse_record_seconds=30 * DAY + 1)],
        [retention(abuse_record_seconds=30 * DAY)],
    ),
    "a receipt outlives the output, which it answers with 410": (
        [retention(receipt_seconds=DAY - 1)],
        [retention(receipt_seconds=DAY)],
    ),
    "a receipt outlives the hour in which a signature counts, where signatures count": (
        [SIGNED | retention(output_seconds=60, receipt_seconds=3599)],
        [
            SIGNED | retention(output_seconds=60, receipt_seconds=3600),
            {"queue_submission": "open"} | retention(output_seconds=60, receipt_seconds=60),
            {"queue_submission": "forbidden"} | retention(output_seconds=60, receipt_seconds=60),
        ],
    ),
    "the content filter is required, or reported on": (
        [{"content_filter": mode} for mode in ("", "off", "Required", None, True)],
        [{"content_filter": mode} for mode in ("required", "report")],
    ),
    "a mode of abuse monitoring": (
        [
            monitoring(),
            *[monitoring(mode=mode) for mode in ("", "on", "none", "OFF", None, False)],
            {"abuse_monitoring": "off"},
        ],
        [monitoring(mode=mode) for mode in ("off", "flagged", "all")],
    ),
    "an opt-out has an approval, with its reference and its date": (
        [
            monitoring(mode="opted_out"),
            monitoring(**without(OPTED_OUT, "approval")),
            monitoring(**without(OPTED_OUT, "approved_on")),
            *[monitoring(**OPTED_OUT | {"approval": text}) for text in ("", " ", "-1", "a b", "a\n", "a" * 65, None, 17)],
            *[monitoring(**OPTED_OUT | {"approved_on": day}) for day in ("", "2026", "02.03.2026", "2026-02-30", None)],
            *[monitoring(**OPTED_OUT | {"approved_on": day}) for day in (0, 20260302, "2026-03-02T00:00:00Z")],  # no dates
        ],
        [monitoring(**OPTED_OUT)],
    ),
    "no approval for another mode": (
        [
            monitoring(mode=mode, **given)
            for mode in ("off", "flagged", "all")
            for given in (APPROVAL, without(APPROVAL, "approval"), without(APPROVAL, "approved_on"))
        ],
        [monitoring(mode="flagged")],
    ),
    "an alias leads to deployments, in order": (
        [
            {"models": {"gpt-small": []}},
            {"models": {"gpt-small": "gpt-small-eu"}},
            {"models": {"gpt-small": None}},
            {"models": {"gpt-small": [{"resource": "primary", "deployment": "gpt-small-eu"}]}},
            {"models": {"gpt-small": ["../other"]}},
            {"models": {"gpt-small": [""]}},
            {"models": {"gpt small": ["gpt-small-eu"]}},
            {"models": {"": ["gpt-small-eu"]}},
            {"models": ["gpt-small"]},
        ],
        [{"models": {}}, {"models": {"gpt-4.1_mini": ["second", "first"]}}],
    ),
    "principals by two GUIDs in lower case, never a name for many": (
        [
            *[principal(client_id=name) for name in ("", CLIENT.upper(), CLIENT + "\n", None)],
            *[principal(directory=name) for name in ("common", "*", f"{{{DIRECTORY}}}")],
            *[{"principals": [without(PRINCIPAL, name)]} for name in ("directory", "client_id")],
            principal(secret="s"),
        ],
        [principal(), {"principals": []}],
    ),
    "each principal with at least one role that acts for a tenant": (
        [
            {"principals": [without(PRINCIPAL, "roles")]},
            *[principal(roles=roles) for roles in ([], None, "Lethe.Submit", ["lethe.submit"], ["Lethe.Admin"])],
            *[principal(roles=["Lethe.Submit", role]) for role in ("Lethe.Operator", "Lethe.Reviewer")],
        ],
        [principal(roles=roles) for roles in (["Lethe.Submit"], ["Lethe.Privacy"], ["Lethe.Privacy", "Lethe.Submit"])],
    ),
    "webhook hosts by name, or all below a name": (
        [{"webhook_hosts": [host]} for host in ("", "*", "*.*", "https://contoso.example", "contoso.example:443", "a b", None)],
        [{"webhook_hosts": ["hooks.contoso.example", "*.eu.contoso.example"]}, {"webhook_hosts": []}],
    ),
    "reply queues by name": (
        [
            *[{"reply_queues": [queue]} for queue in ("", "/replies", "replies/", "a b", "replies\n", "q" * 261, None)],
            {"reply_queues": "contoso-replies"},
        ],
        [{"reply_queues": ["contoso/replies"]}, {"reply_queues": []}],
    ),
    "no queue of Lethe for replies": (
        [{"reply_queues": ["contoso-replies", queue]} for name in sorted(LETHES_QUEUES) for queue in (name, name.title())],
        [{"reply_queues": ["generation-replies"]}],
    ),
    "grounding is allowed or forbidden": (
        [{"grounding": word} for word in ("", "yes", True, None)],
        [{"grounding": word} for word in ("allowed", "forbidden")],
    ),
    "limits that are known, whole and in bounds": (
        [
            {"limits": limits}
            for limits in (
                None,
                {"requests_per_second": 1},
                {"requests_in_flight": 0},
                {"requests_in_flight": 10_001},
                {"requests_in_flight": 1.5},
                {"output_tokens_per_request": 15},
                {"output_tokens_per_request": 1_000_001},
                {"output_tokens_per_request": "4096"},
                {"requests_per_minute": 0},
                {"requests_per_minute": 1_000_001},
                {"requests_per_minute": True},
            )
        ],
        [
            {"limits": {"requests_in_flight": 1, "output_tokens_per_request": 16, "requests_per_minute": 1}},
            {"limits": {"requests_in_flight": 10_000, "output_tokens_per_request": 1_000_000}},
            {"limits": {"requests_per_minute": 1_000_000}},
        ],
    ),
    "a way of submission": (
        [{"queue_submission": word} for word in ("", "closed", "Signed", None, True)],
        [{"queue_submission": word} for word in ("signed", "open", "forbidden")],
    ),
}


def rows(column: int) -> list[Any]:
    return [pytest.param(change, id=f"{rule}: {change}"[:110]) for rule, sides in RULES.items() for change in sides[column]]


@pytest.mark.parametrize("change", rows(0))
def test_a_policy_is_refused_when_it_breaks_the_rule_of(change: Change) -> None:
    with pytest.raises(ValidationError):
        read(POLICY | change)


@pytest.mark.parametrize("change", rows(1))
def test_a_policy_is_taken_when_it_keeps_the_rule_of(change: Change) -> None:
    assert read(POLICY | change)


def test_every_field_of_a_policy_has_a_rule() -> None:
    changed = {field for refused, _ in RULES.values() for change in refused for field in change}
    assert {*POLICY} <= changed
