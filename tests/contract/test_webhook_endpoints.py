import asyncio
import json
from pathlib import Path

import pytest
from openai import OpenAI
from openai.types.webhooks import ResponseFailedWebhookEvent, WebhookEndpoint, WebhookEndpointWithSecret

from shared.delivery.endpoints import (
    MAX_ENDPOINTS,
    Changes,
    create_endpoint,
    delete_endpoint,
    get_endpoint,
    list_endpoints,
    rotate_secret,
    send_test,
    update_endpoint,
)
from shared.domain.webhook_endpoint import secret_name
from shared.errors import Refusal, UnknownEndpoint, WebhookRefused
from tests.contract.cosmos import Endpoint
from tests.contract.webhooks import TENANT, TYPE, Bench


async def refused(desk: Bench, **given: object) -> Refusal:
    wanted = {"name": "n", "url": desk.receiver.url(), "event_types": [TYPE], **given}
    with pytest.raises(WebhookRefused) as refusal:
        await create_endpoint(TENANT, webhooks=desk.webhooks, **wanted)  # type: ignore[arg-type]
    return refusal.value.reason


async def test_a_created_endpoint_is_the_openai_client_s_type_and_shows_its_secret_this_once(desk: Bench) -> None:
    made = await desk.endpoint()
    shown = WebhookEndpointWithSecret.model_validate(made.as_json())
    assert shown.signing_secret == made.secret
    again = WebhookEndpoint.model_validate((await get_endpoint(TENANT, shown.id, desk.webhooks)).as_json())
    assert (again.id, again.url, again.event_types) == (shown.id, desk.receiver.url(), [TYPE])
    assert made.secret not in json.dumps(made.endpoint.as_json())
    assert made.secret not in repr(made)


async def test_no_document_has_a_secret(desk: Bench, webhook_store: Endpoint) -> None:
    made = await desk.endpoint()
    rotated = await rotate_secret(TENANT, made.endpoint.id, keep_old=True, webhooks=desk.webhooks)
    document = await desk.endpoint_document(made.endpoint.id)
    assert document["signing"].keys() == {"current", "previous", "previous_until"}
    for secret in (made.secret, rotated.secret):
        assert not webhook_store.holds(secret.removeprefix("whsec_"))
    assert webhook_store.holds(made.endpoint.id)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"url": "https://example.com/"}, Refusal.URL_HOST_NOT_ALLOWED),
        ({"url": "https://127.0.0.1@evil.net/"}, Refusal.URL_USERINFO),
        ({"url": "http://example.com/"}, Refusal.URL_SCHEME),
        ({"name": ""}, Refusal.NAME_INVALID),
        ({"name": "a" * 201}, Refusal.NAME_INVALID),
        ({"name": "a\nb"}, Refusal.NAME_INVALID),
        ({"event_types": []}, Refusal.EVENT_TYPES_INVALID),
        ({"event_types": [TYPE, "batch.completed"]}, Refusal.EVENT_TYPES_INVALID),
    ],
)
async def test_an_endpoint_that_breaks_a_rule_is_refused_and_leaves_nothing(
    given: dict[str, object], reason: Refusal, desk: Bench, tmp_path: Path
) -> None:
    assert await refused(desk, **given) is reason
    assert await desk.webhooks.endpoints.all(TENANT) == []
    assert not (tmp_path / "secrets.json").exists()


async def test_a_tenant_has_twenty_endpoints_at_the_most(desk: Bench) -> None:
    for _ in range(MAX_ENDPOINTS):
        await desk.endpoint()
    assert await refused(desk) is Refusal.TOO_MANY_ENDPOINTS


async def test_the_list_is_newest_first_and_goes_on_after_an_id(desk: Bench) -> None:
    ids = [(await desk.endpoint()).endpoint.id for _ in range(3)][::-1]
    first = await list_endpoints(TENANT, after=None, limit=2, webhooks=desk.webhooks)
    assert [endpoint.id for endpoint in first.endpoints] == ids[:2]
    assert (first.as_json()["has_more"], first.as_json()["last_id"]) == (True, ids[1])
    rest = await list_endpoints(TENANT, after=ids[1], limit=2, webhooks=desk.webhooks)
    assert ([endpoint.id for endpoint in rest.endpoints], rest.has_more) == (ids[2:], False)
    with pytest.raises(UnknownEndpoint):
        await list_endpoints(TENANT, after="we_" + "0" * 32, limit=2, webhooks=desk.webhooks)


async def test_another_tenant_sees_changes_and_deletes_nothing(desk: Bench) -> None:
    endpoint_id = (await desk.endpoint()).endpoint.id
    webhooks = desk.webhooks
    for attempt in (
        get_endpoint("fabrikam", endpoint_id, webhooks),
        update_endpoint("fabrikam", endpoint_id, Changes(name="x"), webhooks),
        delete_endpoint("fabrikam", endpoint_id, webhooks),
        rotate_secret("fabrikam", endpoint_id, keep_old=False, webhooks=webhooks),
        send_test("fabrikam", endpoint_id, event_type=TYPE, webhooks=webhooks),
        get_endpoint(TENANT, "../policies", webhooks),
    ):
        with pytest.raises(UnknownEndpoint):
            await attempt
    assert (await list_endpoints("fabrikam", after=None, limit=9, webhooks=webhooks)).endpoints == []
    assert (await get_endpoint(TENANT, endpoint_id, webhooks)).name == "mine"


async def test_an_update_sets_what_it_names_and_is_checked_like_a_new_endpoint(desk: Bench) -> None:
    made = (await desk.endpoint()).endpoint
    changed = await update_endpoint(TENANT, made.id, Changes(name="other"), desk.webhooks)
    assert (changed.name, changed.url, changed.event_types) == ("other", made.url, made.event_types)
    assert changed.updated_at > made.updated_at
    same = await update_endpoint(TENANT, made.id, Changes(name="other"), desk.webhooks)
    assert same.updated_at == changed.updated_at
    with pytest.raises(WebhookRefused):
        await update_endpoint(TENANT, made.id, Changes(url="https://evil.net/"), desk.webhooks)
    assert (await get_endpoint(TENANT, made.id, desk.webhooks)).url == made.url


async def test_changes_at_the_same_moment_are_all_kept(desk: Bench) -> None:
    made = (await desk.endpoint()).endpoint
    await asyncio.gather(
        update_endpoint(TENANT, made.id, Changes(name="other"), desk.webhooks),
        update_endpoint(TENANT, made.id, Changes(event_types=["response.failed"]), desk.webhooks),
        rotate_secret(TENANT, made.id, keep_old=False, webhooks=desk.webhooks),
    )
    after = await get_endpoint(TENANT, made.id, desk.webhooks)
    assert (after.name, after.event_types) == ("other", ("response.failed",))
    assert after.signing.current != made.signing.current


async def test_deleting_takes_the_secrets_too(desk: Bench) -> None:
    made = (await desk.endpoint()).endpoint
    name, kid = secret_name(TENANT, made.id), made.signing.current
    assert await desk.webhooks.secrets.get(name, kid)
    await delete_endpoint(TENANT, made.id, desk.webhooks)
    assert await desk.webhooks.secrets.get(name, kid) is None
    with pytest.raises(UnknownEndpoint):
        await get_endpoint(TENANT, made.id, desk.webhooks)


async def test_a_test_event_is_sent_at_once_and_answers_the_status(desk: Bench) -> None:
    made = await desk.endpoint()
    desk.receiver.answers(status=418)
    assert await send_test(TENANT, made.endpoint.id, event_type="response.failed", webhooks=desk.webhooks) == 418
    (received,) = desk.receiver.received()
    with OpenAI(api_key="none", base_url="http://127.0.0.1:9/", webhook_secret=made.secret) as client:
        event = client.webhooks.unwrap(received["body"], received["headers"])
    assert isinstance(event, ResponseFailedWebhookEvent)


async def test_tests_are_limited_to_five_a_minute_for_all_processes(desk: Bench) -> None:
    made = (await desk.endpoint()).endpoint
    for _ in range(5):
        await send_test(TENANT, made.id, event_type=TYPE, webhooks=desk.webhooks)
    with pytest.raises(WebhookRefused) as refusal:
        await send_test(TENANT, made.id, event_type=TYPE, webhooks=desk.webhooks)
    assert refusal.value.reason is Refusal.TOO_MANY_TESTS
    assert len(desk.receiver.received()) == 5
    assert len((await desk.endpoint_document(made.id))["tests"]) == 5
    desk.now.offset += 61
    await send_test(TENANT, made.id, event_type=TYPE, webhooks=desk.webhooks)


async def test_a_test_that_nobody_answers_says_so(desk: Bench) -> None:
    made = (await desk.endpoint()).endpoint
    await update_endpoint(TENANT, made.id, Changes(url="http://127.0.0.1:9/"), desk.webhooks)
    with pytest.raises(WebhookRefused) as refusal:
        await send_test(TENANT, made.id, event_type=TYPE, webhooks=desk.webhooks)
    assert refusal.value.reason is Refusal.UNREACHABLE
