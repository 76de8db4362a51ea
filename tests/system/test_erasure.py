"""A data subject is erased, whatever its jobs are doing, and nobody else is touched."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from math import ceil
from typing import Any

import pytest

from tests.privacy.scan import scan
from tests.system import faults
from tests.system.host_log import HostLog
from tests.system.http import Http, calling
from tests.system.jobs import job, wait_until_all_wait, wait_until_drained
from tests.system.review import put_alert, put_record, reviewed
from tests.system.stack import running_stack, wait_for
from tests.system.subjects import (
    ENVIRONMENT,
    SETTLED,
    Subject,
    answers,
    canary,
    everything,
    evidence,
    now,
    receiver,
    restore,
    text_of,
)

WORKERS = 32
"""``maxConcurrentCalls`` in host.json."""
STATED_HORIZON = 8 * 3600
"""``LETHE_BACKUP_HORIZON_HOURS`` of the embedded stack."""


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    with (
        running_stack(tmp_path_factory.mktemp("erasure"), **ENVIRONMENT) as started,
        started.keeping_connections() as stack,
        calling(stack) as http,
    ):
        yield http


@pytest.fixture
def subject(http: Http) -> Subject:
    """A subject of contoso's that nobody has heard of yet."""
    return Subject(stack=http.stack, http=http, name=canary("subject"))


def finish(subject: Subject, *prompts: str) -> None:
    """Let jobs of a subject run to their end."""
    subject.stack.submit([subject.request(prompt) for prompt in prompts])
    wait_until_drained(subject.stack)


def test_a_finished_a_running_a_waiting_a_scheduled_and_a_queued_job_leave_nothing_and_nobody_else_is_touched(
    subject: Subject,
) -> None:
    stack, prompt = subject.stack, canary("prompt")
    neighbour = Subject(stack=stack, http=subject.http, name=canary("neighbour"))
    namesake = Subject(stack=stack, http=subject.http, tenant="fabrikam", name=subject.name)
    finish(neighbour, "neighbour")
    finish(namesake, "namesake")
    finish(subject, f"{prompt} finished", f"[[block:violence]] {prompt} blocked")
    stack.submit([subject.request(f"[[status:429:2:600]] {prompt} scheduled")])
    wait_until_all_wait(stack)
    put_record(stack, "contoso", "ab" * 20, subject=subject.name, content=prompt)
    put_record(stack, "contoso", "cd" * 20, subject=neighbour.name)
    for name in (subject.name, neighbour.name):
        put_alert(stack, "contoso", subject=name)
    untouched = neighbour.documents(), everything(stack, "fabrikam"), reviewed(stack, "contoso", subject=neighbour.name)
    kept = Counter(each["dataClass"] for each in reviewed(stack, "contoso", subject=subject.name))
    assert kept == {"abuse_record": kept["abuse_record"], "abuse_alert": 1}

    crowd = [job("crowd", str(n), f"[[delay:6000]] crowd {n}", tenant="adatum") for n in range(WORKERS - 1)]
    stack.submit([subject.request(f"[[delay:6000]] {prompt} running"), *crowd])
    wait_for("the workers to be busy", lambda: len(stack.receipts("adatum")) == len(crowd))
    wait_for("the job to run", lambda: "in_progress" in [each.get("status") for each in subject.documents()])
    queued = subject.submit(f"{prompt} queued")
    stack.submit([subject.request(f"{prompt} waiting")])
    assert subject.http.read(queued).json["status"] == "queued"
    found = {finding.where.rpartition("/")[2] for finding in scan(prompt, stack.state)}
    assert found == {"broker.sqlite", "cosmos.sqlite"}

    reply = subject.erase()
    assert reply.status == 202, reply.text
    shown = reply.json
    assert reply.headers["location"] == f"/v1/subjects/erasures/{shown['id']}"
    assert (shown["object"], shown["status"]) == ("subject.erasure", "swept")
    assert subject.documents() == []
    assert reviewed(stack, "contoso", subject=subject.name) == []
    assert subject.http.read(queued).status == 404
    wait_until_drained(stack)
    assert stack.model_calls(f"{prompt} queued") + stack.model_calls(f"{prompt} waiting") == 0

    done = subject.completed(shown["id"])
    assert done["erased"] == {  # by the request, or by the timer that was there at the same moment
        "receipts": 5,
        "outputs": 2,
        "events": 2,
        "waiting_copies": 1,
        "sealed_records": kept["abuse_record"],
        "alerts": 1,
    }
    assert done["remains"]["held"] == {"documents": 0, "until": None}
    assert 0 <= done["remains"]["backups"]["until"] - done["completed_at"] - STATED_HORIZON <= 1  # rounded up
    assert subject.documents() == []
    wait_for("the files to be rewritten", lambda: not scan(prompt, stack.state))
    assert not scan(subject.name, stack.state)
    neighbours = reviewed(stack, "contoso", subject=neighbour.name)
    assert (neighbour.documents(), everything(stack, "fabrikam"), neighbours) == untouched
    kinds = [record["kind"] for record in evidence(stack, shown["id"])]
    assert kinds == ["erasure_requested", "erasure_completed"]


def test_a_message_that_waits_while_the_host_is_down_is_dropped_when_it_is_read(subject: Subject) -> None:
    stack, prompt = subject.stack, canary("unread")
    log = HostLog.from_now(stack)
    unknown_model = {"model": "unknown", "input": canary("refused"), "user": subject.name}  # would be refused, and kept
    with stack.down("host"):
        stack.submit([subject.request(prompt), {**subject.request(prompt), "url": "/v1/embeddings", "body": unknown_model}])
        [message, _] = wait_for("the messages", lambda: stack.peek("generation-requests"))
        assert prompt.encode() in message.body
        subject.mark(cutoff=now(subject))
    wait_until_drained(stack)
    assert stack.model_calls(prompt) == 0
    assert subject.documents() == []
    assert subject.name not in str([message.body for message in stack.rejected()])
    assert len(log.events("job_erased")) == 2


def test_a_job_of_a_worker_that_knew_no_marker_is_caught_by_a_later_sweep(subject: Subject) -> None:
    stack, prompt = subject.stack, canary("stale")
    stack.advance(61)
    finish(subject, "Let the worker look for markers.")
    faults.arm(stack, container="privacy", operation="query", status=503, count=1000)  # no sweep comes while the job runs
    erasure_id = subject.mark(cutoff=now(subject) + 30, settled_at=now(subject) + SETTLED)
    finish(subject, prompt)
    assert stack.model_calls(prompt) == 1
    assert len(subject.documents()) == 6
    faults.disarm(stack)
    wait_for("a sweep", lambda: not subject.documents())
    assert subject.completed(erasure_id)["erased"]["outputs"] == 2


def test_what_a_restored_backup_brings_back_is_erased_again(subject: Subject) -> None:
    stack, prompt = subject.stack, canary("backup")
    finish(subject, f"{prompt} one", f"{prompt} two")
    put_record(stack, "contoso", "ef" * 20, subject=subject.name, content=prompt)
    put_alert(stack, "contoso", subject=subject.name)
    backup, kept = subject.documents(), reviewed(stack, "contoso", subject=subject.name)
    erasure_id = subject.erase().json["id"]
    subject.completed(erasure_id)
    assert subject.documents() == []
    wait_for("the files to be rewritten", lambda: not scan(prompt, stack.state))

    restore(stack, backup)
    restore(stack, kept, "abuse-monitoring")
    assert scan(prompt, stack.state)
    wait_for("the next run", lambda: not subject.documents() and not reviewed(stack, "contoso", subject=subject.name))
    wait_for("its record", lambda: subject.erasure(erasure_id)["re_erased"]["receipts"] == 2)
    shown = subject.erasure(erasure_id)
    assert (shown["status"], shown["re_erased"]["outputs"], shown["re_erased"]["events"]) == ("completed", 2, 2)
    wait_for("the record of the others", lambda: subject.erasure(erasure_id)["re_erased"]["alerts"] == 1)
    assert subject.erasure(erasure_id)["re_erased"]["sealed_records"] == 1
    restore(stack, [each for each in backup if each["dataClass"] == "output"][:1])
    wait_for("an output alone to be found, too", lambda: subject.erasure(erasure_id)["re_erased"]["outputs"] == 3)
    wait_for("the files to be rewritten", lambda: not scan(prompt, stack.state))
    records = evidence(stack, erasure_id)
    assert [record["kind"] for record in records][1:3] == ["erasure_completed", "re_erased"]


def test_an_export_has_everything_that_is_readable_and_nothing_after_an_erasure(subject: Subject) -> None:
    finish(subject, "first", "second")
    subject.stack.submit([subject.request("[[status:429:2:600]] third")])
    wait_until_all_wait(subject.stack)
    sealed = put_record(subject.stack, "contoso", "aa" * 20, subject=subject.name)
    put_record(subject.stack, "contoso", "bb" * 20, subject=subject.name, kept=3600)
    generations, last = subject.export()
    assert sorted(each["status"] for each in generations) == ["completed", "completed", "queued"]
    texts = sorted(text_of(each) for each in generations if each["response"])
    assert texts == ["first", "second"]
    assert {each["batch"] for each in generations if each["response"]} == {"about"}
    assert last == {
        "object": "subject.export",
        "generations": 3,
        "sealed_records": {"count": 2, "expires_at": ceil(sealed["expires_at"])},
        "complete": True,
        "next": None,
    }
    behind, _ = subject.export(after=generations[0]["id"])
    assert behind == generations[1:]
    subject.erase()
    generations, last = subject.export()
    assert (generations, last["sealed_records"]) == ([], {"count": 0, "expires_at": None})


def test_the_same_subject_erased_twice_is_one_erasure_until_it_is_completed(subject: Subject) -> None:
    finish(subject, "before")
    first = subject.erase().json
    finish(subject, "between")
    second = subject.erase().json
    assert second["id"] == first["id"]
    assert second["erased"]["receipts"] == 2
    subject.completed(first["id"])
    assert subject.erase().json["id"] != first["id"]


def test_what_is_submitted_after_the_cut_off_runs_but_a_used_key_stays_used(subject: Subject) -> None:
    request = {name: value for name, value in subject.request("again").items() if name != "tenant"}
    generation = subject.http.call("POST", "/v1/generations", request).json["id"]
    subject.http.ended(generation)
    subject.erase()
    assert subject.http.read(generation).status == 404
    assert subject.http.call("POST", "/v1/generations", request).status == 409
    later = subject.submit("later")
    assert subject.http.ended(later)["status"] == "completed"


def test_nobody_is_told_about_an_erased_job_any_more(subject: Subject) -> None:
    stack = subject.stack
    hook = {"name": "erasure", "url": f"{stack.endpoints['webhook_receiver']}/hooks/erasure"}
    endpoint = {**hook, "event_types": ["response.completed"]}
    made = subject.http.call("POST", "/openai/v1/webhook_endpoints", endpoint).json["id"]
    receiver(subject, "POST", "answer", status=503)
    finish(subject, "told")
    wait_for("the first post", lambda: receiver(subject, "GET", "received")["received"])
    subject.erase()
    receiver(subject, "DELETE", "answer")
    receiver(subject, "DELETE", "received")
    stack.advance(10)
    wait_for("the second attempt to be skipped", lambda: not stack.peek("webhook-deliveries"))
    assert receiver(subject, "GET", "received")["received"] == []
    subject.http.call("DELETE", f"/openai/v1/webhook_endpoints/{made}")


def test_a_host_that_is_killed_in_the_middle_leaves_an_erasure_that_the_timer_ends(subject: Subject) -> None:
    stack, prompt = subject.stack, canary("killed")
    finish(subject, *(f"{prompt} {n}" for n in range(60)))
    erasure_id = subject.mark(cutoff=now(subject))
    wait_for("the sweep to begin", lambda: 0 < len(subject.documents()) < 180, seconds=60)
    stack.kill("host")
    assert subject.documents()
    wait_for("the sweep after the next start", lambda: not subject.documents(), seconds=60)
    wait_for("an answer", partial(answers, subject))
    assert subject.erase().json["id"] == erasure_id
    subject.completed(erasure_id)
    wait_for("the files to be rewritten", lambda: not scan(prompt, stack.state))


@pytest.mark.parametrize(
    ("path", "body", "code", "field"),
    [
        ("erasures", {}, "missing_field", "safety_identifier"),
        ("erasures", {"safety_identifier": 7}, "invalid_type", "safety_identifier"),
        ("erasures", {"safety_identifier": ""}, "invalid_value", "safety_identifier"),
        ("erasures", {"safety_identifier": "x" * 257}, "invalid_value", "safety_identifier"),
        ("erasures", {"safety_identifier": "x", "user": "x"}, "unknown_field", "message"),
        ("exports", {}, "missing_field", "safety_identifier"),
        ("exports", {"safety_identifier": "x", "after": "gen_x"}, "invalid_value", "after"),
    ],
)
def test_a_wrong_body_is_refused_by_field(http: Http, path: str, body: dict[str, Any], code: str, field: str) -> None:
    reply = http.call("POST", f"/v1/subjects/{path}", body)
    assert (reply.status, reply.json["code"], reply.json["field"]) == (400, code, field)
