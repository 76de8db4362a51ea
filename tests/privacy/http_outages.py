"""What goes wrong around a call (store or broker away, an exception), and what the official client does."""

import json

import httpx2
from openai import OpenAI

from tests.privacy import about_subjects, http_calls, reviews
from tests.privacy.cases import RESPONSES, Ending, Kind, Planting
from tests.privacy.http_calls import LOOKUP, Call
from tests.privacy.http_run import Run
from tests.system import faults


def fail_inside(run: Run, repeated: list[Call]) -> None:
    """Call while the store, then the broker is away, and where an exception comes that nobody foresees."""
    stack, flock = run.journey.stack, run.journey.flock
    first = next(iter(run.ids))

    def calls(path: str) -> list[Call]:
        wanted = [http_calls.to_lethe(flock, f"{path} over HTTP", RESPONSES, "", Ending(kind=Kind.EXPIRED))]
        return [*wanted, http_calls.to_openai(flock, f"{path} on OpenAI's face", "", Ending(kind=Kind.EXPIRED))]

    lookup = Planting(flock=flock, path="a lookup without a store")
    content = json.dumps({"custom_id": lookup("custom_id"), "batch": lookup("batch")}).encode()
    faults.arm(stack, operation="read", status=200, count=1000)  # an error object where a document is expected
    run.all([*repeated, Call(path="an exception", method="GET", target=run.to(first), status=(500,))], status=500)
    faults.disarm(stack)
    with faults.down(stack, "broker"):
        run.all(calls("no broker"), status=503)
    with faults.down(stack, "cosmos"):
        read = Call(path="no store", method="GET", target=run.to(first), status=(503,))
        looked_up = Call(path=lookup.path, target=LOOKUP, status=(503,), content=content)
        concerning = about_subjects.calls(run, "no store, about a subject")
        reviewing = reviews.calls(run, "no store, for a reviewer")
        run.all([*calls("no store"), read, looked_up, *concerning, *reviewing], status=503)


def official_client(run: Run) -> str:
    """Let the official client do all that it can, with canaries; return every URL that it has called."""
    planted = Planting(flock=run.journey.flock, path="the official client")
    sent: list[httpx2.Request] = []
    transport = httpx2.Client(event_hooks={"request": [sent.append]}, trust_env=False)
    with OpenAI(
        base_url=f"{run.journey.stack.endpoints['http']}/openai/v1", api_key=run.token, http_client=transport
    ) as client:
        made = client.responses.create(
            model="gpt-small",
            input=planted("prompt"),
            background=True,
            safety_identifier=planted("safety_identifier"),
            metadata={planted("metadata key"): planted("metadata value")},
            extra_headers={"Idempotency-Key": planted("custom_id")},
        )
        client.responses.retrieve(made.id)
        client.responses.cancel(made.id)
        client.responses.delete(made.id)
        client.models.list()
        listed = client.webhooks.list(limit=2)
        client.webhooks.retrieve(listed.data[0].id)
    assert len(sent) >= 7
    return " ".join(str(each.url) for each in sent)
