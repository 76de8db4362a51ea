"""Holds as operators ask for them: what is refused by name, how they are listed, and what a hold forbids."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.holds import DAY, canary, ended, now, operate, order, place, records, shown
from tests.system.http import Http, calling
from tests.system.policy_command import run
from tests.system.stack import running_stack


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    with running_stack(tmp_path_factory.mktemp("holds")) as stack, calling(stack) as http:
        yield http


def test_a_tenant_under_a_hold_is_not_offboarded(http: Http) -> None:
    content = canary()
    generation = ended(http, content, tenant="fabrikam")
    place(http, "fabrikam")
    refused = run(http.stack, "offboard", "fabrikam", "--confirm", "fabrikam", token=http.token("operator"))
    assert refused.code == 1
    assert refused.err == "A hold stands over data of the tenant: release it, or wait for its end.\n"
    assert http.ended(generation, tenant="fabrikam")["status"] == "completed"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"tenant": None}, "missing_field", "tenant"),
        ({"tenant": "nobody"}, "unknown_tenant", "tenant"),
        ({"tenant": "No tenant's name"}, "unknown_tenant", "tenant"),
        ({"tenant": 7}, "invalid_type", "tenant"),
        ({"case_reference": None}, "missing_field", "case_reference"),
        ({"case_reference": "Smith against Jones"}, "invalid_value", "case_reference"),
        ({"case_reference": "x" * 65}, "invalid_value", "case_reference"),
        ({"ends_at": None}, "missing_field", "ends_at"),
        ({"ends_at": "tomorrow"}, "invalid_type", "ends_at"),
        ({"ends_at": 1}, "invalid_value", "ends_at"),
        ({"subject": "user-42"}, "invalid_type", "subject"),
        ({"subject": {}}, "missing_field", "subject.safety_identifier"),
        ({"subject": {"safety_identifier": ""}}, "invalid_value", "subject.safety_identifier"),
        ({"subject": {"safety_identifier": "user-42", "name": "canary"}}, "unknown_field", "subject"),
        ({"subject": {"safety_identifier": "user-42"}, "generation": f"gen_{40 * 'a'}"}, "invalid_value", "generation"),
        ({"reason": "canary"}, "unknown_field", "message"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_order_that_is_none_is_refused_by_name(http: Http, changes: dict[str, Any], code: str, field: str) -> None:
    before = len(records(http.stack))
    reply = operate(http, "POST", "", order(http, **changes))
    assert (reply.status, reply.json["code"], reply.json["field"]) == (400, code, field)
    assert "canary" not in reply.text
    assert len(records(http.stack)) == before


def test_a_hold_ends_within_ninety_days_and_is_renewed_for_no_more(http: Http) -> None:
    assert operate(http, "POST", "", order(http, ends_at=now(http) + 90 * DAY + 60)).json["field"] == "ends_at"
    hold = place(http, "contoso", days=89)
    for ends_at in (now(http) + 90 * DAY + 60, now(http) + DAY, 0):
        reply = operate(http, "POST", f"/{hold['id']}/renew", {"ends_at": ends_at})
        assert (reply.status, reply.json["code"], reply.json["field"]) == (400, "invalid_value", "ends_at")
    assert shown(http, hold)["ends_at"] == hold["ends_at"]


@pytest.mark.parametrize("generation", [f"gen_{40 * 'a'}", "gen_1", "nonsense"])
def test_a_job_that_the_tenant_has_not_cannot_be_held(http: Http, generation: str) -> None:
    assert operate(http, "POST", "", order(http, generation=generation)).status == 404
    contosos = ended(http, canary())
    assert operate(http, "POST", "", order(http, tenant="fabrikam", generation=contosos)).status == 404


def test_holds_are_listed_by_tenant_page_by_page(http: Http) -> None:
    placed = [place(http, "adatum", days=1)["id"] for _ in range(3)][::-1]
    first = operate(http, "GET", "?tenant=adatum&limit=2").json
    assert ([hold["id"] for hold in first["data"]], first["has_more"]) == (placed[:2], True)
    rest = operate(http, "GET", f"?tenant=adatum&limit=1&after={placed[1]}").json
    assert [hold["id"] for hold in rest["data"]] == placed[2:]
    assert {hold["tenant"] for hold in operate(http, "GET", "?limit=100").json["data"]} >= {"adatum"}
    assert operate(http, "GET", "?tenant=nobody").json == {"object": "list", "data": [], "has_more": False}
    assert operate(http, "GET", "?limit=0").json["field"] == "limit"
    assert operate(http, "GET", f"?tenant=adatum&after=hold_{32 * '0'}").status == 404
    for path in ("/hold_1", f"/hold_{32 * '0'}"):
        assert [operate(http, method, path).status for method in ("GET", "DELETE")] == [404, 404]
