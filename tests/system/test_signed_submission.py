"""Signed submission on a whole stack: only what the tenant's secret signed runs, once, and what is refused tells nothing."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import pytest

from shared.domain.signing import new_secret
from shared.domain.submission import verify
from tests.privacy.exact import Exact
from tests.privacy.scan import scan
from tests.system.faults import count_from_now, item_requests
from tests.system.http import calling, line
from tests.system.jobs import wait_until_all_wait, wait_until_drained
from tests.system.signing import CLIENT_ID, SECRETS, Refused, Signer, Tenant, examples, signer
from tests.system.stack import Stack, running_stack, wait_for

NEVER = "0 0 0 1 1 *"
HOUR, DAY = 3600, 86_400
LATE = 301


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The timer stays silent, because its requests would be counted."""
    folder = tmp_path_factory.mktemp("stack")
    with (
        running_stack(folder, LETHE_RETENTION_SCHEDULE=NEVER) as started,
        started.keeping_connections() as running,
    ):
        yield running


@pytest.fixture(scope="module")
def tailspin(stack: Stack) -> Signer:
    return signer(stack, "tailspin")


@pytest.fixture(scope="module")
def northwind(stack: Stack) -> Signer:
    return signer(stack, "northwind", principals=[])


def test_what_the_document_sends_runs(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First, because the document signs with the machine's clock, which later tests leave behind."""
    contoso = Tenant(stack=stack, name="contoso")
    policies = stack.store.container("policies")
    policies.upsert_item(policies.read_item("policy", "contoso") | {"queue_submission": "signed"})
    monkeypatch.setenv("LETHE_SUBMISSION_SECRET", contoso.rotate())
    (tmp_path / ".local").symlink_to(stack.state)
    with chdir(tmp_path):
        exec("\n".join(examples("python")), {})  # noqa: S102 - it is our own document
    [output] = wait_for("the answer", lambda: stack.outputs("contoso"))
    assert output["custom_id"] == "order-17"


def test_what_the_document_signs_in_javascript_is_valid() -> None:
    [module] = examples("js")
    secret, body = new_secret(), '{"tenant": "contoso", "name": "é"}'
    program = module + f"console.log(JSON.stringify(sign({json.dumps(body)}, {json.dumps(secret)})))"
    done = subprocess.run(["node", "--input-type=module", "-e", program], capture_output=True, check=True)  # noqa: S603, S607
    now = datetime.now(UTC).timestamp()
    verify(body.encode(), json.loads(done.stdout), signing_secrets=[secret], enqueued_at=now)


def test_a_signed_job_costs_two_item_requests_no_query_and_no_reading_of_secrets(stack: Stack, tailspin: Signer) -> None:
    tenant, secret = tailspin
    tenant.send_signed(tenant.job("warm"), secret)
    assert tenant.answer("warm") == "warm"
    wait_until_drained(stack)
    count_from_now(stack)
    tenant.send_signed(tenant.job("counted"), secret)
    wait_until_drained(stack)
    assert (item_requests(stack), item_requests(stack, "policies")) == ({"create": 1, "batch": 1}, {})
    assert tenant.answer("counted") == "counted"


def test_only_what_the_tenants_secret_signed_for_now_runs(stack: Stack, tailspin: Signer, northwind: Signer) -> None:
    tenant, secret = tailspin
    others = tenant.job("others")
    signed = [
        (name, reason, tenant.job(f"{name} message"))
        for name, reason in {
            "unsigned": "signature_missing",
            "half": "signature_missing",
            "disguised": "signature_missing",
            "forged": "signature_invalid",
            "foreign": "signature_invalid",
            "misplaced": "signature_invalid",
            "renamed": "signature_invalid",
            "redated": "signature_invalid",
            "late": "signature_late",
            "early": "signature_late",
            "old": "signature_late",
        }.items()
    ]
    before = stack.receipts("tailspin")
    for name, _, envelope in signed:
        good, late = tenant.signed(envelope, secret), tenant.signed(envelope, secret, after=-LATE)
        sent = {
            "unsigned": None,
            "disguised": None,
            "half": {key: value for key, value in good.items() if key != "webhook-id"},
            "forged": tenant.signed(envelope, new_secret()),
            "foreign": tenant.signed(envelope, northwind.secret),
            "misplaced": tenant.signed(others, secret),
            "renamed": good | {"webhook-id": "msg_1"},
            "redated": good | {"webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)},
            "late": late,
            "early": tenant.signed(envelope, secret, after=LATE + 10),
            "old": late | {"lethe-admitted-at": float(late["webhook-timestamp"])},
        }
        message_id = "redelivery.7" if name == "disguised" else None
        tenant.send(envelope, sent[name], reply_to="contoso-replies", message_id=message_id)
    for name, reason, envelope in signed:
        field = "webhook-timestamp" if reason == "signature_late" else "webhook-signature"
        [refused] = tenant.refusals(envelope)
        assert (name, refused) == (name, Refused(reason=reason, field=field, lives=HOUR, properties={"reason", "field"}))
        assert stack.model_calls(f"{name} message") == 0
    assert stack.receipts("tailspin") == before
    assert stack.peek("contoso-replies") == []


def test_who_signs_an_invalid_request_is_told_and_who_does_not_is_not(stack: Stack, tailspin: Signer) -> None:
    tenant, secret = tailspin
    signed, unsigned = (tenant.job(batch) | {"url": "/v1/other"} for batch in ("invalid", "invalid-unsigned"))
    tenant.send(unsigned, reply_to="contoso-replies")
    tenant.send_signed(signed, secret, reply_to="contoso-replies")
    found = [(one.reason, one.lives) for envelope in (signed, unsigned) for one in tenant.refusals(envelope)]
    assert found == [("unsupported_value", DAY), ("unsupported_value", HOUR)]
    assert len(wait_for("a reply", lambda: stack.peek("contoso-replies"))) == 1


def test_over_http_the_tenant_needs_no_signature(stack: Stack, tailspin: Signer) -> None:
    prompts = {"by http": "by http", "postponed by http": "[[status:429:2:400]] postponed by http"}
    with calling(stack) as http:
        token = http.token("contoso", claims={"azp": CLIENT_ID})
        for prompt in prompts.values():
            reply = http.call("POST", "/v1/generations", line(prompt, batch=prompt), token=token)
            assert reply.status == 202, reply.text
    wait_until_all_wait(stack, 1)
    stack.advance(401)
    assert {answer: tailspin.tenant.answer(prompt) for answer, prompt in prompts.items()} == {name: name for name in prompts}


def test_neither_secrets_nor_signatures_nor_refused_bodies_are_in_any_log(stack: Stack, tailspin: Signer) -> None:
    tenant, secret = tailspin
    canary = f"canary{token_hex(8)}"
    accepted, refused = tenant.job("kept-quiet"), tenant.job("refused-quietly", canary)
    good, forged = tenant.signed(accepted, secret), tenant.signed(refused, new_secret())
    tenant.send(refused, forged)
    tenant.send(accepted, good)
    tenant.refusals(refused)
    tenant.answer("kept-quiet")
    wait_until_drained(stack)
    known = {
        "secret": secret.removeprefix("whsec_"),
        "bytes of the secret": base64.b64decode(secret.removeprefix("whsec_")),
        "signature": good["webhook-signature"].removeprefix("v1,"),
        "forged signature": forged["webhook-signature"].removeprefix("v1,"),
    }
    found = {(finding.label, Path(finding.where).name) for finding in scan(Exact(known), stack.state)}
    assert found == {("secret", SECRETS), ("bytes of the secret", SECRETS)}
    assert {Path(finding.where).name for finding in scan(canary, stack.state)} == {"broker.sqlite"}
