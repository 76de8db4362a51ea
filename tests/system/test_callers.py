"""Every route crossed with every kind of caller: who is let in, how a refusal is told, and what it does not repeat."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from shared.domain.principal import TENANT_ROLES
from tests.parts import ROOT
from tests.system.callers import FORBIDDEN, HOUR, STRANGER, UNAUTHENTICATED, Caller, read
from tests.system.http import Http, Reply, calling
from tests.system.routes import CANARY, HOLD, PUBLIC, ROUTES, Route, Thing, make
from tests.system.stack import running_stack, wait_for

LISTING = """
import json, function_app
functions = [function.get_dict_repr() for function in function_app.app.get_functions()]
triggers = [binding for each in functions for binding in each["bindings"] if binding["type"] == "httpTrigger"]
print(json.dumps([f"{getattr(m, 'value', m)} /{t['route']}" for t in triggers for m in t["methods"]]))
"""
REFUSALS = {403: "forbidden", 404: "not_found"}


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    with running_stack(tmp_path_factory.mktemp("callers")) as stack, calling(stack) as http:
        yield http


@pytest.fixture(scope="module")
def contosos(http: Http) -> dict[str | None, Thing]:
    """One thing of each kind, at which those who may not are sent."""
    return {kind: make(kind, http) for kind in (None, "generation", "response", "endpoint", "hold", "erasure")}


def forbidden(route: Route) -> dict[str, Caller]:
    """Who may not: those who run the service what is a tenant's, and tenants what is theirs who run it."""
    if route.by != "operator" and not route.is_of_both:
        return FORBIDDEN
    callers = {name: caller for name, caller in FORBIDDEN.items() if name != "operator"}
    return callers if route.is_of_both else callers | {"tenant": lambda http: http.token("contoso")}


REFUSED = [(route, name, caller) for route in ROUTES for name, caller in forbidden(route).items()]


def test_the_table_has_every_route_of_the_app(http: Http) -> None:
    values = json.loads((http.stack.state / "local.settings.json").read_text())["Values"]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", LISTING], cwd=ROOT, env={**os.environ, **values}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)) == sorted([*(route.name for route in ROUTES), *PUBLIC])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
@pytest.mark.parametrize("caller", UNAUTHENTICATED.values(), ids=UNAUTHENTICATED)
def test_who_is_not_known_is_told_only_that(
    http: Http, contosos: dict[str | None, Thing], route: Route, caller: Caller
) -> None:
    token = caller(http)
    reply = send(http, route, contosos[route.needs], token=token)
    check_refusal(reply, route, status=401, code="unauthenticated", token=token)
    assert reply.headers["www-authenticate"].startswith("Bearer")
    nowhere = send(http, route, Thing(id="gen_unknown", custom_id="unknown"), token=token)
    assert (nowhere.status, nowhere.text) == (reply.status, reply.text)


@pytest.mark.parametrize(
    ("route", "caller"),
    [(route, caller) for route, _, caller in REFUSED],
    ids=[f"{name}-{one.name}" for one, name, _ in REFUSED],
)
def test_who_may_not_is_told_only_that(http: Http, contosos: dict[str | None, Thing], route: Route, caller: Caller) -> None:
    token = caller(http)
    reply = send(http, route, contosos[route.needs], token=token)
    check_refusal(reply, route, status=403, code="forbidden", token=token)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_another_role_of_the_tenant_is_not_enough(http: Http, contosos: dict[str | None, Thing], route: Route) -> None:
    token = http.token("contoso", claims={"roles": [*TENANT_ROLES - {route.role}]})
    reply = send(http, route, contosos[route.needs], token=token)
    check_refusal(reply, route, status=403, code="forbidden", token=token)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_another_tenant_sees_nothing_of_contosos(http: Http, contosos: dict[str | None, Thing], route: Route) -> None:
    thing = contosos[route.needs]
    reply = send(http, route, thing, token=http.token("fabrikam"))
    if route.others in REFUSALS:
        check_refusal(reply, route, status=route.others, code=REFUSALS[route.others], token=None)
        return
    assert reply.status == route.others, reply.text
    assert not [other.id for other in contosos.values() if other.id and other.id in reply.text]


@pytest.mark.parametrize("route", [route for route in ROUTES if route.is_of_both], ids=lambda route: route.name)
def test_an_operator_sees_nothing_of_contosos_either(http: Http, contosos: dict[str | None, Thing], route: Route) -> None:
    thing = contosos[route.needs]
    reply = send(http, route, thing, token=http.token("operator"))
    if route.needs is None and route.method == "GET":
        assert (reply.status, reply.json["data"]) == (200, [])
    elif "event_type" in json.dumps(route.body):  # of a tenant's type, which is refused first
        assert (reply.status, reply.json["error"]["code"]) == (400, "event_types_invalid")
    else:
        check_refusal(reply, route, status=404, code="not_found", token=None)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_the_right_caller_gets_its_answer(http: Http, route: Route) -> None:
    reply = send(http, route, make(route.needs, http), token=http.token(route.by))
    assert reply.status == route.status, reply.text
    assert reply.headers["cache-control"] == "no-store"


def test_nothing_of_contosos_was_touched_by_those_who_may_not(http: Http, contosos: dict[str | None, Thing]) -> None:
    assert http.ended(contosos["generation"].id)["status"] == "completed"
    response, endpoint = (
        http.call("GET", path).json
        for path in (
            f"/openai/v1/responses/{contosos['response'].id}",
            f"/openai/v1/webhook_endpoints/{contosos['endpoint'].id}",
        )
    )
    hold = http.call("GET", f"/v1/holds/{contosos['hold'].id}", token=http.token("operator")).json
    assert response["status"] == "completed"
    assert (hold["status"], hold["ends_at"]) == ("active", HOLD["ends_at"])
    assert endpoint["updated_at"] == endpoint["created_at"]


@pytest.mark.parametrize("caller", [*UNAUTHENTICATED.values(), *FORBIDDEN.values()], ids=[*UNAUTHENTICATED, *FORBIDDEN])
def test_the_health_check_is_everybodys(http: Http, caller: Caller) -> None:
    assert http.call("GET", "/healthz", tenant=None, **authorization(caller(http))).status == 200


def test_the_log_has_the_reason_of_a_refusal_and_nothing_of_the_token(http: Http) -> None:
    token = UNAUTHENTICATED["wrong audience"](http)
    send(http, ROUTES[0], Thing(id=""), token=token)
    logs = http.stack.logs()
    assert token
    assert "audience_refused" in logs
    assert not [part for part in token.split(".") if part in logs]
    assert not [value for value in (read(token)["aud"], STRANGER, CANARY) if value in logs]


def test_a_rotated_key_counts_until_it_is_no_longer_published(http: Http) -> None:
    old = http.token("contoso", claims={"exp": far(http)})
    assert models(http, old) == 200
    rotate(http)
    fresh = http.token("contoso", claims={"exp": far(http)})
    assert kid_of(fresh) != kid_of(old)
    assert models(http, old) == 200
    http.stack.advance(31)  # two fetches of the keys are at least so far apart
    assert models(http, fresh) == 200
    rotate(http, retire=True)
    assert models(http, old) == 200  # the keys are kept for five minutes
    http.stack.advance(301)
    assert models(http, old) == 401
    assert models(http, fresh) == 200


def test_keys_outlive_the_issuer_for_a_day_and_then_the_answer_is_503(http: Http) -> None:
    token = http.token("contoso", claims={"exp": far(http)})
    unknown = UNAUTHENTICATED["unknown kid"](http)
    http.stack.advance(301)
    assert models(http, token) == 200
    with http.stack.down("issuer"):
        http.stack.advance(301)
        assert models(http, token) == 200
        undecided = send(http, ROUTES[0], Thing(id=""), token=unknown)
        check_refusal(undecided, ROUTES[0], status=503, code="service_unavailable", token=unknown)
        http.stack.advance(24 * HOUR - 400)
        assert models(http, token) == 200
        http.stack.advance(101)
        for route in (ROUTES[0], next(route for route in ROUTES if route.is_openais)):
            refused = send(http, route, Thing(id=""), token=token)
            check_refusal(refused, route, status=503, code="service_unavailable", token=token)
            assert int(refused.headers["retry-after"]) > 0
    wait_for("the token to count again", lambda: models(http, token) == 200)


def send(http: Http, route: Route, thing: Thing, *, token: str | None) -> Reply:
    """Send a route's good request about a thing."""
    body = None if route.body is None else json.loads(json.dumps(route.body).replace("{custom_id}", thing.custom_id))
    return http.call(route.method, route.path(thing.id), body, tenant=None, **authorization(token))


def authorization(token: str | None) -> dict[str, str]:
    return {} if token is None else {"token": token}


def check_refusal(reply: Reply, route: Route, *, status: int, code: str, token: str | None) -> None:
    """Check status, shape and silence of a refusal."""
    assert reply.status == status, reply.text
    told: dict[str, Any] = reply.json
    if route.is_openais:
        assert reply.headers["content-type"] == "application/json"
        assert told.keys() == {"error"}
        assert told["error"].keys() == {"message", "type", "param", "code"}
        assert told["error"]["code"] == code
    else:
        assert reply.headers["content-type"] == "application/problem+json"
        assert told.keys() == {"type", "title", "status", "detail", "code"}
        assert (told["status"], told["code"]) == (status, code)
    claims = [str(value) for value in read(token).values()] if token and token.count(".") == 2 else []
    said = f"{reply.text} {dict(reply.headers)}"
    assert not [value for value in (token, CANARY, *claims) if value and len(value) > 4 and value in said]


def models(http: Http, token: str) -> int:
    return http.call("GET", "/openai/v1/models", token=token).status


def rotate(http: Http, *, retire: bool = False) -> None:
    url = f"{http.stack.endpoints['issuer_control']}/rotate"
    assert http.client.post(url, json={"retire": retire}).status_code == 200


def far(http: Http) -> int:
    """An end beyond everything that happens here."""
    return int(read(http.token("contoso"))["iat"]) + 30 * 24 * HOUR


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])
