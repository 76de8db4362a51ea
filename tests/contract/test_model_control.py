"""What the model refuses, what its control URL can do, and that it keeps no prompt."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, InternalServerError

from tests.contract.model import Model, serving
from tests.parts import running

BEARER = {"Authorization": "Bearer token"}


async def respond(client: AsyncOpenAI, prompt: str, **more: Any) -> Any:  # noqa: ANN401
    return await client.responses.create(**{"model": "gpt-small-eu", "input": prompt, "store": False, **more})


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"extra_body": {"surprise": 1}}, 400, "unknown_parameter"),
        ({"extra_body": {"moderation": {}}}, 400, "unknown_parameter"),
        ({"extra_body": {"stream": True}}, 400, "not_simulated"),
        ({"background": True}, 400, "not_simulated"),
        ({"previous_response_id": "resp_1"}, 400, "not_simulated"),
        ({"tools": [{"type": "web_search"}]}, 400, "not_simulated"),
        ({"input": ""}, 400, "missing_required_parameter"),
        ({"input": {"role": "user"}}, 400, "invalid_type"),
        ({"model": ""}, 400, "missing_required_parameter"),
        ({"model": "gpt-unknown"}, 404, "DeploymentNotFound"),
    ],
)
async def test_a_response_that_azure_would_not_give_is_refused(
    client: AsyncOpenAI, more: dict[str, Any], status: int, code: str
) -> None:
    with pytest.raises(APIStatusError) as caught:
        await respond(client, "secret words", **more)

    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert "secret words" not in str(caught.value)


@pytest.mark.parametrize("path", ["chat/completions", "embeddings", "responses"])
def test_a_request_without_model_or_prompt_is_refused(model: Model, path: str) -> None:
    for content in (b"{}", b'{"model": "gpt-small-eu"}', b"not JSON", b"[]", b""):
        assert model.post(f"/openai/v1/{path}", content, BEARER).status_code == 400
    assert model.post(f"/openai/v1/{path}", b'{"model": ' + b"[" * 200_000, BEARER).status_code == 400


async def test_several_choices_are_refused(client: AsyncOpenAI) -> None:
    with pytest.raises(APIStatusError) as caught:
        await client.chat.completions.create(model="gpt-small-eu", messages=[{"role": "user", "content": "x"}], n=2)

    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "Unauthorized"),
        ({"Authorization": "Bearer"}, "Unauthorized"),
        ({"Authorization": "Basic eDp5"}, "Unauthorized"),
        ({"api-key": "key"}, "AuthenticationTypeDisabled"),
        ({"api-key": "key", "Authorization": "Bearer token"}, "AuthenticationTypeDisabled"),
    ],
)
def test_only_a_bearer_token_gets_in(model: Model, headers: dict[str, str], code: str) -> None:
    answer = model.post("/openai/v1/responses", b'{"model": "gpt-small-eu", "input": "x"}', headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


def test_what_a_stateless_client_never_calls_is_refused_and_remembered(model: Model) -> None:
    assert model.post("/openai/v1/files", b"", BEARER).status_code == 404

    calls = model.calls()
    assert calls["total"] == 0
    assert [(one["method"], one["path"]) for one in calls["requests"]] == [("POST", "/openai/v1/files")]


async def test_faults_strike_before_directives_and_end(model: Model, client: AsyncOpenAI) -> None:
    model.fault(status=500, count=2, retry_after=5)

    for _ in range(2):
        with pytest.raises(InternalServerError) as caught:
            await respond(client, "hello [[status:429:1]]")
        assert caught.value.response.headers["Retry-After"] == "5"
    with pytest.raises(APIStatusError) as directed:
        await respond(client, "hello [[status:429:1]]")
    assert directed.value.status_code == 429
    assert (await respond(client, "hello [[status:429:1]]")).output_text == "hello"


async def test_a_fault_without_a_count_stays_until_it_is_cleared(model: Model, client: AsyncOpenAI) -> None:
    model.fault(status=503)
    for _ in range(3):
        with pytest.raises(InternalServerError):
            await respond(client, "hello")

    model.reset()

    assert (await respond(client, "hello")).output_text == "hello"


async def test_a_fault_may_be_of_one_deployment(model: Model, client: AsyncOpenAI) -> None:
    model.fault(status=503, deployment="gpt-small-eu")

    with pytest.raises(InternalServerError):
        await respond(client, "hello")
    assert (await respond(client, "hello", model="gpt-small-eu-2")).output_text == "hello"


async def test_a_dropped_connection_is_a_connection_error(model: Model, client: AsyncOpenAI) -> None:
    model.fault(drop=True, count=1)

    with pytest.raises(APIConnectionError):
        await respond(client, "hello")
    assert (await respond(client, "hello")).output_text == "hello"


async def test_a_delay_and_a_status_add_up(model: Model, client: AsyncOpenAI) -> None:
    model.fault(delay_ms=300)
    model.fault(status=503, count=1)

    began = time.monotonic()
    with pytest.raises(InternalServerError):
        await respond(client, "hello")
    assert time.monotonic() - began >= 0.3
    assert (await respond(client, "hello")).output_text == "hello"


@pytest.mark.parametrize("content", [b"{}", b'{"count": 1}', b'{"statuss": 500}', b'{"status": "many"}', b"?"])
def test_a_fault_that_means_nothing_is_refused(model: Model, content: bytes) -> None:
    assert model.post("/_control/faults", content).status_code == 400


async def test_calls_are_counted_by_deployment_and_by_prompt(model: Model, client: AsyncOpenAI) -> None:
    for deployment in ("gpt-small-eu", "gpt-small-eu", "gpt-small-eu-2"):
        await respond(client, "hello wörld", model=deployment)

    calls = model.calls()
    assert calls["total"] == 3
    assert calls["by_deployment"] == {"gpt-small-eu": 2, "gpt-small-eu-2": 1}
    assert calls["by_prompt"] == {hashlib.sha256("hello wörld".encode()).hexdigest(): 3}


async def test_requests_are_remembered_by_names_only(model: Model, client: AsyncOpenAI) -> None:
    await respond(client, "secret words", safety_identifier="mac-1", metadata={"k": "hidden value"})

    calls = model.calls()
    (request,) = calls["requests"]
    assert (request["path"], request["store"]) == ("/openai/v1/responses", False)
    assert request["fields"] == ["input", "metadata", "model", "safety_identifier", "store"]
    assert (request["user"], request["safety_identifier"]) == (None, "mac-1")
    assert "authorization" in request["headers"]
    assert not any(secret in str(calls) for secret in ("secret words", "hidden value", "Bearer"))


async def test_a_reset_forgets_calls_and_the_failures_already_answered(model: Model, client: AsyncOpenAI) -> None:
    for _ in range(2):
        with pytest.raises(APIStatusError):
            await respond(client, "hello [[status:429:1]]")
        model.reset()

    assert model.calls() == {"total": 0, "by_deployment": {}, "by_prompt": {}, "most_at_once": {}, "requests": []}


async def test_the_journal_tells_how_many_calls_of_a_deployment_there_were_at_once(model: Model, client: AsyncOpenAI) -> None:
    await asyncio.gather(*(respond(client, f"hello {number} [[delay:300]]") for number in range(3)))
    await respond(client, "hello again")
    assert model.calls()["most_at_once"] == {"gpt-small-eu": 3}


async def test_no_prompt_reaches_the_disk_or_a_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path) as model:
        async with model.client() as client:
            assert (await respond(client, "canary-4711")).output_text == "canary-4711"
            for directive in ("block:hate", "echo-error", "status:500", "truncate"):
                with pytest.raises((APIStatusError, json.JSONDecodeError)):
                    await respond(client, f"canary-4711 [[{directive}]]")
        model.post("/openai/v1/responses", b"canary-4711", BEARER)
        model.post("/openai/v1/canary-4711", b"canary-4711", BEARER)
        model.post("/openai/v1/responses", b'{"canary-4711": ' + b"[" * 200_000, BEARER)

    assert "canary" not in "".join(capfd.readouterr())
    written = [Path(folder, name) for folder, _, names in os.walk(tmp_path) for name in names]
    assert not [path for path in written if b"canary" in path.read_bytes()]


def test_the_model_ends_cleanly_when_told(tmp_path: Path) -> None:
    with running("model", tmp_path) as part:
        part.process.terminate()
        assert part.process.wait(timeout=10) == 0


def test_a_failing_handler_is_logged_without_its_text() -> None:
    program = """
import logging
from local.web import TypeNamesOnly
logging.basicConfig()
logging.getLogger("aiohttp.server").addFilter(TypeNamesOnly())
try:
    raise KeyError("canary-4711")
except KeyError:
    logging.getLogger("aiohttp.server").exception("canary-4711 %s", "canary-4711")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603

    assert "KeyError in <string>:" in done.stderr
    assert "canary" not in done.stderr
