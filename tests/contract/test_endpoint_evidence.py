"""Whoever runs the service and changes where its alarms go leaves evidence of it, or does not change it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from secrets import token_hex
from typing import Any

import pytest

from shared.delivery.endpoints import (
    Changes,
    WithSecret,
    create_endpoint,
    delete_endpoint,
    get_endpoint,
    rotate_secret,
    update_endpoint,
)
from shared.domain.evidence import Chain, Record
from shared.domain.policy import STAMP
from shared.domain.webhook import ENDPOINT_DISABLED, PROMISE_VIOLATED
from shared.errors import StoreUnavailable, UnknownEndpoint, WebhookRefused
from shared.patience import patience
from tests.contract.cosmos import Endpoint
from tests.contract.webhooks import OPERATOR, TENANT, Bench

ACTOR = f"{OPERATOR.directory}/{OPERATOR.client_id}"


@pytest.fixture
async def operators(desk: Bench) -> AsyncIterator[Bench]:
    """A desk of those who run the service, whose endpoints go when the test does."""
    yield desk
    for endpoint in await desk.webhooks.endpoints.all(STAMP):
        await desk.webhooks.endpoints.delete(STAMP, endpoint.id)


async def told(desk: Bench, made: WithSecret | None = None) -> list[tuple[str, dict[str, Any]]]:
    """What evidence says of endpoints, or of one: kinds and fields."""
    records = [each async for each in desk.webhooks.evidence.read(Chain.POLICIES) if isinstance(each, Record)]
    return [(one.kind, {**one.fields}) for one in records if made is None or one.fields["endpoint"] == made.endpoint.id]


async def test_registering_changing_rotating_and_deleting_are_each_recorded_in_turn(operators: Bench) -> None:
    hooks = operators.webhooks
    made = await operators.endpoint(PROMISE_VIOLATED, tenant=STAMP)
    both = Changes(event_types=[PROMISE_VIOLATED, ENDPOINT_DISABLED, PROMISE_VIOLATED])
    await update_endpoint(STAMP, made.endpoint.id, both, hooks, actor=OPERATOR)
    await rotate_secret(STAMP, made.endpoint.id, keep_old=True, webhooks=hooks, actor=OPERATOR)
    await delete_endpoint(STAMP, made.endpoint.id, hooks, actor=OPERATOR)
    before = {"endpoint": made.endpoint.id, "actor": ACTOR, "host": "127.0.0.1", "event_types": (PROMISE_VIOLATED,)}
    behind = before | {"event_types": (PROMISE_VIOLATED, ENDPOINT_DISABLED)}
    assert await told(operators, made) == [
        ("endpoint_registered", before),
        ("endpoint_changed", behind),
        ("endpoint_rotated", behind | {"keeps_old": True}),
        ("endpoint_deleted", behind),
    ]


async def test_a_change_that_changes_nothing_is_none(operators: Bench) -> None:
    made = await operators.endpoint(PROMISE_VIOLATED, tenant=STAMP)
    await update_endpoint(STAMP, made.endpoint.id, Changes(name="mine"), operators.webhooks, actor=OPERATOR)
    assert [kind for kind, _ in await told(operators, made)] == ["endpoint_registered"]


async def test_neither_the_name_nor_the_path_of_an_endpoint_is_told(operators: Bench) -> None:
    canary = f"canary{token_hex(8)}"
    made = await operators.endpoint(PROMISE_VIOLATED, name=canary, tenant=STAMP)
    await update_endpoint(STAMP, made.endpoint.id, Changes(name=canary), operators.webhooks, actor=OPERATOR)
    assert len(await told(operators, made)) == 2
    assert canary not in str(await told(operators))


async def test_a_host_is_told_in_the_words_of_the_setting_and_in_no_others(operators: Bench) -> None:
    canary = f"canary{token_hex(8)}"
    hooks = replace(operators.webhooks, operator_hosts=("*.example.com", "hooks.example.org"))
    hosts = {f"https://{canary}.example.com/": ".example.com", "https://hooks.example.org/": "hooks.example.org"}
    made = {
        url: await create_endpoint(STAMP, name="n", url=url, event_types=[PROMISE_VIOLATED], webhooks=hooks, actor=OPERATOR)
        for url in hosts
    }
    assert {url: (await told(operators, each))[0][1]["host"] for url, each in made.items()} == hosts
    nowhere = replace(hooks, operator_hosts=())
    for each in made.values():
        await delete_endpoint(STAMP, each.endpoint.id, nowhere, actor=OPERATOR)
        assert "host" not in (await told(operators, each))[-1][1]
    assert canary not in str(await told(operators))


async def test_a_name_longer_than_evidence_takes_is_told_by_its_end(operators: Bench) -> None:
    host = ".".join(["a" * 60] * 4)
    hooks = replace(operators.webhooks, operator_hosts=(host,))
    made = await create_endpoint(
        STAMP, name="n", url=f"https://{host}/", event_types=[PROMISE_VIOLATED], webhooks=hooks, actor=OPERATOR
    )
    assert (await told(operators, made))[0][1]["host"] == host[-128:]


async def test_of_tenants_endpoints_and_of_what_is_refused_nothing_is_recorded(operators: Bench) -> None:
    hooks, before = operators.webhooks, await told(operators)
    own = await operators.endpoint()
    await update_endpoint(TENANT, own.endpoint.id, Changes(name="other"), hooks, actor=OPERATOR)
    await rotate_secret(TENANT, own.endpoint.id, keep_old=False, webhooks=hooks, actor=OPERATOR)
    await delete_endpoint(TENANT, own.endpoint.id, hooks, actor=OPERATOR)
    with pytest.raises(WebhookRefused):
        await operators.endpoint("response.completed", tenant=STAMP)
    with pytest.raises(UnknownEndpoint):
        await delete_endpoint(STAMP, own.endpoint.id, hooks, actor=OPERATOR)
    assert await told(operators) == before


type Act = Callable[[str, Bench], Awaitable[object]]
ACTS: dict[str, Act] = {
    "registering": lambda _, desk: desk.endpoint(PROMISE_VIOLATED, tenant=STAMP),
    "changing": lambda of, desk: update_endpoint(STAMP, of, Changes(name="x"), desk.webhooks, actor=OPERATOR),
    "rotating": lambda of, desk: rotate_secret(STAMP, of, keep_old=False, webhooks=desk.webhooks, actor=OPERATOR),
    "deleting": lambda of, desk: delete_endpoint(STAMP, of, desk.webhooks, actor=OPERATOR),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_without_evidence_nothing_is_done(operators: Bench, webhook_store: Endpoint, act: Act) -> None:
    made = await operators.endpoint(PROMISE_VIOLATED, tenant=STAMP)
    webhook_store.fault(container="evidence", status=503, count=1000)
    with pytest.raises(StoreUnavailable), patience(0.2):
        await act(made.endpoint.id, operators)
    webhook_store.reset()
    assert await operators.webhooks.endpoints.all(STAMP) == [made.endpoint]
    assert await get_endpoint(STAMP, made.endpoint.id, operators.webhooks) == made.endpoint


async def test_nobody_in_particular_changes_no_endpoint_of_those_who_run_the_service(operators: Bench) -> None:
    with pytest.raises(ValueError, match="changed by one of them"):
        await create_endpoint(
            STAMP, name="n", url=operators.receiver.url(), event_types=[PROMISE_VIOLATED], webhooks=operators.webhooks
        )
    assert await operators.webhooks.endpoints.all(STAMP) == []
