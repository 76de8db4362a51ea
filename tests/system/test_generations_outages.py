"""HTTP while a service is away or silent, what the timer ends, and a tenant whose policy forbids the queue."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.system.http import Http, Reply, calling, line
from tests.system.stack import running_stack, wait_for

LONGEST_ANSWER = 11
"""Seconds after which a caller knows that it has to come again, on a busy machine."""


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    with running_stack(tmp_path_factory.mktemp("outages")) as stack, calling(stack) as http:
        yield http


def test_while_the_store_is_away_the_answer_is_503_and_soon(http: Http) -> None:
    generation = http.submit()
    assert http.ended(generation)["status"] == "completed"
    with http.stack.down("cosmos"):
        for refused, seconds in timed(http, ("GET", f"/v1/generations/{generation}", None)):
            check_unavailable(refused, seconds)
    wait_for("the store to be used again", lambda: http.read(generation).status == 200)


def test_while_the_store_is_silent_the_answer_is_503_and_soon(http: Http) -> None:
    generation = http.submit()
    with http.stack.frozen("cosmos"):
        calls = [("GET", f"/v1/generations/{generation}", None), ("DELETE", f"/v1/generations/{generation}", None)]
        for refused, seconds in timed(http, *calls, ("POST", "/v1/generations", line())):
            check_unavailable(refused, seconds)
    wait_for("the store to be used again", lambda: http.read(generation).status in {200, 404})


def test_an_admission_that_reached_no_queue_is_503_and_its_repetition_runs_the_job_once(http: Http) -> None:
    repeated, abandoned = line("Sent again."), line("Never sent again.", expires_after=300)
    with http.stack.down("broker"):
        for refused, seconds in timed(http, *(("POST", "/v1/generations", request) for request in (repeated, abandoned))):
            check_unavailable(refused, seconds)
        left = {name: found(http, request) for name, request in (("repeated", repeated), ("abandoned", abandoned))}
        assert {shown["status"] for shown in left.values()} == {"queued"}
    again = http.call("POST", "/v1/generations", repeated)
    assert (again.status, again.json["id"]) == (202, left["repeated"]["id"])
    assert http.ended(again.json["id"])["status"] == "completed"
    with http.stack.client() as client:
        assert (client.model_calls("Sent again."), client.model_calls("Never sent again.")) == (1, 0)

    http.stack.advance(301)
    assert http.read(left["abandoned"]["id"]).status == 410
    [receipt] = wait_for("the timer to end the job", lambda: expired(http, left["abandoned"]["id"]))
    assert receipt["result"]["error_code"] == "expired"
    assert not http.documents("output", left["abandoned"]["id"])
    assert [event["type"] for event in http.documents("event", left["abandoned"]["id"])] == ["response.failed"]
    assert http.read(left["abandoned"]["id"]).status == 410


def test_an_admission_into_a_silent_queue_is_503_and_its_repetition_runs_the_job_once(http: Http) -> None:
    request = line("Into the silence.")
    with http.stack.frozen("broker"):
        [(refused, seconds)] = timed(http, ("POST", "/v1/generations", request))
        check_unavailable(refused, seconds)
    assert http.ended(http.submit(**request))["status"] == "completed"
    with http.stack.client() as client:
        assert client.model_calls("Into the silence.") == 1


def test_a_tenant_that_forbids_the_queue_is_served_over_http_only(http: Http) -> None:
    with http.stack.client() as client:
        policies = client.container("policies")
        policies.upsert_item(policies.read_item("policy", "fabrikam") | {"queue_submission": "forbidden"})
    http.stack.advance(61)  # policies are cached for a minute

    by_queue, by_http = line("By queue."), line("[[status:429:1:30]] By HTTP.")
    http.stack.submit([{"tenant": "fabrikam", **by_queue}])
    rejected = wait_for("the message to be rejected", lambda: [m.properties for m in http.stack.rejected()])
    assert [(each["reason"], each["field"]) for each in rejected] == [("submission_forbidden", "tenant")]

    generation = http.submit(tenant="fabrikam", **by_http)
    wait_for(
        "a scheduled copy", lambda: http.documents("receipt", generation, tenant="fabrikam")[0]["scheduled_sequence_number"]
    )
    http.stack.submit([{"tenant": "fabrikam", **by_http, "expires_after": 60}])
    wait_for("other content under its key to be rejected", lambda: len(http.stack.rejected()) == 2)
    http.stack.advance(31)
    assert http.ended(generation, tenant="fabrikam")["status"] == "completed"
    with http.stack.client() as client:
        assert client.model_calls("By queue.") == 0


def timed(http: Http, *calls: tuple[str, str, Any]) -> list[tuple[Reply, float]]:
    """Make calls in parallel; return each answer with its seconds."""

    def call(method: str, path: str, body: object) -> tuple[Reply, float]:
        started = time.monotonic()
        return http.call(method, path, body), time.monotonic() - started

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call, *each) for each in calls]]


def check_unavailable(reply: Reply, seconds: float) -> None:
    assert (reply.status, reply.json["code"]) == (503, "service_unavailable"), reply.text
    assert int(reply.headers["retry-after"]) > 0
    assert seconds < LONGEST_ANSWER


def found(http: Http, request: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = http.call("POST", "/v1/generations/lookup", {"custom_id": request["custom_id"]}).json
    return shown


def expired(http: Http, generation: str) -> list[dict[str, Any]]:
    return [receipt for receipt in http.documents("receipt", generation) if receipt["status"] == "expired"]
