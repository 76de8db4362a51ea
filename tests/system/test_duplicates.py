"""The same key again: the same content is the same job, at whatever moment it comes; other content is a conflict."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.host_log import HostLog
from tests.system.jobs import (
    job,
    submitted,
    text_of,
    traces,
    wait_for_status,
    wait_until_all_wait,
    wait_until_drained,
)
from tests.system.stack import Stack, running_stack, wait_for

LEASE_SECONDS = 11


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started, started.keeping_connections() as running:
        yield running


def test_five_submissions_at_once_are_one_job(stack: Stack) -> None:
    envelope = job("at-once", "one", "at once")
    stack.submit([envelope] * 5)
    stack.wait_for_outputs("contoso", "at-once", 1)
    _let_copies_come(stack)
    _assert_ran_once(stack, "at-once", "at once", calls=1)


def test_a_repetition_while_the_job_runs_is_the_same_job(stack: Stack) -> None:
    prompt = "[[delay:2500]] running"
    envelope = job("running", "one", prompt)
    job_id = submitted(stack, envelope)
    stack.submit([envelope] * 3)
    wait_for_status(stack, "contoso", job_id, "completed")
    _let_copies_come(stack)
    _assert_ran_once(stack, "running", prompt, calls=1)


def test_a_repetition_while_the_job_waits_is_the_same_job(stack: Stack) -> None:
    prompt = "[[status:429:2:90]] waiting"
    envelope = job("waiting", "one", prompt)
    stack.submit([envelope])
    wait_until_all_wait(stack, 1)
    stack.submit([envelope] * 2)
    wait_until_all_wait(stack, 3)
    assert stack.model_calls(prompt) == 2
    stack.advance(90)
    stack.wait_for_outputs("contoso", "waiting", 1)
    _let_copies_come(stack)
    _assert_ran_once(stack, "waiting", prompt, calls=3)


def test_a_repetition_after_the_end_changes_nothing(stack: Stack) -> None:
    envelope = job("done", "one", "done")
    stack.submit([envelope])
    stack.wait_for_outputs("contoso", "done", 1)
    before = stack.outputs("contoso", "done")
    log = HostLog.from_now(stack)
    stack.submit([envelope] * 2)
    wait_for("both repetitions", lambda: len(log.events("job_already_ended")) == 2)
    assert stack.outputs("contoso", "done") == before
    _assert_ran_once(stack, "done", "done", calls=1)


@pytest.mark.parametrize("moment", ["running", "waiting", "done"])
def test_other_content_under_the_same_key_is_a_conflict_and_harms_nothing(stack: Stack, moment: str) -> None:
    directive = {"running": "[[delay:2000]]", "waiting": "[[status:429:2:90]]", "done": ""}[moment]
    prompt, batch = f"{directive} {moment} first", f"conflict-{moment}"
    first, other = job(batch, "one", prompt), job(batch, "one", f"{moment} second")
    job_id = submitted(stack, first)
    if moment == "waiting":
        wait_until_all_wait(stack, 1)
    elif moment == "done":
        wait_for_status(stack, "contoso", job_id, "completed")
    stack.submit([other])

    rejection = wait_for("the rejection", lambda: _rejections(stack, f"{moment} second"))
    assert rejection == [{"reason": "conflict", "field": "custom_id"}]
    if moment == "waiting":
        wait_until_all_wait(stack, 1)
        stack.advance(90)
    found = wait_for_status(stack, "contoso", job_id, "completed")
    [output] = stack.outputs("contoso", batch)
    assert text_of(output) == f"{moment} first"
    assert len(found.events) == 1
    assert stack.model_calls(f"{moment} second") == 0


def test_the_same_custom_id_in_another_batch_or_of_another_tenant_is_another_job(stack: Stack) -> None:
    stack.submit([job("here", "same", "one"), job("there", "same", "two"), job("here", "same", "three", tenant="fabrikam")])
    found = [stack.wait_for_outputs(tenant, batch, 1) for tenant, batch in OTHER_KEYS]
    assert [text_of(output) for [output] in found] == ["one", "two", "three"]
    assert len({output["jobId"] for [output] in found}) == 3


OTHER_KEYS = [("contoso", "here"), ("contoso", "there"), ("fabrikam", "here")]


def _let_copies_come(stack: Stack) -> None:
    """Pass the lease for which copies of a running job wait, again and again, until none is left."""

    def none_left() -> bool:
        messages = stack.peek("generation-requests")
        if messages and all(message.is_scheduled for message in messages):
            stack.advance(LEASE_SECONDS)
        return not messages

    wait_for("no copy to be left", none_left)


def _assert_ran_once(stack: Stack, batch: str, prompt: str, *, calls: int) -> None:
    [output] = stack.outputs("contoso", batch)
    found = traces(stack, "contoso", output["jobId"])
    assert text_of(output) == batch.replace("-", " ")
    assert (found.receipt["status"], len(found.events)) == ("completed", 1)
    assert stack.model_calls(prompt) == calls
    wait_until_drained(stack)


def _rejections(stack: Stack, prompt: str) -> list[dict[str, Any]]:
    return [message.properties for message in stack.rejected() if prompt.encode() in message.body]
