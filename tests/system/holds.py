"""An operator who places holds, and what they leave on the documents of jobs."""

from itertools import groupby
from secrets import token_hex
from typing import Any

from tests.system.callers import read
from tests.system.http import Http, Reply
from tests.system.stack import Stack, wait_for

DAY = 86_400


def now(http: Http) -> int:
    """The stack's time."""
    issued: int = read(http.token("operator"))["iat"]
    return issued


def operate(http: Http, method: str, path: str = "", body: object = None) -> Reply:
    """Ask as an operator, with a token of the stack's present."""
    return http.call(method, f"/v1/holds{path}", body, tenant=None, token=http.token("operator"))


def order(http: Http, **changes: object) -> dict[str, Any]:
    """A good order; a change to None takes a field away."""
    good = {"tenant": "contoso", "case_reference": "case-1", "ends_at": now(http) + DAY} | changes
    return {name: value for name, value in good.items() if value is not None}


def place(http: Http, tenant: str, *, days: float = 60, case_reference: str = "case-1", **scope: object) -> dict[str, Any]:
    """Place a hold and return it."""
    order = {"tenant": tenant, "case_reference": case_reference, "ends_at": now(http) + int(days * DAY), **scope}
    reply = operate(http, "POST", body=order)
    assert reply.status == 201, reply.text
    placed: dict[str, Any] = reply.json
    return placed


def shown(http: Http, hold: dict[str, Any]) -> dict[str, Any]:
    """Return a hold as it is now."""
    found: dict[str, Any] = operate(http, "GET", f"/{hold['id']}").json
    return found


def release(http: Http, hold: dict[str, Any]) -> None:
    """Release a hold."""
    assert operate(http, "DELETE", f"/{hold['id']}").status == 204


def documents(stack: Stack, tenant: str, generation: str) -> dict[str, dict[str, Any]]:
    """Documents of a job, by their class."""
    query = "SELECT * FROM c"
    key = [tenant, generation.removeprefix("gen_")]
    found = stack.store.container("generations").query_items(query, partition_key=key)
    return {document["dataClass"]: document for document in found}


def wait_until_held(http: Http, tenant: str, generation: str, hold: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a job's documents once it has ended and all of them bear the mark of a hold."""

    def marked() -> dict[str, dict[str, Any]] | None:
        found = documents(http.stack, tenant, generation)
        by = {document.get("held_by") for document in found.values()}
        return found if len(found) == 3 and by == {hold["id"]} else None

    return wait_for("the marks of the hold", marked)


def records(stack: Stack) -> list[dict[str, Any]]:
    """What the chain of holds says, the oldest first."""
    query = "SELECT * FROM c WHERE c.sequence > 0 ORDER BY c.sequence ASC"
    return list(stack.store.container("evidence").query_items(query, partition_key="holds"))


def kinds(stack: Stack, hold: dict[str, Any]) -> list[str]:
    """What evidence says of one hold; what the request and a run of the timer recorded at the same moment, once."""
    found = (record["kind"] for record in records(stack) if record["fields"]["hold"] == hold["id"])
    return [kind for kind, _ in groupby(found)]


def canary() -> str:
    return f"canary-{token_hex(8)}"


def ended(http: Http, content: str, *, tenant: str = "contoso", subject: str | None = None) -> str:
    """Let a job end whose output has this content; return its id."""
    body = {"model": "gpt-small", "input": content} | ({"safety_identifier": subject} if subject else {})
    generation = http.submit(tenant=tenant, body=body)
    return str(http.ended(generation, tenant=tenant)["id"])
