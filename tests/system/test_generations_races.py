"""Two who want the same thing at the same time: admissions of one key, cancel or delete against a running job."""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from local.demo.client import Message
from tests.system.http import Http, calling, line, received
from tests.system.stack import running_stack, wait_for

HOOKS = "/openai/v1/webhook_endpoints"


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    with running_stack(tmp_path_factory.mktemp("races")) as stack, calling(stack) as http:
        http.submit("Warm up.")
        yield http


def test_concurrent_posts_of_one_key_over_both_faces_give_one_job(http: Http) -> None:
    request = line("Only one of us.")
    request["body"]["background"] = True

    def as_lethes() -> str:
        return http.submit(**request).removeprefix("gen_")

    def as_openais() -> str:
        reply = http.call("POST", "/openai/v1/responses", request["body"], idempotency_key=request["custom_id"])
        assert reply.status == 200, reply.text
        return str(reply.json["id"]).removeprefix("resp_")

    [job_id] = {*at_once([as_lethes, as_openais] * 10)}
    assert http.ended(f"gen_{job_id}")["status"] == "completed"
    wait_for("the copies that met the running job to come back at the end of its lease", lambda: not messages(http, request))
    with http.stack.client() as client:
        assert client.model_calls("Only one of us.") == 1
    assert len(http.documents("event", f"gen_{job_id}")) == 1


def test_of_concurrent_posts_with_two_contents_under_one_key_one_content_wins(http: Http) -> None:
    request = line()

    def post(number: int) -> tuple[int, str | None]:
        reply = http.call("POST", "/v1/generations", request | {"expires_after": 3600 + number % 2})
        return reply.status, reply.json.get("id")

    replies = at_once([partial(post, number) for number in range(20)])
    assert sorted(status for status, _ in replies) == [202] * 10 + [409] * 10
    assert len({found for _, found in replies if found}) == 1


def test_a_cancel_against_a_completion_has_one_winner(http: Http) -> None:
    hook = {"name": "race", "url": f"{http.stack.endpoints['webhook_receiver']}/hooks/race"}
    types = ["response.completed", "response.cancelled", "response.failed"]
    assert http.call("POST", HOOKS, hook | {"event_types": types}).status == 200
    body = {"model": "gpt-small", "background": True}

    def race(number: int) -> tuple[str, dict[str, Any]]:
        started = http.call("POST", "/openai/v1/responses", body | {"input": f"[[delay:100]] {number}"}).json
        time.sleep(random.uniform(0.0, 0.6))  # noqa: S311 - the moment is what is raced
        return started["id"], http.call("POST", f"/openai/v1/responses/{started['id']}/cancel").json

    with ThreadPoolExecutor(8) as pool:
        raced = list(pool.map(race, range(60)))
    ends = {identity: answer["status"] for identity, answer in raced}
    assert {*ends.values()} == {"cancelled", "completed"}, "the race was none"
    wait_for("the workers to end", lambda: not http.stack.peek("generation-requests"))
    with http.stack.client() as client:
        outputs = {found["jobId"] for found in client.documents("contoso", "output")}
        events = [(found["jobId"], found["type"]) for found in client.documents("contoso", "event")]
    for identity, answer in raced:
        job_id = identity.removeprefix("resp_")
        shown = http.call("GET", f"/openai/v1/responses/{identity}").json
        assert shown == answer
        is_completed = shown["status"] == "completed"
        assert bool(shown["output"]) is is_completed
        assert (job_id in outputs) is is_completed
        assert [kind for found, kind in events if found == job_id] == [f"response.{shown['status']}"]

    def told() -> list[tuple[str, str, str]] | None:
        events = [json.loads(report["body"]) for report in received(http.stack)]
        found = [(event["data"]["id"], event["type"], event["id"]) for event in events if event["data"]["id"] in ends]
        return found if {identity for identity, *_ in found} >= {*ends} else None

    told_once = {*wait_for("a webhook of each", told)}
    assert sorted((identity, kind) for identity, kind, _ in told_once) == sorted(
        (identity, f"response.{status}") for identity, status in ends.items()
    )


def test_a_delete_against_a_completion_leaves_no_output(http: Http) -> None:
    def race(number: int) -> str:
        generation = http.submit(f"[[delay:100]] deleted {number}")
        time.sleep(random.uniform(0.0, 0.6))  # noqa: S311 - the moment is what is raced
        assert http.call("DELETE", f"/v1/generations/{generation}").status == 204
        return generation

    with ThreadPoolExecutor(8) as pool:
        deleted = list(pool.map(race, range(40)))
    wait_for("the workers to end", lambda: not http.stack.peek("generation-requests"))
    with http.stack.client() as client:
        left = {found["jobId"] for found in client.documents("contoso", "output")}
    assert not left & {generation.removeprefix("gen_") for generation in deleted}
    assert {http.read(generation).status for generation in deleted} == {404}


def test_a_delete_of_a_running_job_discards_its_output(http: Http) -> None:
    generation = http.submit("[[delay:1000]] Too late.")
    wait_for("the job to run", lambda: http.read(generation).json["status"] == "in_progress")
    assert http.call("DELETE", f"/v1/generations/{generation}").status == 204
    assert http.read(generation).status == 404
    wait_for("the worker to give up", lambda: "job_taken_over" in http.stack.logs())
    assert http.read(generation).status == 404
    assert not http.documents("output", generation) + http.documents("event", generation)
    [receipt] = http.documents("receipt", generation)
    assert (receipt["status"], receipt["content_mac"]) == ("cancelled", None)


@pytest.mark.parametrize(
    ("method", "path", "after"),
    [("DELETE", "/v1/generations/gen_{}", 404), ("POST", "/openai/v1/responses/resp_{}/cancel", 200)],
)
def test_the_waiting_copy_of_a_job_that_is_withdrawn_is_taken_back(http: Http, method: str, path: str, after: int) -> None:
    request = line(f"[[status:429:9:600]] {method}")
    generation = http.submit(**request)
    job_id = generation.removeprefix("gen_")

    def is_waiting() -> bool:
        [receipt] = http.documents("receipt", generation)
        return receipt["scheduled_sequence_number"] is not None

    wait_for("a scheduled copy", is_waiting)
    assert [message.is_scheduled for message in messages(http, request)] == [True]
    assert http.call(method, path.format(job_id)).status in {200, 204}
    assert not messages(http, request)
    assert http.read(generation).status == after
    assert not http.documents("output", generation)


def messages(http: Http, request: dict[str, Any]) -> list[Message]:
    """Copies of a request that lie in the queue."""
    return [message for message in http.stack.peek("generation-requests") if request["custom_id"].encode() in message.body]


def at_once[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make all calls in parallel and return what they return."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]
