"""Lethe's own HTTP interface: admission, refusals, reading, deadlines, deletion."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from shared.errors import Reason
from tests.privacy.surroundings import CONTAINERS
from tests.system.http import Http, Reply, calling, line
from tests.system.stack import running_stack, wait_for
from tests.unit.refusals import ALL, Refusal

REFUSALS: list[Refusal] = [refusal for refusal in ALL if refusal[2] != "tenant"]
PERSON = "person-3f1c9b7e@example.com"
MALFORMED_IDS = ["gen_", "gen_1", "gen_" + "g" * 40, "gen_" + "A" * 40, "a" * 40, "resp_" + "a" * 40, "gen_" + "a" * 41]
MALFORMED_IDS += ["%00", "..%2Freceipt", "gen_" + "a" * 39 + "%27", "lookup", "\N{ARABIC-INDIC DIGIT FOUR}" * 40, "x" * 5000]


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    """The timer runs once a year, so that what it would delete still lies in the store."""
    with (
        running_stack(tmp_path_factory.mktemp("generations"), LETHE_RETENTION_SCHEDULE="0 0 0 1 1 *") as stack,
        calling(stack) as http,
    ):
        yield http


def test_an_admission_says_where_the_generation_is_and_when_to_ask(http: Http) -> None:
    request = line("Where am I?", batch="b-1")
    reply = http.call("POST", "/v1/generations", request)
    admitted = reply.json
    assert reply.status == 202
    assert reply.headers["location"] == f"/v1/generations/{admitted['id']}"
    assert int(reply.headers["retry-after"]) > 0
    assert (admitted["object"], admitted["status"]) == ("generation", "queued")
    assert (admitted["custom_id"], admitted["batch"]) == (request["custom_id"], "b-1")
    ended = http.ended(admitted["id"])
    assert (ended["status"], ended["custom_id"], ended["batch"]) == ("completed", request["custom_id"], "b-1")
    assert ended["response"]["status_code"] == 200
    assert "Where am I?" in json.dumps(ended["response"]["body"]["output"])
    assert ended["created_at"] <= ended["completed_at"] < ended["expires_at"]
    assert http.call("GET", reply.headers["location"]).json == ended


@pytest.mark.parametrize(
    ("url", "body", "event"),
    [
        ("/v1/chat/completions", {"model": "gpt-small", "messages": [{"role": "user", "content": "Hi"}]}, "generation"),
        ("/v1/embeddings", {"model": "embed-small", "input": "Hi"}, "generation"),
        ("/v1/responses", {"model": "gpt-small", "input": "Hi"}, "response"),
    ],
)
def test_every_endpoint_is_served(http: Http, url: str, body: dict[str, Any], event: str) -> None:
    generation = http.submit(url=url, body=body)
    ended = http.ended(generation)
    assert (ended["status"], ended["endpoint"]) == ("completed", url)
    assert [found["type"] for found in http.documents("event", generation)] == [f"{event}.completed"]


@pytest.mark.parametrize(
    ("prompt", "status", "code"),
    [
        ("[[block:violence]]", "failed", "content_filter"),
        ("[[block-completion:hate]]", "incomplete", None),
        ("[[echo-error]]", "failed", "model_rejected_request"),
    ],
)
def test_every_end_is_shown_without_the_prompt(http: Http, prompt: str, status: str, code: str | None) -> None:
    ended = http.ended(http.submit(f"{prompt} {PERSON}"))
    assert (ended["status"], (ended["error"] or {}).get("code")) == (status, code)
    assert PERSON not in json.dumps(ended["error"])


@pytest.mark.parametrize("url", ["/v1/responses", "/v1/chat/completions"])
def test_what_the_filter_noticed_is_shown_in_full_and_kept_elsewhere_as_codes_only(http: Http, url: str) -> None:
    blocklist, person = f"list-{uuid4()}", f"person-{uuid4()}"
    prompt = f"[[annotate:jailbreak]] [[annotate:violence]] [[citation]] [[pii]] [[blocklist:{blocklist}]] Hello"
    said: dict[str, Any] = {"input": prompt} if url == "/v1/responses" else {"messages": [{"role": "user", "content": prompt}]}
    generation = http.submit(url=url, body={"model": "gpt-small", "safety_identifier": person, **said})
    found = http.ended(generation)["content_filter"]
    assert found["outcome"] == "annotated"
    assert found["categories"]["jailbreak"] == {"detected": True, "filtered": False}
    assert found["categories"]["violence"] == {"filtered": False, "severity": "low"}
    [citation] = found["details"]["citations"]
    assert (citation["category"], citation["license"]) == ("protected_material_code", "MIT")
    kinds = found["details"]["personal_information"]
    assert [(kind["kind"], kind["detected"]) for kind in kinds] == [("Email", True), ("PhoneNumber", True)]
    assert found["details"]["blocklists"] == [{"id": blocklist, "filtered": True}]

    [receipt] = http.documents("receipt", generation)
    noticed = ["custom_blocklists:filtered", "jailbreak:detected", "personally_identifiable_information:detected"]
    noticed += ["protected_material_code:detected", "violence:detected:low"]
    assert (receipt["result"]["filter_outcome"], receipt["result"]["filter_codes"]) == ("annotated", noticed)
    exported = http.call("POST", "/v1/subjects/exports", {"safety_identifier": person}).text.splitlines()
    assert json.loads(exported[0])["content_filter"] == found
    if url == "/v1/responses":
        assert http.call("GET", f"/openai/v1/responses/{generation.replace('gen_', 'resp_')}").json["content_filter"] == found
    told = everything_but_outputs(http)
    assert "jailbreak:detected" in told
    assert not [text for text in (blocklist, citation["url"], "PhoneNumber") if text in told]


def test_the_same_again_is_the_same_generation_and_other_content_a_conflict(http: Http) -> None:
    request = line()
    first, again = (http.call("POST", "/v1/generations", request) for _ in range(2))
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    other = http.call("POST", "/v1/generations", request | {"expires_after": 60})
    check_problem(other, 409, "conflict", "custom_id")
    ended = http.ended(first.json["id"])
    after = http.call("POST", "/v1/generations", request)
    assert (after.status, after.json) == (202, ended)
    assert ended["status"] == "completed"
    assert len({http.submit(**request | {"batch": batch}) for batch in ("a", "b")} | {first.json["id"]}) == 3


@pytest.mark.parametrize(("document", "reason", "field"), REFUSALS)
def test_a_bad_request_is_told_by_its_field_and_never_by_its_value(
    http: Http, document: dict[str, Any], reason: Reason, field: str
) -> None:
    request = {name: value for name, value in document.items() if name != "tenant"}
    reply = http.call("POST", "/v1/generations", request)
    check_problem(reply, 400, reason, field)
    assert not [value for value in strings(request) if len(value) > 4 and value not in field and value in reply.text]


def test_a_tenant_in_the_body_is_refused(http: Http) -> None:
    for tenant in ("contoso", "fabrikam"):
        check_problem(http.call("POST", "/v1/generations", line(tenant=tenant)), 400, "unknown_field", "tenant")


def test_a_model_that_the_policy_does_not_list_is_refused(http: Http) -> None:
    request = line(body={"model": PERSON, "input": "a"})
    check_problem(http.call("POST", "/v1/generations", request), 400, "unknown_model", "body.model")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "empty"),
        (b"{", 400, "invalid_json"),
        (b"[]", 400, "invalid_type"),
        (b'{"custom_id": NaN}', 400, "invalid_json"),
        (b'{"custom_id": "a", "custom_id": "b"}', 400, "duplicate_key"),
        ('{"custom_id": "a"}'.encode("utf-16"), 400, "invalid_encoding"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "too_deep"),
        (b'{"body": "' + b"x" * 200_000 + b'"}', 413, "request_too_large"),
    ],
)
def test_a_body_that_is_no_small_json_object_is_refused(http: Http, content: bytes, status: int, code: str) -> None:
    check_problem(http.call("POST", "/v1/generations", content=content), status, code, "message")


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": ""},
        {"content_type": "application/json", "content_encoding": "gzip"},
    ],
)
def test_a_body_of_another_kind_is_refused(http: Http, headers: dict[str, str]) -> None:
    reply = http.call("POST", "/v1/generations", content=json.dumps(line()).encode(), **headers)
    assert (reply.status, reply.json["code"]) == (415, "unsupported_media_type")


def test_the_charset_of_a_content_type_does_not_matter(http: Http) -> None:
    assert http.call("POST", "/v1/generations", line(), content_type="Application/JSON; charset=utf-8").status == 202


@pytest.mark.parametrize("malformed", MALFORMED_IDS, ids=range(len(MALFORMED_IDS)))
def test_a_malformed_id_is_not_found(http: Http, malformed: str) -> None:
    for method in ("GET", "DELETE"):
        assert http.call(method, f"/v1/generations/{malformed}").status == 404


def test_a_lookup_finds_a_generation_by_its_key(http: Http) -> None:
    generation = http.submit(custom_id=PERSON, batch="lookups")
    assert lookup(http, custom_id=PERSON, batch="lookups").json["id"] == generation
    assert lookup(http, custom_id=PERSON).status == 404
    assert lookup(http, custom_id=PERSON, batch="other").status == 404
    assert lookup(http, tenant="fabrikam", custom_id=PERSON, batch="lookups").status == 404
    check_problem(lookup(http, batch="lookups"), 400, "missing_field", "custom_id")
    check_problem(lookup(http, custom_id=[PERSON]), 400, "invalid_type", "custom_id")
    check_problem(lookup(http, custom_id=PERSON, tenant_id="contoso"), 400, "unknown_field", "message")


def test_another_tenants_generation_is_not_found_and_its_key_is_free(http: Http) -> None:
    request = line()
    own, others = http.submit(**request), http.submit(tenant="fabrikam", **request)
    assert own != others
    assert http.read(own, tenant="fabrikam").status == 404
    assert http.call("DELETE", f"/v1/generations/{own}", tenant="fabrikam").status == 404
    assert http.ended(own)["status"] == "completed"


def test_what_was_deleted_is_gone_and_its_key_burnt(http: Http) -> None:
    request = line()
    generation = http.submit(**request)
    assert http.ended(generation)["status"] == "completed"
    assert http.call("DELETE", f"/v1/generations/{generation}").status == 204
    assert not http.documents("output", generation)
    [receipt] = http.documents("receipt", generation)
    assert receipt["deleted_at"] is not None
    assert (receipt["content_mac"], receipt["subject"]) == (None, None)
    for method in ("GET", "DELETE"):
        assert http.call(method, f"/v1/generations/{generation}").status == 404
    assert lookup(http, custom_id=request["custom_id"]).status == 404
    check_problem(http.call("POST", "/v1/generations", request), 409, "conflict", "custom_id")
    http.stack.submit([{"tenant": "contoso", **request}])
    rejected = wait_for("the message to be rejected", lambda: [m for m in http.stack.rejected() if in_body(request, m.body)])
    assert [(message.properties["reason"], message.properties["field"]) for message in rejected] == [("conflict", "custom_id")]


def test_what_once_waited_as_a_copy_is_deleted_at_once(http: Http) -> None:
    """Its receipt still names the copy, which waits no more: that is not looked for longer than a caller waits."""
    generation = http.submit(f"[[status:429:2:3]] {uuid4()}")
    assert http.ended(generation)["status"] == "completed"
    [receipt] = http.documents("receipt", generation)
    assert receipt["scheduled_sequence_number"] is not None
    assert http.call("DELETE", f"/v1/generations/{generation}").status == 204


def test_after_the_deadline_the_receipt_answers_410_though_the_output_still_lies_there(http: Http) -> None:
    request = line(expires_after=600)
    generation = http.submit(**request)
    ended = http.ended(generation)
    assert ended["expires_at"] - ended["created_at"] == 600
    http.stack.advance(601)
    assert http.documents("output", generation)
    check_problem(http.read(generation), 410, "gone")
    check_problem(lookup(http, custom_id=request["custom_id"]), 410, "gone")
    check_problem(http.call("POST", "/v1/generations", request), 410, "gone")
    assert http.read(generation, tenant="fabrikam").status == 404
    assert http.call("DELETE", f"/v1/generations/{generation}").status == 204
    assert not http.documents("output", generation)
    assert http.read(generation).status == 404


def test_a_repetition_after_the_deadline_of_a_job_that_never_ended_is_410(http: Http) -> None:
    request = line("[[status:429:9:20]]", expires_after=30)
    generation = http.submit(**request)
    wait_for("the job to wait", lambda: http.documents("receipt", generation)[0]["scheduled_sequence_number"])
    http.stack.advance(31)
    check_problem(http.call("POST", "/v1/generations", request), 410, "gone")


def test_no_url_and_no_line_of_any_log_has_a_personal_identifier(http: Http) -> None:
    label = f"{PERSON}-{uuid4()}"
    body = {"model": "gpt-small", "input": label, "safety_identifier": label, "metadata": {"name": label}}
    http.ended(http.submit(custom_id=label, body=body))
    lookup(http, custom_id=label)
    logs = http.stack.logs()
    assert "/v1/generations/lookup" in logs
    assert PERSON not in logs
    assert PERSON.replace("@", "%40") not in logs


def lookup(http: Http, *, tenant: str = "contoso", **key: object) -> Reply:
    return http.call("POST", "/v1/generations/lookup", key, tenant=tenant)


def check_problem(reply: Reply, status: int, code: str, field: str | None = None) -> None:
    assert (reply.status, reply.json["code"], reply.json.get("field")) == (status, code, field), reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["status"] == status


def everything_but_outputs(http: Http) -> str:
    """Documents of every container, logs of every part, and the app's metrics."""
    with http.stack.client() as client:
        documents = [
            found
            for name in CONTAINERS
            for found in client.container(name).query_items("SELECT * FROM c", enable_cross_partition_query=True)
            if found.get("dataClass") != "output"
        ]
    metrics = wait_for("metrics", lambda: [*http.stack.state.rglob("metrics.jsonl")])
    return json.dumps(documents) + http.stack.logs() + "".join(path.read_text() for path in metrics)


def in_body(request: dict[str, Any], body: bytes) -> bool:
    return request["custom_id"].encode() in body


def strings(value: object) -> Iterator[str]:
    """All texts inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)
