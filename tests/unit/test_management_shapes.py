"""Answers of Azure Resource Manager that the embedded stack does not give by itself, and what is made of them."""

import json
from typing import Any

import pytest

from shared.azure.management_shapes import Account, Container, Page, Queue, Store
from shared.domain.configuration import Backup

PERIODIC = {"type": "Periodic", "periodicModeProperties": {"backupRetentionIntervalInHours": 8}}
QUEUE = {
    "lockDuration": "PT1M",
    "maxDeliveryCount": 10,
    "defaultMessageTimeToLive": "P10675199DT2H48M5.4775807S",
    "deadLetteringOnMessageExpiration": False,
    "requiresDuplicateDetection": False,
    "duplicateDetectionHistoryTimeWindow": "PT10M",
    "requiresSession": False,
}


def account(**properties: Any) -> Account:  # noqa: ANN401
    told = {"endpoint": "https://LETHE.openai.azure.com/", "capabilities": [], **properties}
    return Account.model_validate_json(json.dumps({"location": "Sweden Central", "properties": told}))


def store(**properties: Any) -> Store:  # noqa: ANN401
    told = {
        "documentEndpoint": "https://lethe.documents.azure.com:443/",
        "locations": [],
        "backupPolicy": PERIODIC,
        **properties,
    }
    return Store.model_validate_json(json.dumps({"properties": told}))


@pytest.mark.parametrize(
    ("capabilities", "logged"),
    [
        ([], True),
        ([{"name": "VirtualNetworks"}], True),
        ([{"name": "ContentLogging", "value": "false"}], False),
        ([{"name": "contentlogging", "value": "False"}], False),
        ([{"name": "ContentLogging", "value": "true"}], True),
        ([{"name": "ContentLogging", "value": "partly"}], None),
        ([{"name": "ContentLogging"}], None),
        (None, None),
    ],
)
def test_content_is_logged_unless_azure_says_that_it_is_not(capabilities: Any, logged: bool | None) -> None:  # noqa: ANN401, FBT001
    assert account(capabilities=capabilities).settings("primary", []).content_logging is logged


@pytest.mark.parametrize(("disabled", "keys"), [(True, False), (False, True), (None, True)])
def test_keys_are_on_unless_azure_says_that_they_are_off(disabled: bool | None, keys: bool) -> None:  # noqa: FBT001
    assert account(disableLocalAuth=disabled).settings("primary", []).local_auth is keys
    assert store(disableLocalAuth=disabled).settings().local_auth is keys


def test_an_account_may_have_several_endpoints_and_writes_its_region_in_two_ways() -> None:
    more = {"OpenAI Language Model Instance API": "https://lethe.cognitiveservices.azure.com/"}
    read = account(endpoints=more).settings("primary", [])
    assert read.endpoint_hosts == {"lethe.openai.azure.com", "lethe.cognitiveservices.azure.com"}
    assert read.region == "swedencentral"


@pytest.mark.parametrize(
    ("policy", "backup", "hours"),
    [
        (PERIODIC, Backup.PERIODIC, 8),
        ({"type": "Continuous"}, Backup.CONTINUOUS, 720),
        ({"type": "Continuous", "continuousModeProperties": {"tier": "Continuous30Days"}}, Backup.CONTINUOUS, 720),
        ({"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}}, Backup.CONTINUOUS, 168),
    ],
)
def test_a_backup_can_bring_back_for_so_long(policy: dict[str, Any], backup: Backup, hours: int) -> None:
    read = store(backupPolicy=policy).settings()
    assert (read.backup, read.backup_horizon_hours) == (backup, hours)


@pytest.mark.parametrize(
    "policy",
    [
        {"type": "Periodic"},
        {"type": "Other"},
        {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous99Days"}},
        None,
    ],
)
def test_a_backup_whose_horizon_is_not_told_is_no_answer(policy: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match=r".*"):
        store(backupPolicy=policy).settings()


def test_regions_stand_in_the_order_of_their_priority() -> None:
    regions = [
        {"locationName": "North Europe", "failoverPriority": 1},
        {"locationName": "Sweden Central", "failoverPriority": 0},
    ]
    assert store(locations=regions).settings().regions == ("swedencentral", "northeurope")


def test_a_queue_without_counts_or_limits_is_read_all_the_same() -> None:
    page = Page[Queue].model_validate_json(json.dumps({"value": [{"name": "q", "properties": QUEUE}]}))
    read = page.value[0].settings()
    assert (read.counts, read.duplicate_window_seconds, read.lock_seconds) == (None, None, 60)
    assert read.ttl_seconds > 9e11


@pytest.mark.parametrize("missing", QUEUE)
def test_a_queue_that_leaves_a_setting_out_is_no_answer(missing: str) -> None:
    told = {name: value for name, value in QUEUE.items() if name != missing}
    with pytest.raises(ValueError, match="missing"):
        Queue.model_validate_json(json.dumps({"name": "q", "properties": told}))


@pytest.mark.parametrize("change", [{"lockDuration": "a minute"}, {"maxDeliveryCount": "10"}, {"requiresSession": None}])
def test_a_setting_of_another_type_is_no_answer_and_is_not_quoted(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"queue|properties") as refused:
        Queue.model_validate_json(json.dumps({"name": "q", "properties": {**QUEUE, **change}}))
    assert "a minute" not in str(refused.value)


@pytest.mark.parametrize(("told", "ttl"), [({}, None), ({"analyticalStorageTtl": 0}, None), ({"analyticalStorageTtl": -1}, -1)])
def test_an_analytical_store_of_zero_seconds_is_none(told: dict[str, int], ttl: int | None) -> None:
    resource = {"id": "c", "partitionKey": {"paths": ["/a"]}, **told}
    read = Container.model_validate_json(json.dumps({"properties": {"resource": resource}})).settings()
    assert (read.analytical_ttl, read.default_ttl, read.partition_key) == (ttl, None, ("/a",))
