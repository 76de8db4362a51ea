"""A tenant that opted out of abuse monitoring, in a running stack: served while Azure shows it, refused both ways otherwise."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.management import ids
from tests.privacy.cases import QUEUES, RESPONSES, Planting, request
from tests.privacy.flock import Flock
from tests.privacy.scan import scan, scan_bytes
from tests.system import tenants
from tests.system.http import Http, calling, line
from tests.system.jobs import wait_until_drained
from tests.system.stack import running_stack, wait_for

TENANT = "fabrikam"
UNCONFIRMED = "abuse_monitoring_unconfirmed"
UNLOGGED = ids.account("unlogged")
ABSENT = {"id": UNLOGGED, "properties": {"capabilities": [{"name": "VirtualNetworks"}]}}
UNREADABLE = {"id": UNLOGGED, "properties": {"capabilities": None}}
HOUR, DAY = 3600, 86_400
CACHED = 61
"""Seconds after which no worker goes by what it read before."""


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    with (
        running_stack(tmp_path_factory.mktemp("opted-out")) as started,
        started.keeping_connections() as stack,
        calling(stack) as calls,
    ):
        wait_for_check(calls, lambda shown: shown["logs"] is False)
        yield calls


@contextmanager
def overridden(http: Http, override: dict[str, Any]) -> Iterator[None]:
    """Let Azure say something else of the tenant's resource for the length of a ``with`` block."""
    url = f"{http.stack.endpoints['management_control']}/overrides"
    http.client.post(url, json=override).raise_for_status()
    try:
        yield
    finally:
        http.client.delete(url).raise_for_status()


def remembered(http: Http) -> dict[str, Any] | None:
    """What workers read of the resource."""
    query = "SELECT * FROM c WHERE c.id = 'content_logging'"
    found = list(http.stack.store.container("privacy").query_items(query, partition_key="$stamp"))
    return found[0]["resources"].get("unlogged") if found else None


def wait_for_check(http: Http, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Return when a check has remembered something, and every worker goes by that."""
    wait_for("a check of the configuration", lambda: (shown := remembered(http)) and wanted(shown))
    http.stack.advance(CACHED)


def by_deployment(http: Http) -> dict[str, int]:
    """Calls of the model so far."""
    report = http.client.get(f"{http.stack.endpoints['openai']['control_url']}/calls").json()
    counts: dict[str, int] = report["by_deployment"]
    return counts


def served_by(http: Http, token: str) -> set[str]:
    """Run a job, and return the deployments that were called for it."""
    before = by_deployment(http)
    reply = http.call("POST", "/v1/generations", line(f"opted out {uuid4()}"), token=token)
    assert reply.status == 202, reply.text

    def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = http.call("GET", reply.headers["location"], token=token).json
        return shown if shown["status"] not in {"queued", "in_progress"} else None

    assert wait_for("the generation to end", look)["status"] == "completed"
    return {name for name, count in by_deployment(http).items() if count > before.get(name, 0)}


def test_it_runs_while_azure_shows_that_nothing_is_kept(http: Http) -> None:
    assert served_by(http, http.token(TENANT)) == {"gpt-small-unlogged"}


def test_of_what_its_policy_lists_only_what_azure_confirms_serves_it(http: Http) -> None:
    monitoring = {"mode": "opted_out", "approval": "AOAI-2026-0117", "approved_on": "2026-03-02"}
    both = {"gpt-small": ["gpt-small-eu", "gpt-small-unlogged"]}
    token = tenants.add(http, "lucerne", abuse_monitoring=monitoring, models=both)
    assert served_by(http, token) == {"gpt-small-unlogged"}


def test_it_is_refused_both_ways_while_azure_shows_the_opposite_and_runs_again_afterwards(http: Http) -> None:
    with overridden(http, ABSENT):
        wait_for_check(http, lambda shown: shown["logs"] is True)
        receipts, calls = http.stack.receipts(TENANT), by_deployment(http)
        _refuses_over_http(http)
        _rejects_over_the_queue(http)
        assert http.stack.receipts(TENANT) == receipts
        assert by_deployment(http) == calls  # no byte at the model
        assert served_by(http, http.token("contoso")) == {"gpt-small-eu"}  # others are not touched
    wait_for_check(http, lambda shown: shown["logs"] is False)
    assert served_by(http, http.token(TENANT)) == {"gpt-small-unlogged"}


def _refuses_over_http(http: Http) -> None:
    flock, envelope = planted()
    token = http.token(TENANT)
    del envelope["tenant"]
    reply = http.call("POST", "/v1/generations", envelope, token=token)
    assert (reply.status, reply.json["code"], reply.json["field"]) == (403, UNCONFIRMED, "body.model")
    assert not scan_bytes(flock, answer=f"{dict(reply.headers)}{reply.text}".encode())
    body = {"model": "gpt-small", "input": envelope["body"]["input"], "background": True}
    reply = http.call("POST", "/openai/v1/responses", body, token=token)
    assert (reply.status, reply.json["error"]["code"], reply.json["error"]["param"]) == (403, UNCONFIRMED, "model")
    assert not scan(flock, http.stack.state)


def _rejects_over_the_queue(http: Http) -> None:
    stack = http.stack
    flock, envelope = planted()
    sent = json.dumps(envelope).encode()
    stack.submit([sent])
    [message] = wait_for("the rejection", lambda: [one for one in stack.rejected() if one.body == sent])
    assert (message.properties["reason"], message.properties["field"]) == (UNCONFIRMED, "body.model")
    wait_until_drained(stack)
    assert {Path(found.where).name.removesuffix("-journal") for found in scan(flock, stack.state)} == {QUEUES}


def planted() -> tuple[Flock, dict[str, Any]]:
    """A request of the tenant with a canary in each of its places, and the canaries."""
    flock = Flock()
    return flock, request(Planting(flock=flock, path="opted out"), RESPONSES, "", tenant=TENANT)


def test_it_runs_for_a_day_after_azure_showed_it_last_and_no_longer(http: Http) -> None:
    with overridden(http, UNREADABLE):
        wait_for_check(http, lambda shown: shown["looked_at"] > shown["at"])
        assert served_by(http, http.token(TENANT)) == {"gpt-small-unlogged"}
        http.stack.advance(DAY - HOUR)
        assert served_by(http, http.token(TENANT)) == {"gpt-small-unlogged"}
        http.stack.advance(HOUR)
        reply = http.call("POST", "/v1/generations", line(), token=http.token(TENANT))
        assert (reply.status, reply.json["code"]) == (403, UNCONFIRMED)
        assert served_by(http, http.token("contoso")) == {"gpt-small-eu"}
    wait_for_check(http, lambda shown: shown["at"] == shown["looked_at"])
    assert served_by(http, http.token(TENANT)) == {"gpt-small-unlogged"}
