"""The HTTP edge: who is let in, which bodies are read, and how each error is told on each face."""

import json
import logging
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions import web
from functions.faces import Face
from shared import errors
from shared.callers import Caller, Callers
from shared.domain.policy import TenantPolicy
from shared.domain.principal import Role
from tests.policies import policy
from tests.tokens import AUDIENCE, CLIENT, DIRECTORY, Clock, JwksServer, jwks_server, new_key

KEY = new_key("current")
CANARY = "canary-7f3a91d2"
LIMIT = 200
POLICY = policy()


class Policies:
    """Knows one principal; one client is in two policies."""

    async def of_principal(self, *, directory: str, client_id: str) -> TenantPolicy | None:
        """Look up a principal."""
        if client_id == "twice":
            raise errors.Forbidden(errors.Denial.TENANT_AMBIGUOUS)
        return POLICY if (directory, client_id) == (DIRECTORY, CLIENT) else None


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[JwksServer]:
    async with jwks_server() as running:
        running.publish(KEY.jwk())
        yield running


@pytest.fixture(autouse=True)
def composition(server: JwksServer, monkeypatch: pytest.MonkeyPatch) -> None:
    callers = Callers(verifier=server.verifier(Clock()), policies=Policies())  # type: ignore[arg-type]
    monkeypatch.setattr(web, "composition", lambda: SimpleNamespace(callers=callers, max_request_bytes=LIMIT))


def request(headers: Mapping[str, str] | None = None, body: bytes = b"{}") -> func.HttpRequest:
    return func.HttpRequest("POST", "http://127.0.0.1/v1/generations", headers=headers, body=body)


def told(response: func.HttpResponse) -> Any:  # noqa: ANN401
    return json.loads(response.get_body())


async def whoami(_: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    return web.json_response({"tenant": caller.tenant_for(Role.SUBMIT, Role.PRIVACY).tenant_id})


async def ask(server: JwksServer, **claims: object) -> func.HttpResponse:
    asked = request({"Authorization": "Bearer " + server.token(KEY, **claims)})
    return await web.answer(asked, Face.LETHE, whoami, roles={Role.SUBMIT, Role.PRIVACY})


async def fail(error: Exception, face: Face) -> func.HttpResponse:
    async def failing(_: func.HttpRequest) -> func.HttpResponse:
        raise error

    return await web.answer_anybody(request(), face, failing)


@pytest.mark.parametrize("roles", [["Lethe.Submit"], ["Lethe.Privacy"], ["Lethe.Operator", "Lethe.Submit"]])
async def test_a_caller_with_a_role_acts_for_its_tenant(server: JwksServer, roles: list[str]) -> None:
    response = await ask(server, roles=roles)

    assert (response.status_code, told(response)) == (200, {"tenant": "contoso"})
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": ["Lethe.Operator"]},
        {"roles": ["Lethe.Reviewer"]},
        {"roles": ["Lethe.Reviewer"], "oid": "a-person", "sub": "pairwise", "scp": "Review"},
        {"roles": []},
        {"azp": "stranger"},
        {"azp": "twice"},
    ],
)
async def test_a_caller_without_the_role_or_without_one_tenant_is_forbidden(
    server: JwksServer, claims: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lethe")
    response = await ask(server, **claims)

    assert (response.status_code, told(response)["code"]) == (403, "forbidden")
    assert json.loads(caplog.messages[-1])["event"] == "caller_refused"


async def test_a_role_opens_its_own_routes_only(server: JwksServer, caplog: pytest.LogCaptureFixture) -> None:
    async def reached(_: func.HttpRequest, caller: Caller) -> func.HttpResponse:
        caller.tenant_for(Role.SUBMIT)
        return web.empty_response()

    caplog.set_level(logging.INFO, "lethe")
    asked = request({"Authorization": "Bearer " + server.token(KEY, roles=["Lethe.Submit"])})
    for roles, status in (({Role.SUBMIT}, 204), ({Role.OPERATOR}, 403), ({Role.PRIVACY}, 403), (set[Role](), 403)):
        assert (await web.answer(asked, Face.LETHE, reached, roles=roles)).status_code == status
    assert json.loads(caplog.messages[-1])["code"] == "role_missing"


async def test_an_operator_needs_no_tenant(server: JwksServer) -> None:
    async def count(_: func.HttpRequest, caller: Caller) -> func.HttpResponse:
        assert caller.tenant is None
        return web.empty_response()

    asked = request({"Authorization": "Bearer " + server.token(KEY, azp="anyone", roles=["Lethe.Operator"])})
    assert (await web.answer(asked, Face.LETHE, count, roles={Role.OPERATOR})).status_code == 204


@pytest.mark.parametrize("face", Face)
@pytest.mark.parametrize("header", [{}, {"authorization": f"Bearer {CANARY}"}, {"authorization": f"Basic {CANARY}"}])
async def test_who_brings_no_valid_token_learns_nothing_more(
    face: Face, header: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    response = await web.answer(request(header), face, whoami, roles=frozenset(Role))

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert b"A valid bearer token is required." in response.get_body()
    assert b"malformed" not in response.get_body()
    assert CANARY not in response.get_body().decode() + str(response.headers) + caplog.text
    assert json.loads(caplog.messages[-1])["code"] in {"credentials_missing", "credentials_malformed"}


async def test_no_claim_is_in_an_answer_or_a_log_line(server: JwksServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    changes: list[dict[str, object]] = [
        {"aud": CANARY}, {"iss": CANARY}, {"azp": CANARY}, {"roles": [CANARY]}, {"tid": CANARY}, {"exp": CANARY},
        {"header": {"kid": CANARY}}, {"header": {"crit": [CANARY]}},
    ]  # fmt: skip
    for change in changes:
        response = await ask(server, **change)
        assert response.status_code in {401, 403}
        assert CANARY not in response.get_body().decode() + str(response.headers) + caplog.text
        assert AUDIENCE not in response.get_body().decode() + caplog.text


async def test_an_issuer_that_is_away_is_a_matter_of_time(server: JwksServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "status", 500)
    response = await ask(server)

    assert (response.status_code, told(response)["code"]) == (503, "service_unavailable")
    assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_read(content_type: str) -> None:
    assert web.read_json(request({"Content-Type": content_type}, b'{"a": 1}')) == {"a": 1}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/jsonp"},
     {"Content-Type": "application/json", "Content-Encoding": "gzip"}],
)  # fmt: skip
def test_another_content_type_is_not(headers: dict[str, str]) -> None:
    with pytest.raises(errors.UnsupportedMediaType):
        web.read_json(request(headers))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", errors.Reason.EMPTY),
        (b"[]", errors.Reason.INVALID_TYPE),
        (b'{"a": 1, "a": 2}', errors.Reason.DUPLICATE_KEY),
        (b'{"a": "' + b"x" * LIMIT + b'"}', errors.Reason.REQUEST_TOO_LARGE),
        (b" " * (LIMIT + 1), errors.Reason.REQUEST_TOO_LARGE),
    ],
)
def test_a_body_is_strict_and_bounded(body: bytes, reason: errors.Reason) -> None:
    with pytest.raises(errors.RequestRefused) as refused:
        web.read_json(request({"Content-Type": "application/json"}, body))

    assert refused.value.reason is reason


REFUSED = errors.RequestRefused(errors.Reason.MISSING_FIELD, "body.model")
TOLD: list[tuple[Exception, int, str, str]] = [
    (REFUSED, 400, "missing_field", "invalid_request_error"),
    (errors.RequestRefused(errors.Reason.CONFLICT, "custom_id"), 409, "conflict", "invalid_request_error"),
    (errors.RequestRefused(errors.Reason.REQUEST_TOO_LARGE, "message"), 413, "request_too_large", "invalid_request_error"),
    (errors.RequestRefused(errors.Reason.WRONG_GEOGRAPHY, "tenant"), 403, "wrong_geography", "permission_error"),
    (errors.RequestRefused(errors.Reason.RESIDENCY_FORBIDDEN, "body.model"), 403, "residency_forbidden", "permission_error"),
    (errors.RequestRefused(errors.Reason.GROUNDING_FORBIDDEN, "grounding"), 403, "grounding_forbidden", "permission_error"),
    (
        errors.RequestRefused(errors.Reason.OUTPUT_LIMIT, "body.max_tokens"),
        400,
        "output_limit_exceeded",
        "invalid_request_error",
    ),
    (errors.MessageTooLarge(), 413, "request_too_large", "invalid_request_error"),
    (errors.Forbidden(errors.Denial.ROLE), 403, "forbidden", "permission_error"),
    (errors.NotFound(), 404, "not_found", "invalid_request_error"),
    (errors.UnknownEndpoint(), 404, "not_found", "invalid_request_error"),
    (errors.Conflict(), 409, "conflict", "invalid_request_error"),
    (errors.Gone(), 410, "gone", "invalid_request_error"),
    (errors.UnsupportedMediaType(), 415, "unsupported_media_type", "invalid_request_error"),
    (errors.WebhookRefused(errors.Refusal.URL_SCHEME), 400, "url_scheme", "invalid_request_error"),
    (errors.StoreUnavailable(), 503, "service_unavailable", "server_error"),
    (errors.IdentityUnavailable(), 503, "service_unavailable", "server_error"),
    (errors.LeaseLost(), 500, "internal_error", "server_error"),
    (errors.InvalidSettings(CANARY, CANARY), 500, "internal_error", "server_error"),
    (ValueError(CANARY), 500, "internal_error", "server_error"),
    (KeyError(CANARY), 500, "internal_error", "server_error"),
]


@pytest.mark.parametrize(("error", "status", "code", "kind"), TOLD, ids=[f"{type(row[0]).__name__} {row[2]}" for row in TOLD])
async def test_an_error_is_told_in_the_words_of_each_face(
    error: Exception, status: int, code: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lethe, openai = await fail(error, Face.LETHE), await fail(error, Face.OPENAI)

    assert (lethe.status_code, lethe.mimetype) == (status, "application/problem+json")
    problem = told(lethe)
    assert (problem["type"], problem["status"], problem["code"]) == ("about:blank", status, code)
    assert problem.get("field") == getattr(error, "field", None)
    assert (openai.status_code, openai.mimetype) == (status, "application/json")
    shape = told(openai)["error"]
    assert (shape["type"], shape["code"], shape["message"]) == (kind, code, problem["detail"])
    assert set(shape) == {"message", "type", "param", "code"}
    for response in (lethe, openai):
        assert (response.headers.get("x-should-retry") == "false") is (status == 409)
        assert ("Retry-After" in response.headers) is (status == 503)
        assert CANARY not in response.get_body().decode() + caplog.text


async def test_too_many_requests_are_told_when_to_come_again_and_that_they_may() -> None:
    lethe, openai = [await fail(errors.TooManyRequests(2.4), face) for face in (Face.LETHE, Face.OPENAI)]
    assert (told(lethe)["code"], told(openai)["error"]["code"]) == ("rate_limit_exceeded", "rate_limit_exceeded")
    assert told(openai)["error"]["type"] == "rate_limit_error"
    for response in (lethe, openai):
        assert (response.status_code, response.headers["Retry-After"]) == (429, "3")
        assert "x-should-retry" not in response.headers


async def test_openai_clients_are_told_the_parameter_by_its_own_name() -> None:
    assert told(await fail(REFUSED, Face.OPENAI))["error"]["param"] == "model"
    whole = errors.RequestRefused(errors.Reason.EMPTY, "message")
    assert told(await fail(whole, Face.OPENAI))["error"]["param"] is None
