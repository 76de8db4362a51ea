"""What of an operator's document is refused before anything is written, asked of a real store."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from azure.cosmos.aio import CosmosClient

from local import clock
from local.cosmos.auth import EMULATOR_KEY
from shared.azure.kept_documents import OF_REVIEW, KeptDocuments
from shared.azure.policies import Policies
from shared.azure.policy_documents import PolicyDocuments
from shared.errors import InvalidPolicy, WriteConflict
from shared.tenants.plan import plan, read
from shared.tenants.services import Tenants
from tests.contract.cosmos import DATABASE, fresh_endpoint
from tests.policies import DIRECTORY, POLICY, deployment, policy, stamp, stored

if TYPE_CHECKING:
    from shared.azure.evidence import Evidence
    from shared.azure.holds import Holds
    from shared.azure.keys import KeyStore
    from shared.azure.queues import Queues
    from shared.azure.submission_secrets import SubmissionSecrets
    from shared.azure.tenant_documents import TenantDocuments
    from shared.delivery.services import Webhooks

CANARY = "canary4f1c"
OTHER = "11e7be00-0000-4000-8000-000000000c09"


def principal(client: str) -> dict[str, Any]:
    return {"directory": DIRECTORY, "client_id": client, "roles": ["Lethe.Submit"]}


NEWCOMER = POLICY | {"tenant_id": "northwind", "principals": [principal(OTHER)], "reply_queues": []}


@pytest.fixture
async def tenants(tmp_path: Path) -> AsyncIterator[Tenants]:
    """A store with contoso in it. What planning does not touch is not there: it would fail the test."""
    with fresh_endpoint(tmp_path) as endpoint:
        async with CosmosClient(endpoint.url, EMULATOR_KEY) as client:
            database = client.get_database_client(DATABASE)
            policies = database.get_container_client("policies")
            await policies.create_item(stored("contoso"))
            yield Tenants(
                policies=PolicyDocuments(policies, clock=clock.now),
                kept=KeptDocuments(database.get_container_client("generations"), clock=clock.now, grace=15),
                kept_for_review=KeptDocuments(
                    database.get_container_client("abuse-monitoring"), clock=clock.now, grace=15, classes=OF_REVIEW
                ),
                documents=cast("TenantDocuments", None),
                holds=cast("Holds", None),
                keys=cast("KeyStore", None),
                submission=cast("SubmissionSecrets", None),
                webhooks=cast("Webhooks", None),
                queues=cast("Queues", None),
                evidence=cast("Evidence", None),
                stamp=stamp(
                    deployment(),
                    deployment("gpt-small-zone", sku="DataZoneStandard"),
                    deployment("gpt-small-world", sku="GlobalStandard"),
                ),
                clock=clock.now,
                settle=0,
            )


async def problems(tenants: Tenants, document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidPolicy) as refused:
        await plan(json.dumps(document).encode(), tenants)
    return {problem.field: problem.rule for problem in refused.value.problems}


async def test_a_policy_that_the_stamp_can_honour_is_planned(tenants: Tenants) -> None:
    planned = await plan(json.dumps(NEWCOMER).encode(), tenants)
    assert (planned.is_new, planned.over, planned.policy.tenant_id) == (True, None, "northwind")
    assert planned.shortens == {"receipt": 0, "output": 0, "event": 0, "abuse_record": 0, "abuse_alert": 0}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"geography": "us"}, {"geography": "this stamp stands in eu", "models.gpt-small[0]": "resource_in_other_geography"}),
        ({"models": {"gpt-small": ["gpt-small-eu", CANARY]}}, {"models.gpt-small[1]": "this stamp lists no such deployment"}),
        ({"models": {"gpt-small": ["gpt-small-world"]}}, {"models.gpt-small[0]": "sku_may_process_anywhere"}),
        (
            {"models": {"gpt-small": ["gpt-small-zone"]}, "residency": "region"},
            {"models.gpt-small[0]": "sku_may_leave_region"},
        ),
        ({"principals": POLICY["principals"]}, {"principals[0]": "acts for another tenant, or stands here twice"}),
        ({"principals": [principal(OTHER)] * 2}, {"principals[1]": "acts for another tenant, or stands here twice"}),
        ({"reply_queues": ["mine", "Contoso-Replies"]}, {"reply_queues[1]": "is another tenant's"}),
    ],
)
async def test_what_the_stamp_cannot_honour_is_named_with_its_reason(
    tenants: Tenants, change: dict[str, Any], expected: dict[str, str]
) -> None:
    assert await problems(tenants, NEWCOMER | change) == expected


async def test_global_processing_is_planned_only_by_the_explicit_word(tenants: Tenants) -> None:
    world = {"models": {"gpt-small": ["gpt-small-world"]}}
    for level in ("region", "data_zone", "geography"):
        assert await problems(tenants, NEWCOMER | world | {"residency": level})
    planned = await plan(json.dumps(NEWCOMER | world | {"residency": "global"}).encode(), tenants)
    assert planned.change.loosened == ("residency", "queue_submission")


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b"null", b'{"a": 1, "a": 2}', b"\xff", b'{"a": NaN}', json.dumps(CANARY).encode(), b" " * 200_001],
)
def test_what_is_no_document_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        read(document)
    assert [problem.field for problem in refused.value.problems] == ["document"]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"grounding": None}, ["grounding"]),
        ({"retention": {"output_seconds": 60}}, ["retention.receipt_seconds", "retention.abuse_record_seconds"]),
        ({"tenant_id": CANARY.upper(), "residency": CANARY}, ["tenant_id", "residency"]),
        ({"abuse_monitoring": {"mode": "opted_out"}}, ["abuse_monitoring"]),
        ({"principals": [principal(CANARY)]}, ["principals[0].client_id"]),
        ({"limits": {"requests_in_flight": 0}}, ["limits.requests_in_flight"]),
    ],
)
def test_every_wrong_field_is_named_and_no_value_quoted(change: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        read(json.dumps({name: value for name, value in (NEWCOMER | change).items() if value is not None}).encode())
    assert [problem.field for problem in refused.value.problems] == fields
    assert CANARY not in str(refused.value.problems).lower()


async def test_two_who_write_a_policy_at_once_do_not_overwrite_each_other(tenants: Tenants) -> None:
    first = second = await tenants.policies.find("contoso")
    await tenants.policies.write(policy(grounding="forbidden"), over=first)
    with pytest.raises(WriteConflict):
        await tenants.policies.write(policy(residency="region"), over=second)
    await tenants.policies.write(policy(grounding="forbidden"), over=second)  # the same again: the SDK meets its own write
    with pytest.raises(WriteConflict):
        await tenants.policies.write(policy(), over=None)


async def test_a_policy_that_cannot_be_read_is_listed_apart_and_can_be_mended(tenants: Tenants) -> None:
    container = tenants.policies._container  # noqa: SLF001
    await container.upsert_item(stored("contoso", grounding=CANARY))
    await container.upsert_item(stored("adatum", principals=[], reply_queues=[]))
    listing = await tenants.policies.all()
    assert ([one.tenant_id for one in listing.policies], listing.unreadable) == (["adatum"], ("contoso",))
    planned = await plan(json.dumps(POLICY).encode(), tenants)
    await tenants.policies.write(planned.policy, over=planned.over)
    assert (await tenants.policies.all()).unreadable == ()


async def test_an_offboarded_tenant_has_no_policy_and_may_come_back(tenants: Tenants) -> None:
    container = tenants.policies._container  # noqa: SLF001
    found = await tenants.policies.find("contoso")
    assert found is not None
    await tenants.policies.bury("contoso", over=found)
    assert await Policies(container, clock=clock.now).get("contoso") is None
    assert (await tenants.policies.all()).policies == ()
    planned = await plan(json.dumps(POLICY).encode(), tenants)
    assert (planned.is_new, planned.change.loosened) == (True, ("queue_submission",))
