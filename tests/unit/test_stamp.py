"""What a stamp makes of a policy: which deployments serve an alias, in which order, and within which limits."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.policy import Filtering
from shared.domain.residency import Geography, Unusable
from shared.domain.stamp import Deployment
from shared.errors import Reason, RequestRefused
from tests.policies import DEPLOYMENT, LIMITS, deployment, policy, stamp

STAMP = stamp(
    deployment("regional"),
    deployment("regional-too", region="germanywestcentral"),
    deployment("zonal", sku="DataZoneStandard"),
    deployment("world", sku="GlobalStandard"),
)


@pytest.mark.parametrize(
    ("residency", "named", "used"),
    [
        # All fit: the policy's order, not the stamp's
        ("data_zone", ["zonal", "regional"], ["zonal", "regional"]),
        ("data_zone", ["regional", "zonal"], ["regional", "zonal"]),
        ("region", ["regional-too", "regional"], ["regional-too", "regional"]),
        # What does not fit is passed over, wherever it stands
        ("region", ["zonal", "regional"], ["regional"]),
        ("data_zone", ["world", "zonal", "regional"], ["zonal", "regional"]),
        ("geography", ["regional", "world"], ["regional"]),
        # The world, by the word only
        ("global", ["world", "regional"], ["world", "regional"]),
        # What the stamp does not list, or not any more, is passed over, too
        ("data_zone", ["retired", "regional"], ["regional"]),
        ("global", ["Regional", "regional"], ["regional"]),
    ],
)
def test_an_alias_is_served_by_what_fits_in_the_policys_order(residency: str, named: list[str], used: list[str]) -> None:
    terms = STAMP.terms(policy(residency=residency, models={"gpt-small": named}), "gpt-small")
    assert [one.name for one in terms.deployments] == used
    assert all(one is STAMP.deployments[one.name] for one in terms.deployments)


@pytest.mark.parametrize(
    ("changes", "alias", "reason", "field"),
    [
        # Nothing that is named fits
        ({"models": {"gpt-small": ["world"]}}, "gpt-small", Reason.RESIDENCY_FORBIDDEN, "body.model"),
        ({"models": {"gpt-small": ["world"]}, "residency": "geography"}, "gpt-small", Reason.RESIDENCY_FORBIDDEN, "body.model"),
        ({"models": {"m": ["zonal", "world"]}, "residency": "region"}, "m", Reason.RESIDENCY_FORBIDDEN, "body.model"),
        # Nothing that is named is listed
        ({"models": {"gpt-small": ["retired"]}}, "gpt-small", Reason.RESIDENCY_FORBIDDEN, "body.model"),
        # An alias is the policy's; the name of a deployment is none
        ({"models": {"gpt-small": ["regional"]}}, "gpt-large", Reason.UNKNOWN_MODEL, "body.model"),
        ({"models": {"gpt-small": ["regional"]}}, "regional", Reason.UNKNOWN_MODEL, "body.model"),
        ({"models": {"gpt-small": ["regional"]}}, "GPT-small", Reason.UNKNOWN_MODEL, "body.model"),
        ({"models": {}}, "gpt-small", Reason.UNKNOWN_MODEL, "body.model"),
        # A tenant of another geography, whatever else its policy says
        ({"geography": "us", "models": {"gpt-small": ["regional"]}}, "gpt-small", Reason.WRONG_GEOGRAPHY, "tenant"),
        ({"geography": "europe", "models": {"gpt-small": ["regional"]}}, "gpt-small", Reason.WRONG_GEOGRAPHY, "tenant"),
        ({"geography": "us", "residency": "global"}, "gpt-small", Reason.WRONG_GEOGRAPHY, "tenant"),
        ({"geography": "us", "models": {}}, "gpt-small", Reason.WRONG_GEOGRAPHY, "tenant"),
    ],
)  # fmt: skip
def test_what_no_deployment_may_serve_is_refused(changes: dict[str, Any], alias: str, reason: Reason, field: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        STAMP.terms(policy(**changes), alias)
    assert (refused.value.reason, refused.value.field) == (reason, field)


@pytest.mark.parametrize(
    ("name", "residency", "reason"),
    [
        ("regional", "region", None),
        ("zonal", "region", Unusable.MAY_LEAVE_REGION),
        ("zonal", "data_zone", None),
        ("world", "geography", Unusable.MAY_PROCESS_ANYWHERE),
        ("world", "global", None),
    ],
)
def test_a_stamp_says_why_a_policy_cannot_use_a_deployment(name: str, residency: str, reason: Unusable | None) -> None:
    assert STAMP.unusable(name, policy(residency=residency)) is reason


def test_a_policy_of_another_geography_can_use_no_deployment_of_the_stamp() -> None:
    assert {STAMP.unusable(name, policy(geography="us")) for name in STAMP.deployments} == {Unusable.OTHER_GEOGRAPHY}


@pytest.mark.parametrize(
    ("limits", "own"),
    [
        ({}, {}),  # a limit that is missing is the stamp's
        ({"requests_in_flight": 1}, {"requests_in_flight": 1}),
        ({"requests_in_flight": 64}, {"requests_in_flight": 64}),  # more than the stamp's is the policy's to give
        ({"output_tokens_per_request": 256}, {"output_tokens_per_request": 256}),
        ({"output_tokens_per_request": 100_000}, {"output_tokens_per_request": 100_000}),
        ({"requests_per_minute": 1}, {"requests_per_minute": 1}),
        ({"requests_per_minute": None}, {}),  # null is as missing
        (
            {"requests_in_flight": 2, "output_tokens_per_request": 16, "requests_per_minute": 3},
            {"requests_in_flight": 2, "output_tokens_per_request": 16, "requests_per_minute": 3},
        ),
    ],
)
def test_a_tenants_limits_are_its_policys_and_the_stamps_for_the_rest(
    limits: dict[str, int | None], own: dict[str, int]
) -> None:
    assert stamp().limits_of(policy(limits=limits)) == replace(LIMITS, **own)


@pytest.mark.parametrize(("limits", "tokens"), [({}, 16_384), ({"output_tokens_per_request": 20_000}, 20_000)])
@pytest.mark.parametrize("filtering", Filtering)
def test_terms_have_the_tenants_output_tokens_and_filter(limits: dict[str, int], tokens: int, filtering: Filtering) -> None:
    terms = stamp().terms(policy(limits=limits, content_filter=filtering), "gpt-small")
    assert (terms.output_tokens, terms.content_filter) == (tokens, filtering)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://lethe.openai.azure.com/openai/v1/",
        "https://lethe.cognitiveservices.azure.com/openai/v1/",
        "https://lethe.services.ai.azure.com/openai/v1/",
        "https://lethe.openai.azure.us/openai/v1/",
        "https://lethe.openai.azure.cn/openai/v1/",
        "https://LETHE.OpenAI.Azure.com/openai/v1/",
        "http://127.0.0.1:9000/openai/v1/",
        "http://localhost:9000/openai/v1/",
        "http://[::1]:9000/openai/v1/",
    ],
)
def test_a_deployment_is_of_an_azure_openai_resource_or_on_loopback(endpoint: str) -> None:
    assert deployment(endpoint=endpoint).endpoint == endpoint


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"endpoint": "https://api.openai.com/v1/"}, "endpoint"),
        ({"resource_id": "primary"}, "resource_id"),
        ({"geography": "atlantis"}, "geography"),
        ({"sku": "GlobalBatch"}, "sku"),
        ({"model": ""}, "model"),
        ({"api_key": "canary4f1c"}, "api_key"),
        ({"region": "canary4f1c"}, None),  # of the whole: the region is not one of the geography
        ({"region": "eastus"}, None),
    ],
)
def test_a_malformed_deployment_is_refused_by_its_field_and_not_quoted(change: dict[str, str], field: str | None) -> None:
    with pytest.raises(ValidationError) as refused:
        Deployment.model_validate(DEPLOYMENT | change)
    assert [error["loc"] for error in refused.value.errors()] == [(field,) if field else ()]
    assert "canary4f1c" not in str(refused.value)


def test_a_deployment_lies_in_a_region_of_its_own_geography() -> None:
    assert deployment(region="westeurope").geography is Geography.EU
    assert deployment(region="uksouth", geography="uk").geography is Geography.UK
    assert deployment(region="uksouth", geography="europe").geography is Geography.EUROPE
