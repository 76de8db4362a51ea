"""The check of the configuration in a running stack: at start, in each run of the timer, in the log once, and in evidence."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from azure.cosmos import CosmosClient, PartitionKey

from local.demo.client import REQUESTS
from local.management import ids
from shared.domain.drift import Drift
from tests.system.configuration import (
    CANARY,
    LOCAL,
    OPEN,
    checked_stack,
    has_failed,
    host_lines,
    overridden,
    records,
    runs,
    said,
    unlogged,
    wait_for_record,
)
from tests.system.jobs import job, text_of
from tests.system.stack import Stack, wait_for

COMPARED = 3 + 7 + 2 + 6 + 1 + 3
"""Queues, containers, accounts, deployments, stores, policies."""
FOR_EVER = "P10675199DT2H48M5.4775807S"
"""What Service Bus says of a queue whose time to live nobody has set."""
CONTINUOUS = {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}, "periodicModeProperties": None}
"""A backup that reaches a week back; a part of an override that is None takes the real one away."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with checked_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def test_the_app_checks_its_configuration_when_it_starts(stack: Stack) -> None:
    wait_for("the end of the check at start", lambda: said(stack))
    *findings, step = said(stack, "check_configuration_at_start") or said(stack)
    assert {f"{one['code']}:{one['target']}" for one in findings} == LOCAL
    assert {one["event"] for one in findings} == {"configuration_drift"}
    figures = {"checked": COMPARED, "found": len(OPEN), "complete": True}
    assert step == {"event": "retention_step", "step": "configuration", **figures}
    executed = "Executed 'Functions.check_configuration_at_start'"
    wait_for("its end", lambda: any(executed in line["message"] for line in host_lines(stack)))  # its record comes last
    fields = wait_for_record(stack, LOCAL)
    assert fields == {
        "compared": COMPARED,
        "complete": True,
        "found": len(OPEN),
        "counts": ["store_local_auth:1", "queue_submission_open:3"],
        "findings": fields["findings"],
        "unchecked": [],
        "content_logging": ["primary:true", "unlogged:false"],
        "backup": "periodic",
        "backup_horizon_hours": 8,
    }


def test_a_timer_that_finds_the_same_says_nothing(stack: Stack) -> None:
    wait_for_record(stack, LOCAL)
    before, lines, evidence = runs(stack), said(stack), records(stack)
    wait_for("three more runs", lambda: runs(stack) >= before + 3)
    assert (said(stack), records(stack)) == (lines, evidence)


def queue(name: str, **properties: object) -> dict[str, Any]:
    return {"id": f"{ids.QUEUES}/{name}", "properties": properties}


def container(name: str, **resource: object) -> dict[str, Any]:
    return {"id": f"{ids.containers('lethe')}/{name}", "properties": {"resource": resource}}


def missing(resource: str) -> dict[str, Any]:
    return {"id": resource, "missing": True}


def deployment(name: str, **changes: object) -> dict[str, Any]:
    return {"id": f"{ids.account('primary')}/deployments/{name}", **changes}


DRIFTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    REQUESTS: (
        queue(REQUESTS, lockDuration="PT7S", maxDeliveryCount=3, requiresDuplicateDetection=False),
        ["queue_lock", "queue_delivery_count", "queue_duplicate_detection"],
    ),
    "generation-rejected": (
        queue(
            "generation-rejected",
            defaultMessageTimeToLive=FOR_EVER,
            deadLetteringOnMessageExpiration=True,
            requiresSession=True,
        ),
        ["queue_ttl", "queue_keeps_expired", "queue_sessions"],
    ),
    "webhook-deliveries": (missing(f"{ids.QUEUES}/webhook-deliveries"), ["queue_missing"]),
    "contoso-replies": (queue("contoso-replies", requiresSession=True, lockDuration="PT7S"), []),  # a tenant's own
    "privacy": (container("privacy", partitionKey={"paths": [f"/{CANARY}"]}), ["container_partition_key"]),
    "policies": (container("policies", analyticalStorageTtl=-1), ["container_analytical_store"]),
    "abuse-monitoring": (missing(f"{ids.containers('lethe')}/abuse-monitoring"), ["container_missing"]),
    "primary/gpt-small-eu": (deployment("gpt-small-eu", sku={"name": CANARY}), ["deployment_sku"]),
    "primary/gpt-small-eu-2": (deployment("gpt-small-eu-2", properties={"model": {"name": CANARY}}), ["deployment_model"]),
    "primary/embed-small-eu": (missing(deployment("embed-small-eu")["id"]), ["deployment_missing"]),
    "primary": (
        {
            "id": ids.account("primary"),
            "location": CANARY,
            "properties": {
                "endpoint": f"https://{CANARY}.openai.azure.com/",
                "disableLocalAuth": False,
                "capabilities": [{"name": "ContentLogging", "value": CANARY}],
            },
        },
        ["account_region", "account_endpoint", "account_content_logging_unreadable", "account_local_auth"],
    ),
    "fabrikam": (unlogged(), ["opt_out_unconfirmed"]),
    "lethe": (
        {
            "id": ids.COSMOS,
            "properties": {
                "documentEndpoint": f"https://{CANARY}.documents.azure.com:443/",
                "locations": [{"locationName": CANARY, "failoverPriority": 0}],
                "enableAnalyticalStorage": True,
                "backupPolicy": CONTINUOUS,
            },
        },
        ["store_endpoint", "store_region", "store_analytical_store", "store_backup_mode", "store_backup_horizon"],
    ),
}
"""By target: what is said of it, and what is found. The rest of all kinds really happens, in tests of their own."""
ELSEWHERE = {Drift.CONTAINER_TTL_OFF, Drift.VAULT_UNWRAP_ALLOWED, Drift.VAULT_RECOVERY}
"""The first below, the others in tests/contract/test_configuration.py: on vaults that are set up so."""
DRIFTED = {f"{kind}:{target}" for target, (_, kinds) in DRIFTS.items() for kind in kinds}


def test_every_drift_is_found_at_once_and_logged_by_its_name_and_never_by_its_value(stack: Stack) -> None:
    wait_for_record(stack, LOCAL)
    lines = len(said(stack))
    with overridden(stack, *(override for override, _ in DRIFTS.values())):
        fields = wait_for_record(stack, LOCAL | DRIFTED)
        assert (fields["complete"], fields["content_logging"]) == (True, ["primary:unreadable", "unlogged:true"])
    wait_for_record(stack, LOCAL)
    logged = {f"{one['code']}:{one['target']}" for one in said(stack)[lines:] if one["event"] == "configuration_drift"}
    assert logged == LOCAL | DRIFTED
    assert {each.partition(":")[0] for each in logged} == {*Drift} - ELSEWHERE
    assert CANARY not in stack.logs()
    assert CANARY not in json.dumps(records(stack))


def test_a_container_whose_ttl_is_really_off_is_found(stack: Stack) -> None:
    cosmos = stack.endpoints["cosmos"]
    with CosmosClient(cosmos["endpoint"], cosmos["key"]) as client:
        database = client.get_database_client("lethe")
        database.replace_container("fine-tuning", PartitionKey("/tenantId"))
        wait_for_record(stack, LOCAL | {"container_ttl_off:fine-tuning"})
        database.replace_container("fine-tuning", PartitionKey("/tenantId"), default_ttl=-1)
    wait_for_record(stack, LOCAL)


def test_open_submission_is_no_finding_for_a_tenant_that_really_closes_it(stack: Stack) -> None:
    policies = stack.store.container("policies")
    policy = policies.read_item("policy", "fabrikam")
    policies.upsert_item({**policy, "queue_submission": "signed"})
    wait_for_record(stack, LOCAL - {"queue_submission_open:fabrikam"})
    policies.upsert_item(policy)
    wait_for_record(stack, LOCAL)


def test_values_that_nobody_expects_are_recorded(stack: Stack) -> None:
    off = {"capabilities": [{"name": "ContentLogging", "value": "false"}]}
    shorter = {"periodicModeProperties": {"backupRetentionIntervalInHours": 2}}
    overrides = (
        {"id": ids.COSMOS, "properties": {"backupPolicy": shorter}},
        {"id": ids.account("primary"), "properties": off},
    )
    with overridden(stack, *overrides):
        off_everywhere = ["primary:false", "unlogged:false"]
        wait_for("another record", lambda: records(stack)[-1]["fields"]["content_logging"] == off_everywhere)
        fields = wait_for("another horizon", lambda: with_horizon(stack, 2))
        assert {*fields["findings"]} == LOCAL, "backups that reach less far back than is stated keep the promise"
    wait_for_record(stack, LOCAL)


def with_horizon(stack: Stack, hours: int) -> dict[str, Any] | None:
    """The newest evidence, if it says for so long."""
    fields: dict[str, Any] = records(stack)[-1]["fields"]
    return fields if fields["backup_horizon_hours"] == hours else None


def test_what_cannot_be_checked_is_recorded_as_such_and_jobs_run_on(stack: Stack) -> None:
    parts = ("queues", "containers", "account:primary", "account:unlogged", "store", "opt_outs:fabrikam")
    lines = len(said(stack))
    with stack.down("management"):
        fields = wait_for_record(stack, OPEN, *parts)
        stack.submit([job("blind", "one", "as always")])
        [output] = stack.wait_for_outputs("contoso", "blind", 1)
    assert text_of(output) == "as always"
    assert (fields["complete"], fields["compared"], fields["content_logging"]) == (False, 3, [])
    assert "backup_horizon_hours" not in fields
    wait_for_record(stack, LOCAL)
    events = said(stack)[lines:]
    unchecked = [(one["code"], one.get("target")) for one in events if one["event"] == "configuration_unchecked"]
    accounts = [("account", "primary"), ("account", "unlogged")]
    assert unchecked == [("queues", None), ("containers", None), *accounts, ("store", None), ("opt_outs", "fabrikam")]
    steps = [one for one in events if one["event"] == "retention_step"]
    assert [(one["complete"], one["found"]) for one in steps] == [(False, len(OPEN)), (True, len(OPEN))]


def test_no_check_of_all_these_failed(stack: Stack) -> None:
    assert not has_failed(stack)
