from dataclasses import replace

import pytest

from shared.domain.bodies import Endpoint
from shared.domain.generation import MESSAGES, ErrorCode, Outcome, Receipt, Status, event_type
from shared.errors import Failure

RECEIPT = Receipt(
    tenant_id="contoso",
    job_id="0" * 40,
    status=Status.IN_PROGRESS,
    endpoint=Endpoint.RESPONSES,
    model="gpt-small",
    created_at=0.0,
    content_expires_at=1000.0,
    expires_at=2000.0,
    content_mac=None,
    subject=None,
    attempt=1,
    attempt_token="t",
    lease_until=60.0,
    not_before=5.0,
    model_calls=0,
)


def test_only_queued_and_in_progress_are_not_terminal() -> None:
    assert {status for status in Status if not status.terminal} == {Status.QUEUED, Status.IN_PROGRESS}


@pytest.mark.parametrize(("status", "moment"), [(Status.IN_PROGRESS, 60.0), (Status.QUEUED, 5.0)])
def test_a_job_may_be_taken_after_its_lease_or_its_pause(status: Status, moment: float) -> None:
    assert replace(RECEIPT, status=status).ready_at() == moment


@pytest.mark.parametrize("code", [*ErrorCode, *Failure])
def test_each_error_code_has_a_static_message(code: str) -> None:
    error = Outcome(status=Status.FAILED, error_code=code).error
    assert error == {"code": code, "message": MESSAGES[code]}


def test_no_message_belongs_to_a_code_that_does_not_exist() -> None:
    assert {*MESSAGES} == {*ErrorCode, *Failure}


def test_an_outcome_without_a_code_has_no_error() -> None:
    assert Outcome(status=Status.COMPLETED).error is None


@pytest.mark.parametrize("status", [status for status in Status if status.terminal])
def test_every_end_but_an_expiry_leaves_an_output(status: Status) -> None:
    assert Outcome(status=status).has_output is (status is not Status.EXPIRED)


@pytest.mark.parametrize(
    ("endpoint", "status", "event"),
    [
        (Endpoint.RESPONSES, Status.COMPLETED, "response.completed"),
        (Endpoint.RESPONSES, Status.FAILED, "response.failed"),
        (Endpoint.RESPONSES, Status.INCOMPLETE, "response.incomplete"),
        (Endpoint.RESPONSES, Status.CANCELLED, "response.cancelled"),
        (Endpoint.RESPONSES, Status.EXPIRED, "response.failed"),  # OpenAI's webhooks know no expiry
        (Endpoint.CHAT_COMPLETIONS, Status.COMPLETED, "generation.completed"),
        (Endpoint.EMBEDDINGS, Status.EXPIRED, "generation.failed"),
    ],
)
def test_the_event_of_a_terminal_state_has_a_type_that_openai_clients_know(
    endpoint: Endpoint, status: Status, event: str
) -> None:
    assert event_type(endpoint, status) == event
