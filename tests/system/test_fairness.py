"""A tenant's crowd and another tenant's single job: who runs when, and that waiting in line loses and doubles nothing.

Order and counts are asserted here; how long it takes is measured in ``tests/bench``.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx2
import pytest

from tests.system.faults import Killer, arm, count_from_now, disarm, item_requests
from tests.system.host_log import HostLog
from tests.system.http import Http, calling, line
from tests.system.jobs import job, left_over, traces, wait_until_drained
from tests.system.policies import change_policy
from tests.system.stack import Stack, running_stack, wait_for

LIMIT = 4
CROWDS_DEPLOYMENT, SINGLES_DEPLOYMENT = "gpt-small-eu", "gpt-small-unlogged"
PER_MINUTE = 4
LOCK_AND_LEASE_SECONDS = 11
KILLS = 2
HELD: dict[str, Any] = {"delay_ms": 8000}
LOST: dict[str, Any] = {"drop_after_write": True}
"""The write happens; the SDK does not hear of it and sends it again."""

CRASHES: dict[str, tuple[str, int, tuple[dict[str, Any], ...]]] = {
    "before its receipt is stored": ("create", 1, (HELD,)),
    "before its copy is scheduled": ("create", 2, (LOST, HELD)),
    "before its copy is remembered": ("patch", 1, (HELD,)),
    "before its message is completed": ("patch", 2, (LOST, HELD)),
}
"""When the host is killed that puts a job back: at which request to the store it is held, the how manieth, and by what."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a tenant of four jobs at once, one of four requests a minute, and an ordinary one."""
    with (
        running_stack(tmp_path_factory.mktemp("stack")) as started,
        started.keeping_connections() as running,
    ):
        change_policy(running, "contoso", limits={"requests_in_flight": LIMIT}, models={"gpt-small": [CROWDS_DEPLOYMENT]})
        retention = {"output_seconds": 3600, "receipt_seconds": 86_400, "abuse_record_seconds": 86_400}
        change_policy(running, "adatum", limits={"requests_per_minute": PER_MINUTE}, retention=retention)
        yield running


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[Http]:
    with calling(stack) as client:
        yield client


def test_a_single_job_overtakes_a_crowd_that_never_has_more_than_its_places(stack: Stack) -> None:
    count = 60
    prompts = {f"job-{n}": f"[[delay:1000]] crowd {n}" for n in range(count)}
    _reset_model(stack)
    log = HostLog.from_now(stack)
    stack.submit([job("crowd", name, prompt) for name, prompt in prompts.items()])
    stack.submit([job("single", "one", "[[delay:1000]] single", tenant="fabrikam")])

    [single] = stack.wait_for_outputs("fabrikam", "single", 1)
    crowd = stack.wait_for_outputs("contoso", "crowd", count, seconds=60)
    wait_until_drained(stack)
    before = [output for output in crowd if output["completed_at"] <= single["completed_at"]]
    assert len(before) <= 4 * LIMIT, "the single job waited for the crowd"
    assert _most_at_once(stack)[CROWDS_DEPLOYMENT] == LIMIT
    assert sorted(output["custom_id"] for output in crowd) == sorted(prompts)
    assert {stack.model_calls(prompt) for prompt in prompts.values()} == {1}
    assert {delivery.count for delivery in log.deliveries()} == {1}
    assert len(log.events("job_postponed")) >= count - 2 * LIMIT
    _assert_ended_once(stack, "contoso", count)
    _assert_ended_once(stack, "fabrikam", 1)
    assert left_over(stack) == {}


def test_a_single_job_over_http_overtakes_a_crowd_too(stack: Stack, http: Http) -> None:
    count, known = 40, len(stack.receipts("fabrikam"))
    stack.submit([job("second", f"job-{n}", f"[[delay:1000]] second crowd {n}") for n in range(count)])
    single = http.ended(http.submit("[[delay:1000]] over http", tenant="fabrikam"), tenant="fabrikam")
    done = [output for output in stack.outputs("contoso", "second") if output["completed_at"] <= single["completed_at"] + 1]
    assert len(done) <= 4 * LIMIT, "the single job waited for the crowd"
    stack.wait_for_outputs("contoso", "second", count, seconds=60)
    wait_until_drained(stack)
    _assert_ended_once(stack, "fabrikam", known + 1)


def test_a_crowd_that_was_put_back_survives_its_host(stack: Stack) -> None:
    count = 40
    known = len(stack.receipts("contoso"))
    prompts = {f"job-{n}": f"[[delay:500]] survivor {n}" for n in range(count)}
    overtaker = "[[delay:2500]] overtaker"
    log = HostLog.from_now(stack)
    stack.submit([job("survivors", name, prompt) for name, prompt in prompts.items()])
    stack.submit([job("overtaker", "one", overtaker, tenant="fabrikam")])
    wait_for("the single job to overtake", lambda: stack.model_calls(overtaker))
    for kill in range(KILLS):
        wait_for("jobs that were put back", partial(_have_been_put_back, log, 5 + 20 * kill))
        Killer(stack=stack).kill("host")
    stack.advance(LOCK_AND_LEASE_SECONDS)

    stack.wait_for_outputs("contoso", "survivors", count, seconds=60)
    stack.wait_for_outputs("fabrikam", "overtaker", 1)
    wait_until_drained(stack, seconds=60)
    cut = log.unfinished()
    assert sorted(output["custom_id"] for output in stack.outputs("contoso", "survivors")) == sorted(prompts)
    assert sum(stack.model_calls(prompt) for prompt in prompts.values()) <= count + cut
    assert len(stack.outputs("fabrikam", "overtaker")) == 1
    assert stack.model_calls(overtaker) <= 1 + KILLS
    _assert_ended_once(stack, "contoso", known + count)
    assert left_over(stack) == {}


def test_over_http_a_request_beyond_the_minute_is_refused_and_a_known_one_is_not(stack: Stack, http: Http) -> None:
    known = line("Once.")
    first = http.call("POST", "/v1/generations", known, tenant="adatum")
    for _ in range(PER_MINUTE - 1):
        http.submit("Once more.", tenant="adatum")
    refused = http.call("POST", "/v1/generations", line("Too many."), tenant="adatum")
    again = http.call("POST", "/v1/generations", known, tenant="adatum")
    openai = http.call("POST", "/openai/v1/responses", _response("Too many."), tenant="adatum")

    assert (refused.status, refused.json["code"]) == (429, "rate_limit_exceeded")
    assert (openai.status, openai.json["error"]["code"]) == (429, "rate_limit_exceeded")
    assert all(1 <= int(reply.headers["retry-after"]) <= 61 for reply in (refused, openai))
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    assert len(stack.receipts("adatum")) == PER_MINUTE
    assert http.call("POST", "/v1/generations", line("Another's."), tenant="fabrikam").status == 202
    http.ended(first.json["id"], tenant="adatum")
    stack.advance(float(refused.headers["retry-after"]))
    http.ended(http.submit("A minute later.", tenant="adatum"), tenant="adatum")


def test_on_the_queue_what_is_beyond_the_minute_waits_for_the_next_one_and_can_be_deleted(stack: Stack, http: Http) -> None:
    stack.advance(61)
    stack.submit([job("minute", f"job-{n}", f"minute {n}", tenant="adatum") for n in range(PER_MINUTE + 2)])
    stack.wait_for_outputs("adatum", "minute", PER_MINUTE)

    def waiting() -> list[dict[str, Any]] | None:
        found = [receipt for receipt in stack.receipts("adatum") if receipt["status"] == "queued"]
        return found if len(found) == 2 and all(receipt["scheduled_sequence_number"] for receipt in found) else None

    deleted, kept = wait_for("two jobs in line", waiting)
    assert http.call("DELETE", f"/v1/generations/gen_{deleted['jobId']}", tenant="adatum").status == 204
    [copy] = stack.peek("generation-requests")
    assert copy.sequence_number == kept["scheduled_sequence_number"]
    stack.advance(100)
    stack.wait_for_outputs("adatum", "minute", PER_MINUTE + 1)
    wait_until_drained(stack)
    assert traces(stack, "adatum", kept["jobId"]).receipt["status"] == "completed"
    assert traces(stack, "adatum", deleted["jobId"]).receipt["status"] == "cancelled"
    assert left_over(stack) == {}


def _have_been_put_back(log: HostLog, count: int) -> bool:
    return len(log.events("job_postponed")) >= count


@pytest.mark.parametrize("when", CRASHES)
def test_a_job_ends_once_whose_host_is_killed_while_it_is_put_back(stack: Stack, when: str) -> None:
    operation, reached, faults = CRASHES[when]
    stack.advance(61)
    stack.submit([job(f"filled {when}", f"job-{n}", "Hello.", tenant="adatum") for n in range(PER_MINUTE)])
    stack.wait_for_outputs("adatum", f"filled {when}", PER_MINUTE)
    wait_until_drained(stack)
    count_from_now(stack)
    for fault in faults:
        arm(stack, operation=operation, **fault)
    stack.submit([job(when, "one", when, tenant="adatum")])
    wait_for("the moment", lambda: item_requests(stack).get(operation, 0) >= reached)
    Killer(stack=stack).kill("host")
    disarm(stack)
    stack.advance(LOCK_AND_LEASE_SECONDS)
    [output] = stack.wait_for_outputs("adatum", when, 1)
    stack.advance(100)
    wait_until_drained(stack)
    found = traces(stack, "adatum", output["jobId"])
    assert (found.receipt["status"], len(found.events)) == ("completed", 1)
    assert stack.model_calls(when) == 1
    assert left_over(stack) == {}


def _response(text: str) -> dict[str, Any]:
    return {"model": "gpt-small", "input": text, "background": True}


def _assert_ended_once(stack: Stack, tenant: str, count: int) -> None:
    assert [receipt["status"] for receipt in stack.receipts(tenant)] == ["completed"] * count
    events = stack.events(tenant)
    assert len(events) == len({event["event_id"] for event in events}) == count


def _reset_model(stack: Stack) -> None:
    httpx2.delete(f"{stack.endpoints['openai']['control_url']}/calls", timeout=10).raise_for_status()


def _most_at_once(stack: Stack) -> dict[str, int]:
    report = httpx2.get(f"{stack.endpoints['openai']['control_url']}/calls", timeout=10).json()
    most: dict[str, int] = report["most_at_once"]
    return most
