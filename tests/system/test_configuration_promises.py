"""What the check of the configuration makes of promises: a difference violates them, what is not read leaves them unknown."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from local.management import ids
from tests.system.configuration import (
    CANARY,
    LOCAL,
    OPEN,
    checked_stack,
    has_failed,
    overridden,
    unlogged,
    wait_for_record,
)
from tests.system.http import calling
from tests.system.stack import Stack, wait_for


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with checked_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def test_backups_that_reach_further_back_than_stated_violate_what_is_promised_of_them(stack: Stack) -> None:
    wait_for_record(stack, LOCAL)
    longer = {"periodicModeProperties": {"backupRetentionIntervalInHours": 720}}
    with overridden(stack, {"id": ids.COSMOS, "properties": {"backupPolicy": longer}}):
        fields = wait_for_record(stack, LOCAL | {"store_backup_horizon:lethe"})
        assert (fields["backup"], fields["backup_horizon_hours"], fields["found"]) == ("periodic", 720, len(OPEN) + 1)
        wait_for("the statement to say so", lambda: {"retention", "erasure"} <= violated(stack).keys())
        assert violated(stack)["erasure"] == ["store_backup_horizon"]
    wait_for_record(stack, LOCAL)
    wait_for("the statement to take it back", lambda: not {"retention", "erasure"} & violated(stack).keys())


def violated(stack: Stack) -> dict[str, list[str]]:
    """Promises that the public statement says are violated by the configuration, and by what."""
    stated = httpx2.get(f"{stack.endpoints['http']}/v1/privacy/statement", timeout=10).raise_for_status().json()["promises"]
    return {one["id"]: one["causes"] for one in stated if one["state"] == "violated" and one["why"] == "configuration"}


@pytest.mark.parametrize(
    ("override", "findings", "unchecked", "shown", "state"),
    [
        (unlogged(), {"opt_out_unconfirmed:fabrikam"}, (), "true", "violated"),
        (
            unlogged({"name": "ContentLogging", "value": CANARY}),
            {"account_content_logging_unreadable:unlogged"},
            ("opt_outs:fabrikam",),
            "unreadable",
            "unknown",
        ),
    ],
    ids=["absent", "unreadable"],
)
def test_an_opt_out_is_violated_where_azure_shows_the_opposite_and_unknown_where_it_cannot_be_read(
    stack: Stack, override: dict[str, Any], findings: set[str], unchecked: tuple[str, ...], shown: str, state: str
) -> None:
    before = promised(stack)
    with overridden(stack, override):
        fields = wait_for_record(stack, LOCAL | findings, *unchecked)
        assert f"unlogged:{shown}" in fields["content_logging"]
        cause = "opt_out_unconfirmed" if state == "violated" else "configuration"
        told = wait_for("the statement to say so", lambda: (now := promised(stack))["causes"] == [cause] and now)
        assert told["state"] == state
        assert "fabrikam" not in json.dumps(told)
    wait_for_record(stack, LOCAL)
    wait_for("the statement to be as it was", lambda: promised(stack)["causes"] == before["causes"])
    assert CANARY not in stack.logs()


def promised(stack: Stack) -> dict[str, Any]:
    """What the statement says of abuse monitoring; nothing while it does not know."""
    with calling(stack) as http:
        answer = http.call("GET", "/v1/privacy/statement", tenant=None)
    promises = answer.json["promises"] if answer.status == 200 else []
    found: dict[str, Any] = next((one for one in promises if one["id"] == "abuse-monitoring"), {"causes": None})
    return found


def test_no_check_of_all_these_failed(stack: Stack) -> None:
    assert not has_failed(stack)
