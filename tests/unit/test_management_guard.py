"""Whose management API the app reads in Azure, with which token, and by which names it knows resources."""

import pytest
from azure.core import AzureClouds
from azure.mgmt.core.tools import get_arm_endpoints

from shared import settings
from shared.azure.management import scope
from tests.policies import DEPLOYMENT, RESOURCE_ID
from tests.unit.environments import AZURE, LOCAL, listed, refusal

ENDPOINT = "LETHE_MANAGEMENT_ENDPOINT"
CLOUDS = [get_arm_endpoints(cloud) for cloud in AzureClouds]


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud["resource_manager"])
def test_each_cloud_has_its_management_api_and_its_own_scope(cloud: dict[str, object]) -> None:
    read = settings.load(AZURE | {ENDPOINT: str(cloud["resource_manager"])})
    assert [scope(read.management_endpoint.rstrip("/"))] == cloud["credential_scopes"]


def test_any_other_endpoint_names_its_own_scope() -> None:
    assert scope("http://127.0.0.1:8085") == "http://127.0.0.1:8085/.default"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://management.azure.com",
        "https://management.azure.com.example.com",
        "https://management.azure.com@example.com",
        "https://management.azure.com:8443",
        "https://management.azure.com/proxy",
        "https://management.azure.com?to=elsewhere",
        "https://somebody.openai.azure.com",  # a name that anybody can have
        "https://lethe.westeurope.cloudapp.azure.com",
        "https://lethe.documents.azure.com",
        "http://127.0.0.1:8085",
    ],
)
def test_azure_refuses_every_other_host(endpoint: str) -> None:
    assert refusal(AZURE | {ENDPOINT: endpoint}).setting == ENDPOINT


def test_two_resources_of_one_name_are_refused_because_findings_would_not_say_which() -> None:
    other = RESOURCE_ID.replace("resourceGroups/lethe", "resourceGroups/other")
    assert other != RESOURCE_ID
    twins = listed(DEPLOYMENT, DEPLOYMENT | {"name": "twin", "resource_id": other})
    assert refusal(LOCAL | {"LETHE_DEPLOYMENTS": twins}).setting == "LETHE_DEPLOYMENTS"


def test_one_resource_may_be_written_in_any_case() -> None:
    again = listed(
        DEPLOYMENT, DEPLOYMENT | {"name": "again", "resource_id": RESOURCE_ID.replace("resourceGroups", "RESOURCEGROUPS")}
    )
    assert len(settings.load(LOCAL | {"LETHE_DEPLOYMENTS": again}).stamp.deployments) == 2


@pytest.mark.parametrize("name", ["", "pri mary", "primary(x)", "-primary", "p" * 65])
def test_a_resource_whose_name_could_not_stand_in_evidence_is_refused(name: str) -> None:
    named = listed(DEPLOYMENT | {"resource_id": RESOURCE_ID.removesuffix("primary") + name})
    assert refusal(LOCAL | {"LETHE_DEPLOYMENTS": named}).setting == "LETHE_DEPLOYMENTS"
    store = LOCAL["LETHE_COSMOS_ID"].rpartition("/")[0] + "/" + name
    assert refusal(LOCAL | {"LETHE_COSMOS_ID": store}).setting == "LETHE_COSMOS_ID"
