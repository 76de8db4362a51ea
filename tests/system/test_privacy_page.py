"""The privacy page and the statement behind it, over HTTP, in a browser, and when something cannot be looked at."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared.domain.residue import PLACES
from tests.contract import javascript
from tests.system.http import Http, calling
from tests.system.policies import change_policy
from tests.system.stack import Stack, running_stack, wait_for

TENANTS = ("contoso", "fabrikam", "adatum")
DAY = 86_400
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
        wait_for("a run of the timer", lambda: states(client).get("retention") == "holding")
        yield client


def states(http: Http) -> dict[str, str]:
    """The state of each promise now; empty while the service does not know."""
    answer = http.call("GET", "/v1/privacy/statement", tenant=None)
    return {one["id"]: one["state"] for one in answer.json["promises"]} if answer.status == 200 else {}


def test_anybody_may_see_the_statement_and_no_tenant_is_named_in_it(http: Http) -> None:
    for path in ("/v1/privacy/statement", "/privacy/overview", "/privacy"):
        answer = http.call("GET", path, tenant=None)
        assert answer.status == 200
        assert not [tenant for tenant in TENANTS if tenant in answer.text]
    assert states(http) == {
        **dict.fromkeys(("control", "data-types", "retention", "erasure", "evidence", "abuse-monitoring"), "holding"),
        **dict.fromkeys(("stateless", "no-training", "fine-tuning"), "unknown"),
        **dict.fromkeys(("content-filtering", "no-leaks"), "unknown"),
        "geography": "violated",  # three tenants share a queue that takes unsigned requests
    }


def test_the_statement_shows_both_clocks_of_abuse_monitoring_and_counts_settings(http: Http) -> None:
    statement = http.call("GET", "/v1/privacy/statement", tenant=None).json
    clocks, settings = statement["abuse_monitoring"], statement["responsible_ai"]
    assert clocks["lethe"] == {
        "longest_seconds": 21 * DAY,
        "ceiling_seconds": 22 * DAY,
        "unrecoverable_after_seconds": 30 * DAY,
    }
    assert (clocks["azure"]["longest_seconds"], clocks["azure_without_content_logging"]["longest_seconds"]) == (None, 0)
    assert clocks["azure"]["source"]["dated"] == "2026-05"
    assert settings == {
        "tenants": 3,
        "unreadable": 0,
        "content_filter": {"required": 0, "report": 3},
        "abuse_monitoring": {"off": 1, "flagged": 1, "all": 0, "opted_out": 1},
        "detection": {"on": 1, "off": 2},
        "opt_outs": {"confirmed": 1, "unconfirmed": 0, "unknown": 0},
    }


def test_the_report_says_of_each_tenant_what_is_on_since_when_and_by_whose_approval(http: Http) -> None:
    report = http.call("GET", "/v1/privacy/report", tenant="operator").json
    tenants = {one["tenant"]: one for one in report["responsible_ai"]["settings"]}
    assert {*tenants} == {*TENANTS}
    monitoring = tenants["fabrikam"]["abuse_monitoring"]
    approved = {name: monitoring[name] for name in ("mode", "kept_seconds", "approval", "approved_on", "confirmed_by_azure")}
    assert approved == {
        "mode": "opted_out",
        "kept_seconds": 0,
        "approval": "AOAI-2026-0117",
        "approved_on": "2026-03-02",
        "confirmed_by_azure": "confirmed",
    }
    # seeded past the command: nobody recorded it, and nothing of it was written since
    assert (monitoring["recorded"], monitoring["applied_by"], monitoring["proposed_by"]) == (False, None, None)
    assert 0 <= report["generated_at"] - monitoring["since"] < 3600


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
    assert not [word for word in ("unsafe", "http", "*", "data:") if word in policy]
    assert {"form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; "))
    assert "http" not in answer.text.replace("<!doctype html>", "")
    assert http.call("GET", "/privacy/assets/uplot.js", tenant=None).headers["content-type"].startswith("text/javascript")
    for path in ("/privacy", "/privacy/assets/page.js", "/privacy/assets/page.css", "/privacy/assets/nothing.js"):
        headers = http.call("GET", path, tenant=None).headers
        assert headers["content-security-policy"] == policy
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fprivacy_page.py", "%2e%2e%2fprivacy_page.py", "index.html%00", "PAGE.JS"])
def test_an_unknown_asset_is_not_there(http: Http, name: str) -> None:
    answer = http.call("GET", f"/privacy/assets/{name}", tenant=None)
    assert (answer.status, answer.text) == (404, "")


@pytest.fixture(scope="module")
def seen(stack: Stack, http: Http) -> dict[str, Any]:
    """What a person saw; the page shows the states that the statement had before and after it was opened."""
    before = states(http)
    tokens = stack.endpoints["tokens"]
    found = browse(stack, "page.mjs", OPERATOR=tokens["operator"], TENANT=tokens["contoso"])
    assert states(http) == before
    return {**found, "stated": before}


def test_a_person_sees_every_promise_and_its_state(seen: dict[str, Any]) -> None:
    assert len(seen["states"]) == 12
    assert seen["states"] == seen["stated"]
    assert seen["charts"] >= 2
    assert seen["places"] == len([place for place in PLACES if place.is_drawn])


def test_the_page_breaks_no_rule_of_accessibility_in_light_in_dark_or_on_a_phone(seen: dict[str, Any]) -> None:
    assert seen["axe"] == {"light": [], "lightOpened": [], "dark": [], "phone": []}
    assert seen["ground"] == "rgb(17, 20, 28)"  # it was dark in the dark
    assert seen["overflow"] == 0


def test_the_page_is_usable_with_the_keyboard_alone(seen: dict[str, Any]) -> None:
    focused = seen["focused"]
    assert focused[0] == "skip"
    assert focused.count("SUMMARY") >= 12
    assert focused[focused.index("token") + 1] == "BUTTON"
    assert (seen["unmarked"], seen["opened"]) == ([], True)


def test_the_page_is_light_calls_nobody_else_and_keeps_nothing(seen: dict[str, Any]) -> None:
    assert seen["weight"] < HEAVIEST
    assert (seen["elsewhere"], seen["errors"], seen["policy"], seen["kept"]) == ([], [], [], 0)
    assert seen["intruders"] == ["script-src-elem", "img-src", "kept out"]


def test_a_person_sees_both_clocks_and_the_counts_of_settings(seen: dict[str, Any]) -> None:
    rows = {name: (kept, by) for name, kept, by in seen["clocks"]}
    assert rows["by Lethe, sealed"] == ("21 days", "at most 22 days; its key is gone for good after 30 days")
    assert rows["by Azure, where it logs content"] == ("no number is published", "learn.microsoft.com, 2026-05")
    assert rows["by Azure, where ContentLogging is false"][0] == "nothing is kept"
    assert seen["settings"] == {
        "Tenants": "3",
        "Content filter": "0 required, 3 report",
        "Abuse monitoring": "1 off, 1 flagged, 0 all, 1 opted out",
        "Detection": "1 on, 2 off",
        "Opt-outs, by what Azure shows": "1 confirmed, 0 unconfirmed, 0 unknown",
    }


def test_operators_see_the_settings_of_each_tenant(seen: dict[str, Any]) -> None:
    rows = {row[0]: row[1:] for row in seen["tenants"]}
    assert {*rows} == {*TENANTS}
    assert rows["fabrikam"][1].startswith("opted out (AOAI-2026-0117, 2026-03-02), confirmed by Azure, at least since ")


def test_operators_see_the_steps_of_the_last_run_and_others_are_told_no(seen: dict[str, Any]) -> None:
    assert seen["refused"] == ["This token may not see it."] * 2
    assert {"expired_documents", "configuration", "probe"} <= set(seen["steps"])


def test_a_violated_promise_holds_again_once_it_is_mended(stack: Stack, http: Http) -> None:
    assert states(http)["geography"] == "violated"
    for tenant in TENANTS:
        change_policy(stack, tenant, queue_submission="forbidden")
    stack.advance(61)  # the app may go on with what it read a minute ago
    wait_for("geography to hold", lambda: "geography" in holding(http), seconds=60)


@pytest.mark.parametrize(
    ("part", "unknown"),
    [
        ("management", {"control", "geography", "retention"}),
        ("broker", {"retention"}),
        ("vault", {"retention", "evidence"}),
    ],
)
def test_what_cannot_be_looked_at_is_unknown_and_never_holding(stack: Stack, http: Http, part: str, unknown: set[str]) -> None:
    before = holding(http)
    with stack.down(part):
        wait_for(f"the statement to notice that {part} is away", lambda: told_unknown(http) >= unknown, seconds=60)
    wait_for("the promises to hold again", lambda: holding(http) >= before, seconds=60)


def test_without_a_store_nothing_is_known_and_the_page_says_so(stack: Stack, http: Http, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    with ThreadPoolExecutor() as threads:
        browser = threads.submit(browse, stack, "page-outage.mjs", OPENED=str(opened))
        wait_for("the page to be open", lambda: opened.exists() or browser.done(), seconds=60)
        with stack.down("cosmos"):
            assert http.call("GET", "/v1/privacy/statement", tenant=None).status == 503
            assert http.call("GET", "/privacy/overview", tenant=None).status == 503
            seen = browser.result()
    assert "holding" in seen["before"].values()
    assert seen["old"]["states"] == dict.fromkeys(seen["before"], "unknown")
    assert seen["fresh"]["states"] == {}
    assert "not known now" in seen["old"]["alarm"]
    assert "not known now" in seen["fresh"]["alarm"]
    assert (seen["old"]["figures"], seen["old"]["settings"], seen["axe"]) == (False, False, [])
    wait_for("the promises to hold again", lambda: "retention" in holding(http), seconds=60)


def browse(stack: Stack, script: str, **environment: str) -> Any:  # noqa: ANN401
    """Run a script with the page's address; a machine without a browser cannot, and says so."""
    chromium = shutil.which("chromium")
    if not chromium:
        reason = "Chromium is not installed: nobody looked at the page"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return javascript.run(script, URL=f"{stack.endpoints['http']}/privacy", CHROMIUM=chromium, **environment)


def holding(http: Http) -> set[str]:
    """Promises that are said to hold."""
    return {promise for promise, state in states(http).items() if state == "holding"}


def told_unknown(http: Http) -> set[str]:
    """Promises that are said to be unknown; none while there is no statement."""
    return {promise for promise, state in states(http).items() if state == "unknown"}
