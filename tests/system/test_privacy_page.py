"""The privacy page and the statement behind it, over HTTP, in a browser, and when something cannot be looked at."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract import javascript
from tests.system.http import Http, calling
from tests.system.stack import Stack, running_stack, wait_for

TENANTS = ("contoso", "fabrikam", "adatum")
HEAVIEST = 150_000
"""Bytes of the page with everything that it loads."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[Http]:
    with calling(stack) as client:
        client.ended(client.submit("Something to be counted."))
        wait_for("a run of the timer", lambda: states(client)["retention"] == "holding")
        yield client


def states(http: Http) -> dict[str, str]:
    """The state of each promise now; empty while the service does not know."""
    answer = http.call("GET", "/v1/privacy/statement", tenant=None)
    return (
        {one["id"]: one["state"] for one in answer.json["promises"]}
        if answer.status == 200
        else dict.fromkeys(["retention"], "")
    )


def test_anybody_may_see_the_statement_and_no_tenant_is_named_in_it(http: Http) -> None:
    for path in ("/v1/privacy/statement", "/privacy/overview", "/privacy"):
        answer = http.call("GET", path, tenant=None)
        assert answer.status == 200
        assert not [tenant for tenant in TENANTS if tenant in answer.text]
    assert states(http) == {
        **dict.fromkeys(("control", "data-types", "retention", "erasure", "evidence"), "holding"),
        **dict.fromkeys(("stateless", "no-training", "fine-tuning", "abuse-monitoring"), "unknown"),
        **dict.fromkeys(("content-filtering", "no-leaks"), "unknown"),
        "geography": "violated",  # three tenants share a queue that takes unsigned requests
    }


def test_the_report_is_for_operators(http: Http) -> None:
    report = http.call("GET", "/v1/privacy/report", tenant="operator").json
    assert report["configuration"]["complete"] is True
    assert report["runs"][0]["steps"]["expired_documents"]["complete"] is True
    assert http.call("GET", "/v1/privacy/report", tenant="contoso").status == 403
    assert http.call("GET", "/v1/privacy/report", tenant=None).status == 401


def test_the_page_lets_nothing_in_from_elsewhere(http: Http) -> None:
    answer = http.call("GET", "/privacy", tenant=None)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in answer.text.replace("<!doctype html>", "")
    assert http.call("GET", "/privacy/assets/uplot.js", tenant=None).headers["content-type"].startswith("text/javascript")
    for name in ("nothing.js", "..%2Fprivacy_page.py", "index.html%00"):
        assert http.call("GET", f"/privacy/assets/{name}", tenant=None).status == 404


def test_a_person_sees_it_in_a_browser(stack: Stack, http: Http) -> None:
    if not shutil.which("chromium"):
        reason = "Chromium is not installed: nobody looked at the page"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    token = stack.endpoints["tokens"]["operator"]
    seen: dict[str, Any] = javascript.run("page.mjs", URL=f"{stack.endpoints['http']}/privacy", TOKEN=token)
    assert seen["states"] == states(http)
    assert seen["axe"] == {"light": [], "dark": [], "phone": []}
    assert seen["elsewhere"] == []
    assert [error for error in seen["errors"] if "401" not in error] == []  # the token that was none
    assert (seen["overflow"], seen["charts"] >= 2, seen["weight"] < HEAVIEST) == (0, True, True)
    assert {"skip", "token", "steps"} - {"steps"} <= set(seen["focused"])
    assert "may not" in seen["refused"]
    assert {"expired_documents", "configuration", "probe"} <= set(seen["steps"])


@pytest.mark.parametrize(
    ("part", "unknown"),
    [("management", {"control", "geography", "retention"}), ("broker", {"retention"}), ("vault", {"retention", "evidence"})],
)
def test_what_cannot_be_looked_at_is_unknown_and_never_holding(stack: Stack, http: Http, part: str, unknown: set[str]) -> None:
    with stack.down(part):
        wait_for(f"the statement to notice that {part} is away", lambda: not unknown & holding(http), seconds=60)
    wait_for("the promises to hold again", lambda: "retention" in holding(http), seconds=60)


def test_without_a_store_nothing_is_known(stack: Stack, http: Http) -> None:
    with stack.down("cosmos"):
        assert http.call("GET", "/v1/privacy/statement", tenant=None).status == 503
    wait_for("the promises to hold again", lambda: "retention" in holding(http), seconds=60)


def holding(http: Http) -> set[str]:
    """Promises that are said to hold."""
    return {promise for promise, state in states(http).items() if state == "holding"}
