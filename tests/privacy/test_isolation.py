"""Two tenants with equal keys, contents and subjects: their keys, secrets, documents, messages and answers never meet."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.domain.signing import signature
from tests.privacy import belongings, bus
from tests.privacy.belongings import Belongings
from tests.privacy.cases import RESPONSES
from tests.privacy.hooks import SECRETS
from tests.privacy.http_calls import ENDPOINTS, LETHE, LOOKUP
from tests.privacy.isolation import ATTEMPTS, ENDED, NAMES, SAME_KEY, Tenant, case_of, place, send, two_tenants, work
from tests.privacy.scan import scan, scan_bytes
from tests.privacy.surroundings import CONTAINERS
from tests.privacy.test_canary import told
from tests.system.jobs import job, wait_until_all_wait
from tests.system.metric_lines import MetricLines
from tests.system.stack import wait_for

QUEUES = [bus.REQUESTS, bus.REJECTED, "webhook-deliveries", *(f"{name}-replies" for name in NAMES)]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One tenant, and what belonged to it before anybody tried to reach it."""

    tenant: Tenant
    has: Belongings


type Pair = tuple[Side, Side]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with two_tenants(tmp_path_factory.mktemp("isolation")) as tenants:
        work(tenants)
        first, second = (Side(tenant=tenant, has=belongings.of(tenant, QUEUES)) for tenant in tenants)
        yield first, second


@pytest.fixture(params=[0, 1], ids=NAMES)
def sides(pair: Pair, request: pytest.FixtureRequest) -> Pair:
    """Each tenant, and the other one."""
    return pair if request.param == 0 else (pair[1], pair[0])


def test_everything_that_a_store_has_of_a_tenant_was_looked_at(sides: Pair) -> None:
    """The stores that hold its own words, and those that hold something of it, are found to do so."""
    own, _ = sides
    found = {finding.where for finding in scan_bytes(own.tenant.flock, **own.has.blobs())}
    dead = f"{bus.REQUESTS}{bus.DEAD}"
    assert found == {"generations", "webhook-endpoints", bus.REQUESTS, dead, bus.REJECTED, "webhooks", "answers", "reviews"}
    filled = {name for name, things in own.has.stores.items() if things}
    assert filled == found | {
        *("policies", "evidence", "abuse-monitoring", "keys.json", SECRETS, "webhook-deliveries", own.tenant.replies)
    }


def test_nothing_that_belongs_to_a_tenant_has_a_word_of_the_other(sides: Pair) -> None:
    own, other = sides
    found = scan_bytes(other.tenant.flock, **own.has.blobs())
    assert not found, told(found)
    assert not [name for name, blob in own.has.blobs().items() if other.tenant.name.encode() in blob]


def test_every_document_belongs_to_one_tenant(pair: Pair) -> None:
    stack = pair[0].tenant.stack
    for name in CONTAINERS:
        documents = [*stack.store.container(name).query_items("SELECT * FROM c", enable_cross_partition_query=True)]
        named = [document.get("tenantId") or document.get("fields", {}).get("tenant") for document in documents]
        counted = {side.tenant.name: len(side.has.stores[name]) for side in pair}
        assert {tenant: named.count(tenant) for tenant in counted} == counted


def test_no_key_secret_mac_or_id_occurs_under_both(pair: Pair) -> None:
    first, second = (side.has.identifiers() for side in pair)
    for side, identifiers in zip(pair, (first, second), strict=True):
        stored = side.has.stores
        keys = {entry[part] for purpose in stored["keys.json"][0].values() for entry in purpose for part in ("kid", "secret")}
        documents = [*stored["generations"], *stored["abuse-monitoring"]]
        jobs = {document["jobId"].partition(".")[0] for document in documents}  # an event of an alert has its type behind it
        assert keys | jobs | {*side.tenant.endpoints, side.tenant.client} <= identifiers, "not everything was compared"
    assert first & second == set()


def test_equal_keys_contents_and_subjects_have_unequal_ids_and_macs(pair: Pair) -> None:
    receipts = [_receipts_of_the_same(side) for side in pair]
    assert [len(each) for each in receipts] == [2, 2]
    for part in ("content_mac", "subject"):
        macs = [{receipt[part][name] for receipt in each} for each in receipts for name in ("mac", "kid")]
        assert [len(values) for values in macs] == [1, 1, 1, 1], "within one tenant equal things have equal MACs"
        assert len(set().union(*macs)) == 4
    assert len({receipt["jobId"] for each in receipts for receipt in each}) == 4


def _receipts_of_the_same(side: Side) -> list[dict[str, Any]]:
    """Receipts of the jobs whose key and content both tenants have, over HTTP and over the queue."""
    documents = side.has.stores["generations"]
    same = {one["jobId"] for one in documents if one["dataClass"] == "output" and one["batch"] == SAME_KEY["batch"]}
    return [one for one in documents if one["dataClass"] == "receipt" and one["jobId"] in same]


def test_the_same_subjects_records_and_alert_are_other_ones_with_each_tenant(pair: Pair) -> None:
    for side in pair:
        kept = side.has.stores["abuse-monitoring"]
        [alert] = [one for one in kept if one["dataClass"] == "abuse_alert"]
        kept_for = {one["jobId"]: one for one in kept if one["dataClass"] == "abuse_record"}
        assert {one["reason"] for one in kept_for.values()} <= {
            "flagged",
            "alert",
        }  # the latter, of what ended behind the alert
        records = {job_id: one for job_id, one in kept_for.items() if one["reason"] == "flagged"}
        assert {*alert["jobs"]} == records.keys()
        assert len(records) == ATTEMPTS
        assert [one["subject"] for one in records.values()] == [alert["subject"]] * ATTEMPTS
        told = {json.loads(one["body"])["data"]["id"] for one in side.has.stores["webhooks"] if "safety." in one["body"]}
        assert told == {f"alr_{alert['jobId']}"}
        recorded = [one["kind"] for one in side.has.stores["evidence"] if one["chain"] in {"abuse", "access"}]
        assert sorted(recorded) == ["abuse_alert_created", *["abuse_record_opened"] * ATTEMPTS]


def test_a_reviewer_who_names_one_tenant_reaches_nothing_of_the_other(sides: Pair) -> None:
    own, other = sides[0].tenant, sides[1]
    kept = other.has.stores["abuse-monitoring"]
    alerts = [f"alr_{one['jobId']}" for one in kept if one["dataClass"] == "abuse_alert"]
    records = [f"abr_{one['jobId']}" for one in kept if one["dataClass"] == "abuse_record"]
    tried: list[tuple[str, str, object]] = [("POST", f"records/{record}/open", case_of(own)) for record in records]
    tried += [("POST", f"alerts/{alert}/resolve", {**case_of(own), "resolution": "confirmed"}) for alert in alerts]
    tried += [("GET", f"alerts?tenant={own.name}&after={alert}", None) for alert in alerts]
    assert len(tried) >= ATTEMPTS + 2
    assert [own.reviewed(method, path, body).status for method, path, body in tried] == [404] * len(tried)
    for token in (own.token, other.tenant.token):
        reply = own.http.call("POST", f"{own.stack.endpoints['review']}/v1/abuse/{tried[0][1]}", case_of(own), token=token)
        assert reply.status == 403
    assert own.reviewed("GET", f"alerts?tenant={own.name}").text == own.reviews[0]
    assert _is_untouched(other)


def test_a_token_reaches_nothing_of_the_other(sides: Pair) -> None:
    own, other = sides[0].tenant, sides[1].tenant
    jobs, hooks = other.jobs.values(), other.endpoints
    tried: list[tuple[str, str, object]] = [(method, place(job), None) for job in jobs for method in ("GET", "DELETE")]
    tried += [("POST", f"{place(job)}/cancel", None) for job in jobs if job.startswith("resp_")]
    tried += [(method, f"{ENDPOINTS}/{hook}", None) for hook in hooks for method in ("GET", "DELETE")]
    tried += [("GET", f"{ENDPOINTS}?after={hook}", None) for hook in hooks]
    bodies: dict[str, object] = {"": {"name": "mine"}, "/rotate_secret": {}, "/test": {"event_type": "response.completed"}}
    tried += [("POST", f"{ENDPOINTS}/{hook}{action}", body) for hook in hooks for action, body in bodies.items()]
    tried += [("POST", LOOKUP, other.own_key)]
    answered = [(method, path, own.call(method, path, body)) for method, path, body in tried]
    assert [(method, path, reply.status) for method, path, reply in answered if reply.status != 404] == []

    listed = own.good("GET", f"{ENDPOINTS}?limit=100")["data"]
    assert {one["id"] for one in listed} == {*own.endpoints}
    found = own.good("POST", LOOKUP, SAME_KEY)
    assert found["id"] == own.jobs["same over HTTP"]
    named = {"tenant": other.name, **SAME_KEY, "url": RESPONSES, "body": {"model": "gpt-small", "input": "x"}}
    assert own.call("POST", LETHE, named).status == 400
    assert _was_told_nothing(own, other)
    assert _is_untouched(sides[1])


def test_the_others_key_is_free_and_makes_another_job(sides: Pair) -> None:
    own, other = sides[0].tenant, sides[1].tenant
    body = {"model": "gpt-small", "input": "other words"}
    made = own.http.call("POST", LETHE, {**other.own_key, "url": RESPONSES, "body": body}, tenant=None, token=own.token)
    assert made.status == 202
    assert made.json["id"] not in other.jobs.values()
    assert _is_untouched(sides[1])


def test_a_submission_secret_signs_nothing_for_the_other(sides: Pair) -> None:
    own, other = sides[0].tenant, sides[1].tenant
    forged = job("forged", f"by {own.name}", "words", tenant=other.name)
    body = json.dumps(forged).encode()
    send([other.message(forged, secret=own.secret, reply_to=other.replies)], own.stack)
    [refused] = wait_for("the refusal", lambda: [one for one in own.stack.rejected() if one.body == body])
    assert refused.properties["reason"] == "signature_invalid"
    wait_until_all_wait(own.stack, 2)
    assert _is_untouched(sides[1], but=bus.REJECTED)


def test_a_webhook_is_verified_by_its_own_tenants_secrets_only(sides: Pair) -> None:
    own, other = sides
    webhooks = own.has.stores["webhooks"]
    assert webhooks
    for webhook in webhooks:
        verified = [
            secret for secret in own.tenant.webhook_secrets + other.tenant.webhook_secrets if _verifies(webhook, secret)
        ]
        assert len(verified) == 2, "the new secret and the one before"
        assert {*verified} <= {*own.tenant.webhook_secrets}


def _verifies(webhook: dict[str, Any], secret: str) -> bool:
    headers, body = webhook["headers"], webhook["body"]
    made = signature(body, message_id=headers["webhook-id"], at=int(headers["webhook-timestamp"]), secret=secret)
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        assert made not in headers["webhook-signature"]
        return False
    return made in headers["webhook-signature"]


def test_no_log_line_names_a_tenant_or_says_a_word_of_it(sides: Pair) -> None:
    own, _ = sides
    logs = own.tenant.stack.state / "logs"
    asked = f"alerts?tenant={own.tenant.name}"  # a URL in which a reviewer named it
    lines = own.tenant.stack.logs()
    assert own.tenant.jobs["own over HTTP"].removeprefix("gen_") in lines, "no line of any job"
    assert own.tenant.name not in lines.replace(asked, "")
    found = scan(own.tenant.flock, logs)
    assert not found, told(found)


def test_no_metric_names_a_tenant_or_says_a_word_of_it(sides: Pair) -> None:
    own, _ = sides
    lines = MetricLines(stack=own.tenant.stack)
    wait_for("the jobs to be counted", lambda: lines.counted("lethe.generations").get("completed", 0) >= 2 * ENDED)
    text = lines.path.read_text()
    assert own.tenant.name not in text
    assert not [identifier for identifier in own.has.identifiers() if identifier in text]
    found = scan_bytes(own.tenant.flock, metrics=text.encode())
    assert not found, told(found)


def test_no_run_of_a_function_has_ids_of_both(pair: Pair) -> None:
    ids = [{document["jobId"] for document in side.has.stores["generations"]} for side in pair]
    ids = [found | {*side.tenant.endpoints} for found, side in zip(ids, pair, strict=True)]
    lines = pair[0].tenant.stack.logs().splitlines()
    counts = [sum(any(one in line for one in of_one) for line in lines) for of_one in ids]
    assert min(counts) > 0
    assert not [line for line in lines if all(any(one in line for one in of_one) for of_one in ids)]


def _was_told_nothing(own: Tenant, other: Tenant) -> bool:
    """Whether no answer has a word or an id of the other."""
    answers = "".join(own.answers)
    ids = {job.partition("_")[2] for job in other.jobs.values()} | {*other.endpoints}
    return not scan_bytes(other.flock, answers=answers.encode()) and not any(one in answers for one in ids)


def _is_untouched(side: Side, *, but: str | None = None) -> bool:
    """Whether a tenant has all that it had, byte for byte, but for webhooks that were tried again meanwhile."""
    moving = {"generations", "webhook-endpoints", "webhook-deliveries", "webhooks", "answers", "reviews", but}
    now = belongings.of(side.tenant, QUEUES).stores
    same = all(now[name] == things for name, things in side.has.stores.items() if name not in moving)
    return same and _lasting(side.has.stores) <= _lasting(now)


def _lasting(stores: dict[str, list[Any]]) -> set[str]:
    """Documents of jobs and endpoints without what a delivery changes."""
    jobs = [one for one in stores["generations"] if one["dataClass"] != "event"]
    hooks = [{name: value for name, value in one.items() if name != "failing"} for one in stores["webhook-endpoints"]]
    return {json.dumps(one, sort_keys=True) for one in [*jobs, *hooks]}
