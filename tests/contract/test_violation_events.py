"""What operators are told of violated promises: the timer's state and events in a real store, posted to a real receiver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from openai import OpenAI

from shared.azure.stamp_state import StampState
from shared.delivery.endpoints import WithSecret, create_endpoint, send_test
from shared.delivery.reference import parse
from shared.domain.evidence import Chain, Kind
from shared.domain.inventory import Inventory
from shared.domain.policy import STAMP
from shared.domain.promises import PROMISES
from shared.domain.residency import Geography
from shared.domain.run_record import Run
from shared.domain.step_report import StepReport
from shared.domain.webhook import PROMISE_VIOLATED
from shared.errors import QueueUnavailable, Refusal, WebhookRefused
from shared.patience import patience
from shared.privacy.statement import Statements
from shared.privacy.violations import PLACE, Violations, tell, watch
from tests.contract.cosmos import DATABASE, Endpoint
from tests.contract.webhooks import OPERATOR, TENANT, TYPE, Bench

LATE = StepReport(step="expired_documents", found=1, overdue=1)
BLIND = StepReport(step="expired_documents", complete=False)
STEPS = {step for promise in PROMISES for step in promise.steps}


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A bench, and what a look at a run works with."""

    desk: Bench
    violations: Violations

    def run(self, *changed: StepReport) -> Run:
        """A run that found nothing late, but for what is changed."""
        steps = {step: StepReport(step=step) for step in STEPS} | {report.step: report for report in changed}
        return Run(at=self.desk.now(), seconds=1.0, steps=steps, inventory=Inventory())

    async def look(self, *changed: StepReport) -> None:
        await tell(self.run(*changed), self.violations)

    async def listens(self, *types: str) -> WithSecret:
        return await self.desk.endpoint(*(types or (PROMISE_VIOLATED,)), tenant=STAMP)

    async def received(self) -> list[dict[str, Any]]:
        """Posts so far, after delivering what waits."""
        await self.desk.work()
        return self.desk.receiver.received()


@pytest.fixture
async def watcher(desk: Bench) -> AsyncIterator[Watch]:
    database = desk.client.get_database_client(DATABASE)
    privacy = database.get_container_client("privacy")
    evidence = desk.webhooks.evidence
    await evidence.append(Chain.CONFIGURATION, Kind.CONFIGURATION_CHECKED, {"counts": ()})
    statements = Statements(evidence=evidence, geography=Geography.EU, interval=300, grace=900, clock=desk.now)
    yield Watch(desk=desk, violations=Violations(statements=statements, state=StampState(privacy), webhooks=desk.webhooks))
    for endpoint in await desk.webhooks.endpoints.all(STAMP):
        await desk.webhooks.endpoints.delete(STAMP, endpoint.id)
    with suppress(CosmosResourceNotFoundError):
        await privacy.delete_item(PLACE, STAMP)


async def test_a_violation_is_posted_signed_with_the_promise_and_nothing_else(watcher: Watch) -> None:
    made = await watcher.listens()
    await watcher.look(LATE)
    [post] = await watcher.received()
    with OpenAI(api_key="none", base_url="http://127.0.0.1:9/") as client:
        event = client.webhooks.unwrap(post["body"], post["headers"], secret=made.secret).to_dict()
    assert event.keys() == {"id", "object", "type", "created_at", "data"}
    assert (event["type"], event["data"]) == (PROMISE_VIOLATED, {"id": "retention"})
    assert event["id"] == post["headers"]["webhook-id"]


async def test_it_is_told_once_and_again_only_when_it_was_holding_meanwhile(watcher: Watch) -> None:
    await watcher.listens()
    for changed in (LATE, LATE, BLIND, LATE):
        await watcher.look(changed)
    assert len(await watcher.received()) == 1
    await watcher.look()
    assert len(await watcher.received()) == 1
    await watcher.look(LATE)
    posts = await watcher.received()
    assert len({post["headers"]["webhook-id"] for post in posts}) == len(posts) == 2


async def test_two_processes_at_once_tell_it_once(watcher: Watch) -> None:
    await watcher.listens()
    await asyncio.gather(*(watcher.look(LATE) for _ in range(5)))
    assert len(await watcher.received()) == 1
    assert await _events(watcher) == 1


async def test_what_nobody_listened_for_is_told_to_the_first_endpoint_while_it_lasts(watcher: Watch) -> None:
    await watcher.look(LATE)
    await watcher.listens("webhook_endpoint.disabled")
    await watcher.look(LATE)
    assert await _events(watcher) == 0
    await watcher.listens()
    await watcher.look(LATE)
    await watcher.look(LATE)
    assert len(await watcher.received()) == 1


async def test_a_crash_before_the_event_is_stored_delays_it(watcher: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    await watcher.listens()
    with monkeypatch.context() as patch:
        patch.setattr(watcher.desk.webhooks.events, "create", _crash)
        with pytest.raises(ConnectionResetError):
            await watcher.look(LATE)
    assert await watcher.received() == []
    await watcher.look()  # it holds again, and was violated all the same
    assert len(await watcher.received()) == 1


async def test_a_crash_after_the_event_is_announced_makes_no_second_one(
    watcher: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watcher.listens()
    with monkeypatch.context() as patch:
        patch.setattr("shared.privacy.violations.announce", _crash)
        with pytest.raises(ConnectionResetError):
            await watcher.look(LATE)
    await watcher.look(LATE)
    await watcher.look(LATE)
    assert len(await watcher.received()) == 1
    assert await _events(watcher) == 1


async def test_a_queue_that_is_away_leaves_it_to_the_timer_and_a_store_that_is_away_to_the_next_run(
    watcher: Watch, webhook_store: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watcher.listens()
    webhook_store.fault(operation="read", status=400, count=1000)
    with patience(0.2):
        await watch(watcher.run(LATE), watcher.violations)
    webhook_store.reset()
    assert await _events(watcher) == 0
    with monkeypatch.context() as patch:
        patch.setattr(watcher.desk.queue, "send", _away)
        patch.setattr("shared.delivery.announce.PATIENCE", 0.2)
        await watch(watcher.run(LATE), watcher.violations)
    assert await _events(watcher) == 1


async def test_a_look_that_finds_nothing_to_tell_only_reads(watcher: Watch, webhook_store: Endpoint) -> None:
    await watcher.listens()
    await watcher.look(LATE)
    for changed in (LATE, BLIND):
        webhook_store.reset()
        await watcher.look(changed)
        assert webhook_store.counts("privacy") == {"read": 1}
        assert webhook_store.counts("webhook-endpoints") == webhook_store.counts() == {}
        assert webhook_store.counts("evidence") == {"query": 3}


async def test_neither_side_can_subscribe_to_or_test_what_is_the_others(watcher: Watch) -> None:
    hooks = watcher.desk.webhooks
    for owner, foreign in ((TENANT, PROMISE_VIOLATED), (STAMP, TYPE)):
        with pytest.raises(WebhookRefused) as refused:
            await watcher.desk.endpoint(foreign, tenant=owner)
        assert refused.value.reason is Refusal.EVENT_TYPES_INVALID
        made = await watcher.desk.endpoint("webhook_endpoint.disabled", tenant=owner)
        with pytest.raises(WebhookRefused):
            await send_test(owner, made.endpoint.id, event_type=foreign, webhooks=hooks)


async def test_a_test_names_no_promise(watcher: Watch) -> None:
    made = await watcher.listens()
    await send_test(STAMP, made.endpoint.id, event_type=PROMISE_VIOLATED, webhooks=watcher.desk.webhooks)
    [post] = await watcher.received()
    assert '"data":{"id":"sample"}' in post["body"]


async def test_operators_are_called_at_hosts_of_the_setting_only_whatever_policies_allow(watcher: Watch) -> None:
    with pytest.raises(WebhookRefused) as refused:
        await create_endpoint(
            STAMP,
            name="n",
            url=f"http://localhost:{watcher.desk.receiver.port}/hooks/a",
            event_types=[PROMISE_VIOLATED],
            webhooks=watcher.desk.webhooks,
            actor=OPERATOR,
        )
    assert refused.value.reason is Refusal.URL_HOST_NOT_ALLOWED


@pytest.mark.parametrize("tenant", ["$stamp", "contoso"])
@pytest.mark.parametrize("source", ["geography." + "0" * 32, "no-leaks." + "a" * 32])
def test_a_message_about_a_promise_is_read(tenant: str, source: str) -> None:
    event, endpoint = "evt_" + "0" * 32, "we_" + "0" * 32
    body = f'{{"tenant": "{tenant}", "job_id": "{source}", "event_id": "{event}", "endpoint_id": "{endpoint}"}}'
    assert parse(body.encode()) is not None
    assert parse(body.replace(tenant, "$probe").encode()) is None


async def _crash(*_: object, **__: object) -> None:
    raise ConnectionResetError


async def _away(*_: object, **__: object) -> None:
    raise QueueUnavailable


async def _events(watcher: Watch) -> int:
    container = watcher.desk.client.get_database_client(DATABASE).get_container_client("generations")
    return len([each async for each in container.query_items("SELECT c.id FROM c", partition_key=[STAMP])])
