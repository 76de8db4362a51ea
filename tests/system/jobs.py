"""Jobs as a submitting system writes them, and what is left of them in the stores and queues."""

from dataclasses import dataclass
from typing import Any

from local.demo.client import REJECTED, REQUESTS, Message
from tests.system.stack import Stack, wait_for

DEAD_LETTERS = "/$DeadLetterQueue"


def job(batch: str, custom_id: str, prompt: str, *, tenant: str = "contoso", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """A request for one answer; ``fields`` are further fields of its envelope."""
    return {
        "tenant": tenant,
        "batch": batch,
        "custom_id": custom_id,
        "method": "POST",
        "url": "/v1/responses",
        "body": {"model": "gpt-small", "input": prompt},
        **fields,
    }


def text_of(output: dict[str, Any]) -> str:
    """What the model said, as the output document has it."""
    return str(output["response"]["body"]["output"][0]["content"][0]["text"])


@dataclass(frozen=True, kw_only=True)
class Traces:
    """The content-free documents of one job."""

    receipt: dict[str, Any]
    events: list[dict[str, Any]]

    @property
    def error_code(self) -> str | None:
        code: str | None = self.receipt["result"]["error_code"]
        return code


def traces(stack: Stack, tenant: str, job_id: str) -> Traces:
    [receipt] = [receipt for receipt in stack.receipts(tenant) if receipt["jobId"] == job_id]
    return Traces(receipt=receipt, events=[event for event in stack.events(tenant) if event["jobId"] == job_id])


def submitted(stack: Stack, envelope: dict[str, Any], **properties: Any) -> str:  # noqa: ANN401
    """Submit one job and return its id, once its receipt shows it; for jobs that may never have an output."""
    tenant = envelope["tenant"]
    known = {receipt["jobId"] for receipt in stack.receipts(tenant)}
    stack.submit([envelope], **properties)

    def fresh() -> str | None:
        return next((found for receipt in stack.receipts(tenant) if (found := str(receipt["jobId"])) not in known), None)

    return wait_for("the receipt of a new job", fresh)


def wait_for_status(stack: Stack, tenant: str, job_id: str, status: str, *, seconds: float = 30) -> Traces:
    def reached() -> Traces | None:
        found = traces(stack, tenant, job_id)
        return found if found.receipt["status"] == status else None

    return wait_for(f"a receipt that says {status}", reached, seconds=seconds)


def wait_until_drained(stack: Stack, *, seconds: float = 30) -> None:
    """Return once no message is left in ``generation-requests``, running, waiting or scheduled."""
    with stack.client() as client:
        wait_for("an empty queue of requests", lambda: not client.peek(REQUESTS), seconds=seconds)


def wait_until_all_wait(stack: Stack, count: int = 1, *, seconds: float = 30) -> None:
    """Return once ``generation-requests`` holds nothing but ``count`` scheduled messages: then no lock can be lost."""

    def quiet() -> bool:
        messages = client.peek(REQUESTS)
        return len(messages) == count and all(message.is_scheduled for message in messages)

    with stack.client() as client:
        wait_for(f"{count} waiting jobs, and none else", quiet, seconds=seconds)


def left_over(stack: Stack) -> dict[str, list[Message]]:
    """Messages that lie where none should: in any queue of jobs, rejected ones and dead letters included."""
    queues = (REQUESTS, REJECTED, REQUESTS + DEAD_LETTERS, REJECTED + DEAD_LETTERS)
    with stack.client() as client:
        return {queue: messages for queue in queues if (messages := client.peek(queue))}
