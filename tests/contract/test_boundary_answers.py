"""Attacks by what a resource answers: a redirect, a cookie, a wish for another call. Ours reads the answer and does nothing."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest
from openai import AsyncOpenAI

from shared.azure.model import GuardedTransport, Models
from shared.errors import Failure, ModelFailed
from tests.contract.boundary import (
    BODY,
    PROMPT,
    Tokens,
    base_url,
    clear_environment,
    official,
    our_call,
    token,
    undisturbed,
    wire,
)
from tests.contract.loopback import Answer, Asked, serving

REDIRECTS = [301, 302, 303, 307, 308]
KEEP_THE_BODY = {307, 308}
FORGED = '{"id": "an answer that no model gave"}'

type Answers = Callable[[Asked], Answer]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_environment(monkeypatch)


async def ask(client: AsyncOpenAI) -> object:
    """Post the prompt with the official client."""
    async with client:
        return await client.post("responses", body=PROMPT, cast_to=object)


def moved(status: int, location: str) -> Answers:
    """Answer with a redirect, and behind it with a forgery."""
    redirect, forgery = Answer(status=status, headers={"Location": location}), Answer(body=FORGED.encode())
    return lambda asked: forgery if "v2" in asked.path else redirect


@pytest.mark.parametrize("status", REDIRECTS)
async def test_a_redirect_to_another_host_takes_the_official_client_along_and_not_ours(status: int) -> None:
    async with (
        serving(lambda _: Answer(body=FORGED.encode())) as elsewhere,
        serving(moved(status, f"{elsewhere.origin}/openai/v1/responses")) as listed,
    ):
        assert await ask(official(base_url(listed))) == FORGED
        (stolen,) = elsewhere.asked
        assert (stolen.method, stolen.body) == (("POST", BODY) if status in KEEP_THE_BODY else ("GET", b""))
        elsewhere.asked.clear()
        listed.asked.clear()
        assert await our_call(base_url(listed)) is Failure.UNAVAILABLE
    assert [wire(asked) for asked in listed.asked] == [undisturbed(listed)]
    assert elsewhere.asked == []


@pytest.mark.parametrize("status", REDIRECTS)
async def test_a_redirect_within_the_host_takes_the_official_client_along_and_not_ours(status: int) -> None:
    async with serving(moved(status, "/openai/v2/other")) as listed:
        assert await ask(official(base_url(listed))) == FORGED
        assert len(listed.asked) == 2
        listed.asked.clear()
        assert await our_call(base_url(listed)) is Failure.UNAVAILABLE
    assert [wire(asked) for asked in listed.asked] == [undisturbed(listed)]


async def following(transport: httpx2.AsyncBaseTransport, url: str) -> None:
    """Post with a client that follows redirects, as the official one does."""
    async with httpx2.AsyncClient(transport=transport, follow_redirects=True, trust_env=False) as http:
        await http.post(url, json=PROMPT)


@pytest.mark.parametrize("status", REDIRECTS)
async def test_a_client_that_did_follow_would_meet_the_guard_at_the_other_host(status: int) -> None:
    async with serving() as elsewhere, serving(moved(status, f"{elsewhere.origin}/openai/v1/responses")) as listed:
        url, tokens = f"{listed.origin}/openai/v1/responses", Tokens()
        network = httpx2.AsyncHTTPTransport(trust_env=False)
        await following(network, url)
        assert len(elsewhere.asked) == 1
        with pytest.raises(ModelFailed) as failed:
            await following(GuardedTransport(network, base_urls=frozenset({base_url(listed)}), token=tokens), url)
    assert failed.value.failure is Failure.ACCESS_DENIED
    assert (tokens.made, len(elsewhere.asked)) == (1, 1)


@pytest.mark.parametrize("cookie", ["a=b", "a=b; Path=/; Max-Age=3600", "a=b; HttpOnly; SameSite=None"])
async def test_a_cookie_comes_back_from_the_official_client_and_not_from_ours(cookie: str) -> None:
    async def twice(call: Callable[[], Awaitable[object]]) -> None:
        for _ in range(2):
            await call()

    async with serving(lambda _: Answer(headers={"Set-Cookie": cookie})) as listed:
        async with official(base_url(listed)) as client:
            await twice(lambda: client.post("responses", body=PROMPT, cast_to=object))
        assert [asked.header("cookie") for asked in listed.asked] == [[], ["a=b"]]
        listed.asked.clear()
        models = Models([base_url(listed)], token=token, timeout=5)
        await twice(lambda: models.call(base_url(listed), "responses", PROMPT))
        await models.close()
    assert [wire(asked) for asked in listed.asked] == [undisturbed(listed)] * 2


@pytest.mark.parametrize("status", [400, 408, 409, 429, 500, 503])
async def test_a_wish_to_be_asked_again_posts_the_prompt_again_from_the_official_client_and_not_from_ours(status: int) -> None:
    wish = Answer(status=status, headers={"x-should-retry": "true", "retry-after-ms": "1"})
    async with serving(lambda _: wish) as listed:
        with pytest.raises(Exception, match=str(status)):
            await ask(AsyncOpenAI(base_url=base_url(listed), api_key="none"))
        assert [asked.body for asked in listed.asked] == [BODY] * 3
        listed.asked.clear()
        assert await our_call(base_url(listed)) is not None
    assert [wire(asked) for asked in listed.asked] == [undisturbed(listed)]


async def test_the_official_client_tells_of_the_machine_and_ours_does_not() -> None:
    async with serving() as listed:
        await ask(official(base_url(listed)))
        told = {name.lower() for name, _ in listed.asked[0].headers}
        assert {"user-agent", "x-stainless-os", "x-stainless-arch", "x-stainless-runtime-version"} < told
        listed.asked.clear()
        assert await our_call(base_url(listed)) is None
    assert [wire(asked) for asked in listed.asked] == [undisturbed(listed)]


@pytest.mark.parametrize("name", ["Location", "Operation-Location", "Content-Location", "Refresh", "Link", "Alt-Svc"])
@pytest.mark.parametrize("status", [200, 201, 202])
async def test_an_address_beside_an_answer_is_not_asked_by_any_client(status: int, name: str) -> None:
    async with serving() as elsewhere:
        answer = Answer(status=status, headers={name: f"{elsewhere.origin}/openai/v1/responses"})
        async with serving(lambda _: answer) as listed:
            await ask(official(base_url(listed)))  # it does not either: this holds for versions to come
            assert await our_call(base_url(listed)) is (None if status == 200 else Failure.INVALID_OUTPUT)
    assert (len(listed.asked), elsewhere.asked) == (2, [])
