"""What every read of the management endpoint has in common, and the accounts, which nothing else in the stack describes."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from local.management import ids
from tests.contract.management import Arm, Management, managing

ACCOUNT = ids.account("primary")
DEPLOYMENTS = f"{ACCOUNT}/deployments"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Management]:
    settings = {"LETHE_MODEL_PORT": "8082", "LETHE_COSMOS_PORT": "1", "LETHE_MANAGEMENT_PAGE_SIZE": "3"}
    with managing(tmp_path_factory.mktemp("management"), **settings) as running:
        yield running


@pytest.fixture
def management(endpoint: Management) -> Management:
    endpoint.reset()
    return endpoint


@pytest.fixture
async def arm(management: Management) -> AsyncIterator[Arm]:
    async with management.arm() as arm:
        yield arm


@pytest.mark.parametrize("authorization", ["", "Basic dXNlcjpwYXNz", "Bearer", "bearer"])
def test_a_request_without_a_bearer_token_is_refused(management: Management, authorization: str) -> None:
    query = {"api-version": "2024-01-01"}
    answer = httpx2.get(management.url + ACCOUNT, params=query, headers={"Authorization": authorization}, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "AuthenticationFailed"
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_request_has_to_name_an_api_version(arm: Arm) -> None:
    status, body = await arm.ask(ACCOUNT, version=None)
    assert (status, body["error"]["code"]) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/subscriptions",
        ids.account("no-such-account"),
        f"{ids.account('no-such-account')}/deployments",
        f"{DEPLOYMENTS}/no-such-deployment",
        f"{ACCOUNT}/other",
        f"{ids.DATABASE_ACCOUNTS}/other",
        ACCOUNT.replace(ids.SUBSCRIPTION, "11e7be00-0000-4000-8000-0000000000ff"),
        ACCOUNT.replace("resourceGroups/lethe", "resourceGroups/other"),
    ],
)
async def test_an_unknown_resource_is_not_found(arm: Arm, path: str) -> None:
    status, body = await arm.ask(path)
    assert (status, body["error"]["code"]) == (404, "ResourceNotFound")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
async def test_nothing_can_be_changed(arm: Arm, method: str) -> None:
    status, body = await arm.ask(ACCOUNT, method=method)
    assert (status, body["error"]["code"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize("spell", [str.lower, str.upper])
async def test_the_case_of_an_id_does_not_matter(arm: Arm, spell: Any) -> None:  # noqa: ANN401
    assert (await arm.get(spell(ACCOUNT)))["id"] == ACCOUNT


async def test_an_account_says_where_it_is_and_that_nobody_needs_a_key(arm: Arm) -> None:
    account = await arm.get(ACCOUNT)
    assert (account["name"], account["kind"], account["location"]) == ("primary", "OpenAI", "swedencentral")
    properties = account["properties"]
    assert properties["endpoint"] == "http://127.0.0.1:8082/"
    assert (properties["disableLocalAuth"], properties["publicNetworkAccess"]) == (True, "Enabled")


async def test_content_logging_is_named_only_where_it_is_off(arm: Arm, management: Management) -> None:
    assert "ContentLogging" not in {each["name"] for each in (await arm.get(ACCOUNT))["properties"]["capabilities"]}
    off = {"name": "ContentLogging", "value": "false"}
    management.override(ACCOUNT, properties={"capabilities": [off]})
    assert (await arm.get(ACCOUNT))["properties"]["capabilities"] == [off]


async def test_a_resource_with_modified_abuse_monitoring_says_so_until_it_is_overridden(
    arm: Arm, management: Management
) -> None:
    unlogged = ids.account("unlogged")
    off = {"name": "ContentLogging", "value": "false"}
    assert off in (await arm.get(unlogged))["properties"]["capabilities"]
    listed = (await arm.get(f"{unlogged}/deployments"))["value"]
    assert [each["name"] for each in listed] == ["gpt-small-unlogged", "embed-small-unlogged"]
    management.override(unlogged, properties={"capabilities": [{"name": "VirtualNetworks"}]})
    assert off not in (await arm.get(unlogged))["properties"]["capabilities"]
    management.override(unlogged, properties={"capabilities": None})
    assert "capabilities" not in (await arm.get(unlogged))["properties"]


async def test_a_deployment_says_its_sku_and_its_model(arm: Arm) -> None:
    deployment = await arm.get(f"{DEPLOYMENTS}/gpt-small-eu-2")
    assert deployment["sku"] == {"name": "DataZoneStandard", "capacity": 10}
    assert deployment["properties"] == {
        "model": {"format": "OpenAI", "name": "gpt-4.1-mini", "version": "2025-04-14"},
        "raiPolicyName": "Microsoft.DefaultV2",
        "provisioningState": "Succeeded",
    }


async def test_a_long_list_comes_in_pages(arm: Arm) -> None:
    first = await arm.get(DEPLOYMENTS)
    assert [each["name"] for each in first["value"]] == ["gpt-small-eu", "gpt-small-eu-2", "gpt-small-world"]
    status, second = await arm.ask(first["nextLink"], version=None)
    assert (status, [each["name"] for each in second["value"]]) == (200, ["embed-small-eu"])
    assert "nextLink" not in second


async def test_an_override_merges_into_a_resource_wherever_it_is_read(arm: Arm, management: Management) -> None:
    resource = f"{DEPLOYMENTS}/gpt-small-eu"
    management.override(resource.upper(), sku={"name": "GlobalStandard"}, properties={"model": {"name": "other"}})
    management.override(resource, properties={"raiPolicyName": None})
    alone, listed = await arm.get(resource), (await arm.get(DEPLOYMENTS))["value"][0]
    assert alone == listed
    assert alone["sku"] == {"name": "GlobalStandard", "capacity": 10}
    assert alone["properties"]["model"] == {"format": "OpenAI", "name": "other", "version": "2025-04-14"}
    assert "raiPolicyName" not in alone["properties"]
    management.control("DELETE", "overrides").raise_for_status()
    assert (await arm.get(resource))["sku"]["name"] == "Standard"


async def test_a_resource_can_be_made_missing(arm: Arm, management: Management) -> None:
    management.override(f"{DEPLOYMENTS}/gpt-small-eu", missing=True)
    assert (await arm.ask(f"{DEPLOYMENTS}/gpt-small-eu"))[0] == 404
    assert "gpt-small-eu" not in {each["name"] for each in (await arm.get(DEPLOYMENTS))["value"]}


async def test_a_deployment_that_the_model_does_not_serve_is_not_listed(tmp_path: Any) -> None:  # noqa: ANN401
    with managing(tmp_path, LETHE_MODEL_DEPLOYMENTS="gpt-small-eu, another") as management:
        async with management.arm() as arm:
            assert [each["name"] for each in (await arm.get(DEPLOYMENTS))["value"]] == ["gpt-small-eu"]


@pytest.mark.parametrize(
    ("status", "code"), [(429, "TooManyRequests"), (500, "InternalServerError"), (599, "InternalServerError")]
)
async def test_a_fault_answers_its_status_so_often_and_on_its_path_only(
    arm: Arm, management: Management, status: int, code: str
) -> None:
    management.fault(status=status, count=2, path="/Deployments")
    answers = [await arm.ask(path) for path in (DEPLOYMENTS, ACCOUNT, f"{DEPLOYMENTS}/gpt-small-eu", DEPLOYMENTS)]
    assert [each[0] for each in answers] == [status, 200, status, 200]
    assert answers[0][1]["error"]["code"] == code


async def test_a_fault_can_drop_the_connection(arm: Arm, management: Management) -> None:
    management.fault(drop=True)
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        await arm.ask(ACCOUNT)
    management.reset()
    assert (await arm.ask(ACCOUNT))[0] == 200


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("overrides", {}),
        ("overrides", {"id": ACCOUNT}),
        ("overrides", {"id": 1, "properties": {}}),
        ("overrides", {"id": ACCOUNT, "name": "x"}),
        ("overrides", {"id": ACCOUNT, "missing": True, "location": "x"}),
        ("faults", {}),
        ("faults", {"status": 200}),
        ("faults", {"status": "500"}),
        ("faults", {"status": 500, "container": "x"}),
        ("faults", {"drop": "yes"}),
        ("faults", {"delay_ms": "1"}),
    ],
)
def test_an_order_that_it_does_not_know_is_refused(management: Management, what: str, body: dict[str, Any]) -> None:
    answer = management.control("POST", what, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidControl")


async def test_without_the_services_beside_it_nothing_of_theirs_is_made_up(arm: Arm) -> None:
    for path in (ids.QUEUES, f"{ids.QUEUES}/generation-requests"):
        status, body = await arm.ask(path)
        assert (status, body["error"]["code"]) == (503, "ServiceUnavailable")
    status, body = await arm.ask(ids.containers("lethe"))
    assert status in {503, 504}
    assert body["error"]["code"] in {"ServiceUnavailable", "GatewayTimeout"}


async def test_requests_are_counted_by_method_and_those_of_tests_are_not(management: Management, arm: Arm) -> None:
    management.control("DELETE", "requests")
    await arm.ask(ACCOUNT)
    await arm.ask(DEPLOYMENTS)
    await arm.ask(ACCOUNT, method="POST")
    assert management.control("GET", "requests").json() == {"GET": 2, "POST": 1}
    management.control("DELETE", "requests")
    assert management.control("GET", "requests").json() == {}
