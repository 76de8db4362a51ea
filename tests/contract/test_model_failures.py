"""Every way in which a model call can go wrong, as Lethe's own error: which failure, when again, and without any content."""

import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from shared.azure.model import Models
from shared.domain.answer import ModelAnswer
from shared.errors import Failure, ModelFailed
from shared.telemetry import quieten_libraries
from tests.contract.loopback import Answer, serving

CANARY = "canary4f1c"
PROMPT = {"model": "gpt-small-eu", "input": f"the prompt {CANARY}"}
ECHO = json.dumps({"error": {"code": CANARY, "message": f"cannot handle: the prompt {CANARY}"}}).encode()


async def token() -> str:
    return "entra-token"


async def call(origin: str, *, timeout: float = 5, token: Callable[[], Awaitable[str]] = token) -> ModelAnswer:  # noqa: ASYNC109
    endpoint = f"{origin}/openai/v1/"
    client = Models([endpoint], token=token, timeout=timeout)
    try:
        return await client.call(endpoint, "responses", PROMPT)
    finally:
        await client.close()


async def answered(answer: Answer) -> ModelAnswer:
    async with serving(lambda _: answer) as server:
        return await call(server.origin)


def told(failed: ModelFailed) -> str:
    """Everything that a log could get of a failure."""
    return f"{failed} {failed!r} {''.join(traceback.format_exception(failed))}"


async def failure(answer: Answer) -> ModelFailed:
    """Make a call that must fail after exactly one request, without content in the failure."""
    async with serving(lambda _: answer) as server:
        with pytest.raises(ModelFailed) as failed:
            await call(server.origin, timeout=0.2 if answer.hangs else 5)
    assert len(server.asked) == 1
    assert CANARY not in told(failed.value)
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    return failed.value


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (300, Failure.UNAVAILABLE),
        (304, Failure.UNAVAILABLE),
        (400, Failure.REJECTED),
        (401, Failure.ACCESS_DENIED),
        (403, Failure.ACCESS_DENIED),
        (404, Failure.DEPLOYMENT_NOT_FOUND),
        (408, Failure.TIMEOUT),
        (409, Failure.REJECTED),
        (413, Failure.REJECTED),
        (422, Failure.REJECTED),
        (424, Failure.REJECTED),
        (429, Failure.RATE_LIMITED),
        (500, Failure.UNAVAILABLE),
        (502, Failure.UNAVAILABLE),
        (503, Failure.UNAVAILABLE),
        (504, Failure.UNAVAILABLE),
        (599, Failure.UNAVAILABLE),
    ],
)
async def test_each_status_is_one_failure_and_never_retried_by_the_client(status: int, expected: Failure) -> None:
    assert (await failure(Answer(status=status, body=b"" if status == 304 else ECHO))).failure is expected


@pytest.mark.parametrize("status", [201, 202, 206])
async def test_a_success_that_is_not_200_is_no_result(status: int) -> None:
    assert (await failure(Answer(status=status, body=ECHO))).failure is Failure.INVALID_OUTPUT


async def test_the_400_of_a_blocked_prompt_is_an_answer() -> None:
    body = {"error": {"code": "content_filter", "innererror": {"content_filter_result": {}}}}
    answer = await answered(Answer(status=400, body=json.dumps(body).encode()))
    assert (answer.status_code, answer.body, answer.request_id, answer.region) == (400, body, None, None)


@pytest.mark.parametrize("body", [{"error": "content_filter"}, {"error": {"code": "other"}}, {"error": None}, {}])
async def test_another_400_is_a_rejected_request(body: object) -> None:
    assert (await failure(Answer(status=400, body=json.dumps(body).encode()))).failure is Failure.REJECTED


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "3600"}, 3600.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "1", "retry-after-ms": "250"}, 0.25),  # the finer one
        ({"Retry-After": "17", "retry-after-ms": "soon"}, 17.0),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "Fri, 06 Nov 2026 10:00:00 GMT"}, None),
        ({"Retry-After": "."}, None),
        ({"Retry-After": "1.2.3"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "\u00b2"}, None),  # a digit to Python's str, no number
        ({"Retry-After": "\u0664"}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_the_pause_that_a_service_asks_for_is_read_in_seconds(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    assert (await failure(Answer(status=status, headers=headers))).retry_after == seconds


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"output": "canary4f1c',  # truncated
        b"<html>canary4f1c</html>",
        b'["canary4f1c"]',
        b'"canary4f1c"',
        b"null",
        b'{"canary4f1c": NaN}',
        b'{"canary4f1c": -Infinity}',
        b'{"canary4f1c": 1e999}',  # would become an Infinity that no store takes
        b'{"canary4f1c": "\xff"}',
        b'{"canary4f1c": "\xed\xa0\xbd"}',  # half a surrogate pair as raw bytes
        b"[" * 100_000,
    ],
)
async def test_an_answer_that_is_no_strict_json_object_is_invalid_output(body: bytes) -> None:
    assert (await failure(Answer(body=body))).failure is Failure.INVALID_OUTPUT


@pytest.mark.parametrize("half", [b"\\ud83d", b"\\uD83D", b"\\uDe00"])
async def test_half_a_surrogate_pair_becomes_a_question_mark(half: bytes) -> None:
    answer = await answered(Answer(body=b'{"text": "cut ' + half + b'", "' + half + b'": 1}'))
    assert answer.body == {"text": "cut ?", "?": 1}


async def test_a_whole_pair_stays_a_character() -> None:
    answer = await answered(Answer(body=b'{"text": "\\ud83d\\ude00 \\ud83d"}'))
    assert answer.body == {"text": "\N{GRINNING FACE} ?"}


async def test_a_service_that_says_nothing_is_a_timeout() -> None:
    assert (await failure(Answer(hangs=True))).failure is Failure.TIMEOUT


async def test_a_connection_dropped_in_the_middle_of_an_answer_is_unavailable() -> None:
    assert (await failure(Answer(body=ECHO, drops=True))).failure is Failure.UNAVAILABLE


async def test_an_answer_in_a_broken_encoding_is_unavailable() -> None:
    broken = Answer(body=ECHO, headers={"Content-Encoding": "gzip"})
    assert (await failure(broken)).failure is Failure.UNAVAILABLE


async def test_a_service_out_of_reach_is_unavailable() -> None:
    async with serving() as gone:
        pass
    with pytest.raises(ModelFailed) as failed:
        await call(gone.origin)
    assert failed.value.failure is Failure.UNAVAILABLE


@pytest.mark.parametrize("error", [ClientAuthenticationError(CANARY), ServiceRequestError(CANARY)])
async def test_without_a_token_nothing_is_sent_and_the_reason_is_not_quoted(error: Exception) -> None:
    async def none() -> str:
        raise error

    async with serving() as server:
        with pytest.raises(ModelFailed) as failed:
            await call(server.origin, token=none)
    assert failed.value.failure is Failure.UNAVAILABLE
    assert CANARY not in told(failed.value)
    assert server.asked == []


async def test_a_token_that_does_not_come_is_a_timeout() -> None:
    async def late() -> str:
        raise TimeoutError

    async with serving() as server:
        with pytest.raises(ModelFailed) as failed:
            await call(server.origin, token=late)
    assert failed.value.failure is Failure.TIMEOUT


@pytest.mark.parametrize(
    ("headers", "request_id", "region"),
    [
        ({}, None, None),
        ({"apim-request-id": "a", "x-request-id": "x", "x-ms-region": "Sweden Central"}, "a", "Sweden Central"),
        ({"x-request-id": "x"}, "x", None),
    ],
)
async def test_the_headers_that_name_the_call_are_read(
    headers: dict[str, str], request_id: str | None, region: str | None
) -> None:
    answer = await answered(Answer(headers=headers))
    assert (answer.request_id, answer.region) == (request_id, region)


@pytest.mark.parametrize(
    "answer", [Answer(), Answer(status=500, body=ECHO), Answer(status=400, body=ECHO), Answer(body=ECHO, drops=True)]
)
async def test_no_library_logs_prompt_or_answer(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        quieten_libraries()
        async with serving(lambda _: answer) as server:
            with suppress(ModelFailed):
                await call(server.origin)
    assert CANARY not in caplog.text


async def test_an_answer_of_more_than_the_limit_is_invalid_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.azure.model._LONGEST_ANSWER", 20)
    assert (await answered(Answer(body=b'{"output": "123456"}'))).body == {"output": "123456"}
    assert (await failure(Answer(body=b'{"output": "1234567"}'))).failure is Failure.INVALID_OUTPUT
