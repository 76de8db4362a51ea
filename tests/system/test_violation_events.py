"""Operators are told of a violated promise: once, signed, whatever the timer and the host do afterwards."""

from collections.abc import Iterator
from secrets import token_hex

import httpx2
import openai
import pytest

from tests.system.callers import read
from tests.system.stack import Stack, running_stack
from tests.system.timer_log import whole_run
from tests.system.webhooks import COMPLETED, Tenant, tenant_of

VIOLATED = "privacy.promise.violated"
DISABLED = "webhook_endpoint.disabled"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Iterator[Tenant]:
    """Who runs the service, as a caller: of no tenant."""
    with tenant_of(stack, "operator") as caller:
        yield caller


def test_operators_are_told_once_of_a_promise_that_open_submission_violates(stack: Stack, operator: Tenant) -> None:
    endpoint = operator.listens("operators", to=(VIOLATED, DISABLED))
    [webhook] = operator.receiver.wait_for(1, "operators")
    event = operator.openai.webhooks.unwrap(webhook.body, webhook.headers, secret=endpoint.signing_secret)
    assert (event.id, event.type) == (webhook.event_id, VIOLATED)
    assert webhook.event.keys() == {"id", "object", "type", "created_at", "data"}
    assert webhook.event["data"] == {"id": "geography"}
    for _ in range(3):
        whole_run(stack)
    stack.kill("host")
    whole_run(stack)
    statement = httpx2.get(f"{stack.endpoints['http']}/v1/privacy/statement", trust_env=False).json()
    assert [each["id"] for each in statement["promises"] if each["state"] == "violated"] == ["geography"]
    assert [each.event_id for each in operator.receiver.received()] == [webhook.event_id]
    [stored] = stack.events("$stamp")
    assert [each["state"] for each in stored["deliveries"].values()] == ["delivered"]


def test_an_operators_endpoint_is_tested_by_a_sample_that_names_no_promise_and_deleted_alone(operator: Tenant) -> None:
    kept, gone = operator.listens("kept", to=(DISABLED,)), operator.listens("gone", to=(VIOLATED,))
    operator.receiver.answers(status=204, count=1)
    assert operator.openai.webhooks.test(gone.id, event_type=VIOLATED).status_code == 204  # type: ignore[arg-type]
    [sample] = operator.receiver.wait_for(1, "gone")
    assert sample.event["data"] == {"id": "sample"}
    operator.openai.webhooks.delete(gone.id)
    assert gone.id not in {endpoint.id for endpoint in operator.openai.webhooks.list()}
    assert kept.id in {endpoint.id for endpoint in operator.openai.webhooks.list()}


def test_evidence_says_by_whom_an_operators_endpoint_was_made_rotated_changed_and_deleted(
    stack: Stack, operator: Tenant
) -> None:
    canary = f"canary{token_hex(8)}"
    made = operator.listens(canary, to=(DISABLED,))
    operator.openai.webhooks.rotate_secret(made.id)
    operator.openai.webhooks.update(made.id, name=f"{canary}-2")
    operator.openai.webhooks.delete(made.id)
    query = "SELECT * FROM c WHERE c.sequence > 0 ORDER BY c.sequence"
    records = list(stack.store.container("evidence").query_items(query, partition_key="policies"))
    found = [(each["kind"], each["fields"]) for each in records if each["fields"].get("endpoint") == made.id]
    by = read(stack.endpoints["tokens"]["operator"])
    told = {"endpoint": made.id, "actor": f"{by['tid']}/{by['azp']}", "event_types": [DISABLED], "host": "127.0.0.1"}
    assert found == [
        ("endpoint_registered", told),
        ("endpoint_rotated", told | {"keeps_old": False}),
        ("endpoint_changed", told),
        ("endpoint_deleted", told),
    ]
    assert canary not in str(records)


@pytest.mark.parametrize(("name", "foreign", "own"), [("contoso", VIOLATED, COMPLETED), ("operator", COMPLETED, VIOLATED)])
def test_nobody_hears_of_what_is_not_theirs(stack: Stack, name: str, foreign: str, own: str) -> None:
    with tenant_of(stack, name) as caller:
        known = {endpoint.id for endpoint in caller.openai.webhooks.list()}
        for types in ((foreign,), (own, foreign)):
            with pytest.raises(openai.BadRequestError) as refused:
                caller.listens("foreign", to=types)
            assert refused.value.code == "event_types_invalid"
        assert {endpoint.id for endpoint in caller.openai.webhooks.list()} == known


def test_tenants_and_operators_do_not_see_each_others_endpoints(stack: Stack, operator: Tenant) -> None:
    with tenant_of(stack, "contoso") as tenant:
        theirs, ours = tenant.listens("tenants"), operator.listens("operators-2", to=(DISABLED,))
        for caller, foreign in ((operator, theirs), (tenant, ours)):
            assert foreign.id not in {endpoint.id for endpoint in caller.openai.webhooks.list()}
            with pytest.raises(openai.NotFoundError):
                caller.openai.webhooks.delete(foreign.id)


def test_an_operators_host_that_the_setting_does_not_name_is_refused(operator: Tenant) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        operator.listens(url="https://elsewhere.example/hook", to=(VIOLATED,))
    assert refused.value.code == "url_host_not_allowed"
