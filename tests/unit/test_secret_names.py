import re
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain import submission, webhook_endpoint
from shared.domain.macs import Purpose
from shared.domain.policy import STAMP, TENANT_ID

TENANTS = st.from_regex(TENANT_ID, fullmatch=True)
PARTS = st.lists(st.sampled_from(["a", "webhook", "we", "submission", "content", "job-id", "subject", "0" * 32]), min_size=1)
SPEAKING = PARTS.map("-".join).filter(re.compile(TENANT_ID).fullmatch)
"""Tenants that are named like parts of the names of secrets."""


@settings(max_examples=200, deadline=None, database=None)
@given(tenants=st.sets(TENANTS | SPEAKING, min_size=1, max_size=4))
def test_no_two_secrets_of_any_tenants_have_the_same_name(tenants: set[str]) -> None:
    names = [
        name
        for tenant in tenants
        for name in (
            submission.secret_name(tenant),
            webhook_endpoint.secret_name(tenant, webhook_endpoint.new_endpoint_id()),
            webhook_endpoint.secret_name(tenant, "we_" + "0" * 32),
            *(f"lethe-{tenant}-{purpose}" for purpose in Purpose),
        )
    ]
    assert all(one != other for one, other in combinations(names, 2))
    assert all(re.fullmatch(r"[0-9a-zA-Z-]{1,127}", name) for name in names), "Key Vault takes no other names"


@settings(max_examples=200, deadline=None, database=None)
@given(tenant=TENANTS | SPEAKING | st.sampled_from(["operators", "stamp--operators", "0-operators"]))
def test_no_tenants_secret_is_taken_for_an_operators_nor_the_other_way(tenant: str) -> None:
    operators = webhook_endpoint.secret_name(STAMP, "we_" + "0" * 32)
    assert re.fullmatch(r"[0-9a-zA-Z-]{1,127}", operators), "Key Vault takes no other names"
    assert operators != webhook_endpoint.secret_name(tenant, "we_" + "0" * 32)
    assert not webhook_endpoint.is_secret_of(tenant, operators)
    assert not operators.startswith(webhook_endpoint.SECRETS_OF.format(tenant=tenant))


@settings(max_examples=200, deadline=None, database=None)
@given(tenant=TENANTS | SPEAKING, other=TENANTS | SPEAKING)
def test_the_secrets_of_endpoints_are_known_by_their_names_and_no_other_is_taken_for_one(tenant: str, other: str) -> None:
    own = webhook_endpoint.secret_name(tenant, webhook_endpoint.new_endpoint_id())
    assert own.startswith(webhook_endpoint.SECRETS_OF.format(tenant=tenant))
    assert webhook_endpoint.is_secret_of(tenant, own)
    assert webhook_endpoint.is_secret_of(other, own) is (other == tenant)
    others = [submission.secret_name(tenant), f"{own}-content", *(f"lethe-{tenant}-{purpose}" for purpose in Purpose)]
    assert not any(webhook_endpoint.is_secret_of(each, name) for name in others for each in (tenant, other))
