"""The canary suite over HTTP: content, keys, tokens and webhook secrets, on success and on every failure.

What may be found where is stated per canary; the same scan has to find the allowed ones before the deadline, or its silence
afterwards would prove nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.privacy.flock import Flock
from tests.privacy.scan import Finding, scan, scan_bytes
from tests.system.faults import down
from tests.system.http import Http, Reply, calling, received
from tests.system.stack import Stack, running_stack, wait_for

DAY = 86_400
KEPT = frozenset({"completion", "custom_id", "batch", "metadata"})
"""Places of a request that its output document keeps, until the deadline."""


@dataclass(kw_only=True)
class Run:
    """The stack, the canaries planted so far, and what a caller was answered."""

    stack: Stack
    http: Http
    flock: Flock = field(default_factory=Flock)
    errors: dict[str, Reply] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def request(self, path: str, *, directive: str = "") -> dict[str, object]:
        """A request with a canary in each of its places; the last words of the prompt come back as the completion."""
        plant = self.flock.plant
        prompt = (
            f"{directive} {plant(path, 'prompt')} and many other words to make the end of it short: one two three four five six"
        )
        return {
            "custom_id": plant(path, "custom_id"),
            "batch": plant(path, "batch"),
            "url": "/v1/responses",
            "grounding": [{"id": plant(path, "document id"), "content": plant(path, "document")}],
            "body": {
                "model": "gpt-small",
                "input": f"{prompt} {plant(path, 'completion')}",
                "instructions": plant(path, "instructions"),
                "metadata": {"label": plant(path, "metadata")},
                "safety_identifier": plant(path, "subject"),
            },
        }

    def refused(self, path: str, reply: Reply, *statuses: int) -> None:
        """Remember an error that had to come; what it says is searched later."""
        assert reply.status in statuses, f"{path}: {reply.status}"
        self.errors[path] = reply

    def find(self, *below: str) -> list[Finding]:
        """Every canary in every file of the stack, less files whose names begin as given."""
        return [found for found in scan(self.flock, self.stack.state) if not Path(found.where).name.startswith(below)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with running_stack(tmp_path_factory.mktemp("stack"), LETHE_GRACE_SECONDS="900") as stack, calling(stack) as http:
        begun = Run(stack=stack, http=http)
        _succeed(begun)
        _fail(begun)
        _show_refused_tokens(begun)
        yield begun


def _succeed(run: Run) -> None:
    for path, directive in (
        ("answered", ""),
        ("prompt blocked", "[[block:violence]]"),
        ("completion blocked", "[[block-completion:hate]]"),
        ("error quotes the prompt", "[[echo-error]]"),
        ("broken answer", "[[truncate]]"),
    ):
        request = run.request(path, directive=directive)
        reply = run.http.call("POST", "/v1/generations", request)
        assert reply.status == 202, path
        run.http.ended(reply.json["id"])
        key = {"custom_id": request["custom_id"], "batch": request["batch"]}
        assert run.http.call("POST", "/v1/generations/lookup", key).json["id"] == reply.json["id"]
    body = {**_body(run.request("OpenAI's face")), "background": True}
    created = run.http.call("POST", "/openai/v1/responses", body, idempotency_key=run.flock.plant("OpenAI's face", "custom_id"))
    run.http.ended(created.json["id"].replace("resp_", "gen_"))
    for path, method, suffix in (("cancelled", "POST", "/cancel"), ("deleted", "DELETE", "")):
        slow = {**_body(run.request(path, directive="[[delay:1500]]")), "background": True}
        response = run.http.call("POST", "/openai/v1/responses", slow).json["id"]
        assert run.http.call(method, f"/openai/v1/responses/{response}{suffix}").status == 200


def _fail(run: Run) -> None:
    plant, call = run.flock.plant, run.http.call
    first = run.request("conflict")
    assert call("POST", "/v1/generations", first).status == 202
    run.refused("conflict", call("POST", "/v1/generations", {**first, "expires_after": 77}), 409)
    for path, change in (
        ("unknown field", {plant("unknown field", "field name"): plant("unknown field", "field value")}),
        ("unknown url", {"url": plant("unknown url", "url")}),
        ("wrong type", {"expires_after": plant("wrong type", "value")}),
        ("unknown model", {"body": {"model": plant("unknown model", "model"), "input": "Hello"}}),
        ("streaming", {"body": {"model": "gpt-small", "input": plant("streaming", "input"), "stream": True}}),
        ("remote image", {"body": {"model": "gpt-small", "input": _image(plant("remote image", "url"))}}),
    ):
        run.refused(path, call("POST", "/v1/generations", {**run.request(path), **change}), 400)
    run.refused("no JSON", call("POST", "/v1/generations", content=f"{{{plant('no JSON', 'text')}".encode()), 400)
    huge = json.dumps(run.request("too large") | {"padding": "x" * 250_000}).encode()
    run.refused("too large", call("POST", "/v1/generations", content=huge), 413)
    run.refused("lookup of nothing", call("POST", "/v1/generations/lookup", {"custom_id": plant("lookup", "custom_id")}), 404)
    foreground = _body(run.request("foreground"))
    run.refused("foreground", call("POST", "/openai/v1/responses", foreground), 400)
    with down(run.stack, "cosmos"):
        run.refused("store away", call("POST", "/v1/generations", run.request("store away")), 503)
    with down(run.stack, "broker"):
        run.refused("queue away", call("POST", "/v1/generations", run.request("queue away")), 503)


def _show_refused_tokens(run: Run) -> None:
    plant, token = run.flock.plant, run.http.token
    run.tokens = {
        "alg none": token("contoso", alg="none", claims={"name": plant("alg none", "claim")}),
        "wrong audience": token("contoso", claims={"aud": plant("wrong audience", "claim")}),
        "unknown kid": token("contoso", kid=plant("unknown kid", "header")),
        "unknown role": token("contoso", claims={"roles": [plant("unknown role", "claim")], "upn": plant("upn", "claim")}),
        "delegated": token("contoso", claims={"scp": plant("delegated", "claim")}),
    }
    for path, shown in run.tokens.items():
        for face in ("/v1/generations", "/openai/v1/responses"):
            run.refused(f"{path} {face}", run.http.call("POST", face, run.request(path), token=shown), 401, 403)
    garbage = plant("garbage token", "header")
    run.refused("garbage token", run.http.call("GET", "/openai/v1/models", token=garbage), 401)


def _body(request: dict[str, object]) -> dict[str, object]:
    body = request["body"]
    assert isinstance(body, dict)
    return body


def _image(url: str) -> list[dict[str, object]]:
    part = {"type": "input_image", "image_url": f"https://example.com/{url}", "detail": "auto"}
    return [{"role": "user", "content": [part]}]


def test_a_caller_is_never_told_what_it_sent(run: Run) -> None:
    told = {path: (reply.text + json.dumps(dict(reply.headers))).encode() for path, reply in run.errors.items()}
    assert scan_bytes(run.flock, **told) == []


def test_before_the_deadline_content_is_in_the_store_and_in_no_other_file(run: Run) -> None:
    run.http.stack.advance(60)  # copies that wait for a lease come back, and what was sent again ends
    wait_for("quiet queues", lambda: not run.stack.peek("generation-requests"), seconds=60)

    def elsewhere() -> list[Finding]:
        return run.find("cosmos.sqlite")

    wait_for("content to be in the store only", lambda: not elsewhere(), seconds=20)
    found = {found.label for found in scan(run.flock, run.stack.state / "cosmos.sqlite")}
    for place in ("completion", "custom_id", "batch", "metadata"):
        assert f"{place} of 'answered'" in found
    assert {label.partition(" of ")[0] for label in found} <= KEPT
    assert not [label for label in found if label.endswith(("'deleted'", "'unknown field'", "'store away'"))]


def test_the_host_logs_urls_as_the_real_one_does_and_no_canary_needs_to_be_in_one(run: Run) -> None:
    control = "control-in-a-query-string"
    run.http.call("GET", f"/v1/generations/gen_{'0' * 40}?probe={control}")
    wait_for("the URL in the host's log", lambda: control in run.stack.logs())
    assert scan(run.flock, run.stack.state / "logs") == []


def test_tokens_are_in_no_file_but_those_that_hand_them_out(run: Run) -> None:
    valid = run.stack.endpoints["tokens"]["contoso"]
    assert scan(valid, run.stack.state / "endpoints.json")
    for name, token in {"contoso": valid, **run.tokens}.items():
        for part in [piece for piece in token.split(".") if len(piece) > 40][-2:]:
            files = {Path(found.where).name for found in scan(part, run.stack.state)}
            assert files <= {"endpoints.json"}, name


def test_a_webhook_secret_is_shown_once_and_lies_in_the_key_store_only(run: Run) -> None:
    name, path = run.flock.plant("webhook", "name"), run.flock.plant("webhook", "path")
    url = f"{run.stack.endpoints['webhook_receiver']}/hooks/{path}"
    endpoints = "/openai/v1/webhook_endpoints"
    wanted = {"name": name, "url": url, "event_types": ["response.completed"]}
    made = run.http.call("POST", endpoints, wanted).json
    rotated = run.http.call(
        "POST", f"{endpoints}/{made['id']}/rotate_secret", {"keep_old_secret_active_for_24_hours": True}
    ).json
    secrets = [made["signing_secret"].removeprefix("whsec_"), rotated["signing_secret"].removeprefix("whsec_")]
    generation = run.http.submit("tell the endpoint")
    run.http.ended(generation)
    posted = wait_for("the webhook", lambda: received(run.stack, lambda event: event["data"]["id"].endswith(generation[4:])))
    signatures = [signature[3:] for signature in posted[0]["headers"]["webhook-signature"].split(" ")]
    assert len(signatures) == 2
    assert scan_bytes(run.flock, body=posted[0]["body"].encode()) == []
    shown = json.dumps([run.http.call("GET", endpoints).json, run.http.call("GET", f"{endpoints}/{made['id']}").json])
    assert not [secret for secret in secrets if secret in shown]
    for secret in secrets:
        assert {Path(found.where).name for found in scan(secret, run.stack.state)} == {"keys-webhooks.json"}
    assert (run.stack.state / "keys-webhooks.json").stat().st_mode & 0o777 == 0o600
    assert not [found for signature in signatures for found in scan(signature, run.stack.state)]
    assert run.find("cosmos.sqlite") == []  # name and URL of an endpoint are configuration: in its document only
    assert run.http.call("DELETE", f"{endpoints}/{made['id']}").status == 200
    assert not [found for secret in secrets for found in scan(secret, run.stack.state)]


def test_after_the_deadline_no_file_has_any_of_it(run: Run) -> None:
    assert scan(run.flock, run.stack.state)
    run.stack.advance(DAY + 3600)
    wait_for("everything to be forgotten", lambda: not scan(run.flock, run.stack.state), seconds=60)
