"""The review app in a running stack: a person reads one sealed record for a case, and everybody else is refused, recorded."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.privacy.scan import scan
from tests.system.http import Http, Reply, calling
from tests.system.review import put_alert
from tests.system.stack import Stack, running_stack, wait_for

PROMPT = "[[block:violence]] Where would the canary-7b41 fly?"
GROUNDING = [{"id": "doc-1", "content": "The canary-7b41 stays at home."}]
CASE = {"tenant": "contoso", "case_reference": "CASE-1"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("review")) as running:
        yield running


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[Http]:
    with calling(stack) as opened:
        yield opened


@pytest.fixture(scope="module")
def record(http: Http) -> str:
    """The id of a sealed record: of a prompt that the filter blocked."""
    generation = http.submit(PROMPT, grounding=GROUNDING)
    shown = http.ended(generation)
    assert shown["abuse_record_expires_at"] is not None
    return generation.replace("gen_", "abr_")


def review(http: Http, method: str, path: str, body: object = None, **more: Any) -> Reply:  # noqa: ANN401
    """Call the review app, as the reviewer unless something else is said."""
    who = {} if "token" in more or "tenant" in more else {"tenant": "reviewer"}
    return http.call(method, f"{http.stack.endpoints['review']}/v1/abuse/{path}", body, **who, **more)


def accesses(stack: Stack) -> list[dict[str, Any]]:
    """Evidence of accesses, the oldest first."""
    query = "SELECT c.kind, c.fields FROM c WHERE c.sequence > 0 ORDER BY c.sequence ASC"
    return list(stack.store.container("evidence").query_items(query, partition_key="access"))


def test_a_reviewer_reads_what_was_sealed_and_that_is_evidence(http: Http, stack: Stack, record: str) -> None:
    before = len(accesses(stack))
    reply = review(http, "POST", f"records/{record}/open", CASE)
    assert reply.status == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    shown = reply.json
    assert shown["content"]["request"] == {"model": "gpt-small", "input": PROMPT}
    assert shown["content"]["grounding"] == GROUNDING
    assert (shown["filter_outcome"], shown["reason"], shown["tenant"]) == ("prompt_blocked", "flagged", "contoso")
    (evidence,) = accesses(stack)[before:]
    assert evidence["kind"] == "abuse_record_opened"
    assert (evidence["fields"]["record"], evidence["fields"]["case_reference"]) == (record, "CASE-1")


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], int, str]] = {
    "no case": ({}, {"tenant": "contoso"}, 400, "missing_field"),
    "no tenant": ({}, {"case_reference": "CASE-1"}, 400, "missing_field"),
    "a case that is prose": ({}, {**CASE, "case_reference": "because she asked"}, 400, "invalid_value"),
    "a field too many": ({}, {**CASE, "all": True}, 400, "unknown_field"),
    "another tenant": ({}, {**CASE, "tenant": "fabrikam"}, 404, "not_found"),
    "no such tenant": ({}, {**CASE, "tenant": "Contoso/../x"}, 404, "not_found"),
    "an application of the tenant": ({"tenant": "contoso"}, CASE, 403, "role_missing"),
    "an operator": ({"tenant": "operator"}, CASE, 403, "role_missing"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_reading_without_a_case_a_role_or_the_tenant_is_refused_and_recorded(
    http: Http, stack: Stack, record: str, case: str
) -> None:
    who, body, status, code = REFUSED[case]
    before = len(accesses(stack))
    reply = review(http, "POST", f"records/{record}/open", body, **who)
    assert reply.status == status, reply.text
    assert "canary" not in reply.text
    (evidence,) = accesses(stack)[before:]
    assert (evidence["kind"], evidence["fields"]["code"]) == ("abuse_access_refused", code)
    assert evidence["fields"]["record"] == record


def test_an_application_in_the_reviewers_role_is_refused_and_recorded(http: Http, stack: Stack, record: str) -> None:
    before = len(accesses(stack))
    token = http.token("operator", claims={"roles": ["Lethe.Reviewer"]})
    assert review(http, "POST", f"records/{record}/open", CASE, token=token).status == 403
    (evidence,) = accesses(stack)[before:]
    assert evidence["fields"]["code"] == "token_app_only"
    assert "person" not in evidence["fields"]


@pytest.mark.parametrize(("principal", "roles"), [("reviewer", []), ("reviewer", ["Lethe.Submit"]), ("operator", [])])
def test_whoever_has_a_good_token_and_no_role_is_refused_and_recorded(
    http: Http, stack: Stack, record: str, principal: str, roles: list[str]
) -> None:
    before = len(accesses(stack))
    token = http.token(principal, claims={"roles": roles})
    assert review(http, "POST", f"records/{record}/open", CASE, token=token).status == 403
    (evidence,) = accesses(stack)[before:]
    assert evidence["fields"]["code"] == "role_missing"
    assert ("person" in evidence["fields"]) == (principal == "reviewer")


def test_nobody_is_refused_without_a_record_so_that_nobody_fills_the_chain(http: Http, stack: Stack, record: str) -> None:
    before = len(accesses(stack))
    for token in ("nonsense", http.token("reviewer", alg="none")):
        assert review(http, "POST", f"records/{record}/open", CASE, token=token).status == 401
    assert len(accesses(stack)) == before


@pytest.mark.parametrize("path", ["records", "records/{record}", "records/{record}/open/all", "records/open"])
def test_there_is_no_other_way_to_a_record(http: Http, record: str, path: str) -> None:
    for method in ("GET", "POST"):
        assert review(http, method, path.format(record=record), CASE).status in {404, 405}


def test_each_app_has_its_own_routes_only(http: Http, stack: Stack, record: str) -> None:
    tokens = stack.endpoints["tokens"]
    assert http.call("POST", f"/v1/abuse/records/{record}/open", CASE, token=tokens["reviewer"]).status == 404
    assert http.call("GET", "/v1/abuse/alerts?tenant=contoso", token=tokens["reviewer"]).status == 404
    for path in ("/v1/generations", "/openai/v1/responses", "/v1/holds"):
        assert http.call("POST", f"{stack.endpoints['review']}{path}", {}).status == 404
    assert http.call("GET", f"{stack.endpoints['review']}/healthz", tenant=None).status == 200


def test_alerts_are_for_reviewers_and_are_resolved_once(http: Http, stack: Stack) -> None:
    made = put_alert(stack, "adatum", subject="user-9c1d")
    name = f"alr_{made['jobId']}"
    listed = review(http, "GET", "alerts?tenant=adatum&status=open")
    assert [each["id"] for each in listed.json["data"]] == [name]
    assert "user-9c1d" not in listed.text
    for who in ("adatum", "operator"):
        assert review(http, "GET", "alerts?tenant=adatum", tenant=who).status == 403
    assert review(http, "GET", "alerts").status == 400
    assert review(http, "GET", "alerts?tenant=adatum&status=closed").status == 400
    order = {"tenant": "adatum", "case_reference": "CASE-2", "resolution": "false_alarm"}
    assert review(http, "POST", f"alerts/{name}/resolve", {**order, "resolution": "maybe"}).status == 400
    assert review(http, "POST", f"alerts/{name}/resolve", order, tenant="adatum").status == 403
    assert review(http, "POST", f"alerts/{name}/resolve", order).json["resolution"] == "false_alarm"
    assert review(http, "POST", f"alerts/{name}/resolve", order).status == 409
    assert review(http, "GET", "alerts?tenant=adatum&status=open").json["data"] == []


def test_an_erased_record_is_not_found(http: Http) -> None:
    generation = http.submit(PROMPT, body={"model": "gpt-small", "input": PROMPT, "safety_identifier": "user-51af"})
    http.ended(generation)
    name = generation.replace("gen_", "abr_")
    assert review(http, "POST", f"records/{name}/open", CASE).status == 200
    assert http.call("POST", "/v1/subjects/erasures", {"safety_identifier": "user-51af"}).status == 202

    def erased() -> bool:
        return review(http, "POST", f"records/{name}/open", CASE).status == 404

    wait_for("the record to be erased", erased)


def test_with_the_vault_away_nothing_is_opened_and_afterwards_it_is(http: Http, stack: Stack, record: str) -> None:
    with stack.down("vault"):
        assert review(http, "POST", f"records/{record}/open", CASE).status == 503
    stack.kill("review")

    def opened() -> bool:
        return review(http, "POST", f"records/{record}/open", CASE).status == 200

    wait_for("the record to be opened", opened)


def test_what_was_read_is_in_no_file(stack: Stack, record: str, http: Http) -> None:
    assert review(http, "POST", f"records/{record}/open", CASE).status == 200
    wait_for("no message", lambda: not stack.peek("generation-requests"))
    assert scan("canary-7b41", stack.state) == []


def test_past_its_deadline_it_is_gone(http: Http, stack: Stack, record: str) -> None:
    stack.advance(22 * 86_400)

    def gone() -> bool:
        return review(http, "POST", f"records/{record}/open", CASE).status in {404, 410}

    wait_for("the record to be gone", gone)
