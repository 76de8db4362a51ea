"""A tenant goes: of its documents, secrets and keys nothing is left in any store, and nothing of another tenant is touched."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from local.demo.client import REJECTED, REQUESTS, Message
from tests.privacy.scan import scan
from tests.system.http import calling, line
from tests.system.jobs import job, wait_until_all_wait
from tests.system.policy_command import ROOT, evidence, run
from tests.system.review import put_alert, put_record
from tests.system.stack import Stack, running_stack, wait_for

CONTAINERS = ("generations", "abuse-monitoring", "policies", "webhook-endpoints", "privacy", "fine-tuning")
CONTENT, LABEL = "canary-6d1f0b7c55aa", "label-9e3c2d8841bb"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started, started.keeping_connections() as running:
        yield running


def documents(stack: Stack, tenant: str) -> dict[str, list[dict[str, Any]]]:
    """Every document of a tenant, by container."""
    query = "SELECT * FROM c WHERE c.tenantId = @tenant"
    parameters: list[dict[str, object]] = [{"name": "@tenant", "value": tenant}]
    found = {}
    for name in CONTAINERS:
        container = stack.store.container(name)
        found[name] = list(container.query_items(query, parameters=parameters, enable_cross_partition_query=True))
    return found


def keys(stack: Stack) -> dict[str, Any]:
    """The key store of the stack."""
    stored: dict[str, Any] = json.loads((stack.state / "keys.json").read_text())
    return stored


def secrets(stack: Stack, tenant: str) -> dict[str, Any]:
    """The secrets that the app made for a tenant, by their names."""
    stored = json.loads((stack.state / "keys-webhooks.json").read_text())
    return {name: versions for name, versions in stored.items() if name.startswith(f"lethe-{tenant}-")}


def messages(stack: Stack, tenant: str) -> dict[str, list[Message]]:
    """Messages that name a tenant, and all of its reply queue."""
    queues = (REQUESTS, REJECTED, "webhook-deliveries", f"{tenant}-replies")
    return {
        queue: [one for one in stack.peek(queue) if queue.startswith(tenant) or f'"{tenant}"'.encode() in one.body]
        for queue in queues
    }


def give_everything(stack: Stack, tenant: str) -> None:
    """Let a tenant have one of each.

    Jobs over both ways, an endpoint, a secret, a waiting copy, a refusal and its reply, a record for abuse review, an alert.
    """
    stack.submit([job("gone", f"{LABEL}-{tenant}", f"{CONTENT} {tenant}", tenant=tenant)])
    stack.wait_for_outputs(tenant, "gone", 1)
    with calling(stack) as http:
        http.ended(http.submit(f"{CONTENT} {tenant}", tenant=tenant), tenant=tenant)
        hook = {"name": tenant, "url": f"{stack.endpoints['webhook_receiver']}/hooks/{tenant}"}
        body = hook | {"event_types": ["response.completed"]}
        assert http.call("POST", "/openai/v1/webhook_endpoints", body, tenant=tenant).status == 200
    put_record(stack, tenant, "ab" * 20, subject=LABEL, content=f"{CONTENT} {tenant}")
    put_alert(stack, tenant, subject=LABEL)
    assert run(stack, "rotate", tenant).code == 0
    waits = job("gone", "waits", f"[[status:429:2:3000]] {CONTENT} {tenant}", tenant=tenant)
    refused = job("gone", "refused", "words", tenant=tenant) | {"url": "/v1/other"}
    stack.submit([waits, refused], reply_to=f"{tenant}-replies")
    wait_for("the reply", lambda: stack.peek(f"{tenant}-replies"))


def everything_of(stack: Stack, tenant: str) -> dict[str, Any]:
    """What every store has of a tenant."""
    return {
        "documents": documents(stack, tenant),
        "keys": keys(stack)[tenant],
        "secrets": secrets(stack, tenant),
        "messages": messages(stack, tenant),
        "evidence": evidence(stack, tenant),
    }


def test_offboarding_leaves_nothing_of_a_tenant_and_touches_nobody_else(stack: Stack) -> None:
    policies = stack.store.container("policies")  # where it has opted out, the timer would be quicker than the command
    policies.upsert_item({**policies.read_item("policy", "fabrikam"), "abuse_monitoring": {"mode": "flagged"}})
    for tenant in ("fabrikam", "contoso"):
        give_everything(stack, tenant)
    wait_until_all_wait(stack, 2)
    before, fabrikams = everything_of(stack, "contoso"), documents(stack, "fabrikam")
    assert {document["dataClass"] for document in fabrikams["generations"]} == {"receipt", "output", "event"}
    assert {finding.where.rpartition("/")[2] for finding in scan(f"{CONTENT} fabrikam", stack.state)} == {
        "broker.sqlite",
        "cosmos.sqlite",
    }
    assert secrets(stack, "fabrikam")
    assert all(before["messages"][queue] for queue in (REQUESTS, REJECTED, "contoso-replies"))

    done = offboarded(stack, "fabrikam")
    assert done["removed"] == {
        "receipt": 3,
        "output": 2,
        "event": 2,
        "webhook-endpoints": 1,
        "webhook_secrets": 1,
        "waiting_copies": 1,
        "abuse_record": 1,
        "abuse_alert": 1,
    }
    left = documents(stack, "fabrikam")
    assert [(name, one["id"]) for name, found in left.items() for one in found] == [("policies", "policy")]
    assert left["policies"][0].keys() - {"_rid", "_self", "_etag", "_attachments", "_ts"} == {"id", "tenantId", "offboarded_at"}
    assert "fabrikam" not in keys(stack)
    assert secrets(stack, "fabrikam") == {}
    wait_for("the files to be rewritten", lambda: not scan(f"{CONTENT} fabrikam", stack.state))
    assert not scan(f"{LABEL}-fabrikam", stack.state)

    assert everything_of(stack, "contoso") == before
    assert scan(f"{CONTENT} contoso", stack.state)
    records = evidence(stack, "fabrikam")
    assert [record["kind"] for record in records] == ["submission_rotated", "tenant_offboarding", "tenant_offboarded"]
    assert records[-1]["fields"]["removed_receipt"] == 3
    assert records[-1]["fields"]["removed_abuse_record"] == 1


def test_an_offboarded_tenant_is_unknown_on_every_way_in(stack: Stack) -> None:
    with calling(stack) as http:
        assert http.call("POST", "/v1/generations", line(), tenant="fabrikam").status == 403
    stack.submit([job("after", "one", "Too late.", tenant="fabrikam")])

    def refused() -> bool:
        return ("unknown_tenant", "tenant") in {
            (message.properties["reason"], message.properties["field"]) for message in stack.rejected()
        }

    wait_for("the message to be refused", refused)
    assert "offboarded" in run(stack, "show", "fabrikam").out


def offboarded(stack: Stack, tenant: str) -> dict[str, Any]:
    """Offboard a tenant; the clock moves on while the command waits for workers to forget it."""
    settings = stack.state / "local.settings.json"
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, *f"-m commands.policy --settings {settings} offboard {tenant} --confirm {tenant}".split()],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "LETHE_OPERATOR_TOKEN": stack.endpoints["tokens"]["operator"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for("the first sweep", lambda: not documents(stack, tenant)["generations"])
    assert process.poll() is None, "the command did not wait for workers to forget the tenant"
    stack.advance(200)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    receipt: dict[str, Any] = json.loads(out.partition("\n")[2])
    return receipt
