"""The guard of the model client: where a prompt may go, with which headers, and that nothing around it changes that."""

import httpx2
import pytest

from shared.azure.model import GuardedTransport, Models
from shared.errors import Failure, ModelFailed
from tests.contract.loopback import Answer, Server, serving

PROMPT = {"model": "gpt-small-eu", "input": "canary4f1c"}
RESOURCE = "https://lethe.openai.azure.com/openai/v1/"
HEADERS = ["accept", "accept-encoding", "authorization", "content-length", "content-type", "host"]


async def token() -> str:
    return "entra-token"


def resource_of(server: Server) -> str:
    return f"{server.origin}/openai/v1/"


def models(server: Server) -> Models:
    return Models([resource_of(server)], token=token, timeout=5)


async def refusal(client: Models, resource: str, path: str) -> Failure:
    with pytest.raises(ModelFailed) as failed:
        await client.call(resource, path, PROMPT)
    return failed.value.failure


async def test_a_call_posts_the_payload_with_a_token_and_nothing_else() -> None:
    async with serving(lambda _: Answer(body=b'{"id": "resp_1"}')) as server:
        client = models(server)
        answer = await client.call(resource_of(server), "responses", PROMPT)
        await client.close()
    assert (answer.status_code, answer.body) == (200, {"id": "resp_1"})
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/openai/v1/responses")
    assert asked.body == b'{"model":"gpt-small-eu","input":"canary4f1c"}'
    assert sorted(name.lower() for name, _ in asked.headers) == HEADERS
    assert asked.header("authorization") == ["Bearer entra-token"]
    assert asked.header("host") == [f"127.0.0.1:{server.port}"]


async def test_the_environment_changes_nothing_on_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as server, serving() as elsewhere:
        for name in ("OPENAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, elsewhere.origin)
        for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
            monkeypatch.setenv(name, "from-environment")
        custom = ["Authorization: from-environment", "Host: evil.example", "Accept: text/plain", "X-More: from-environment"]
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "\n".join([*custom, "Content-Type: text/plain", "Cookie: a=b"]))
        client = models(server)
        await client.call(resource_of(server), "responses", PROMPT)
        await client.close()
    assert elsewhere.asked == []
    (asked,) = server.asked
    assert dict(asked.headers) == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "authorization": "Bearer entra-token",
        "content-type": "application/json",
        "content-length": "45",
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_and_no_prompt_posted_again(status: int) -> None:
    async with serving() as elsewhere:
        moved = Answer(status=status, headers={"Location": f"{elsewhere.origin}/openai/v1/responses"})
        async with serving(lambda _: moved) as server:
            client = models(server)
            assert await refusal(client, resource_of(server), "responses") is Failure.UNAVAILABLE
            await client.close()
    assert (len(server.asked), elsewhere.asked) == (1, [])


async def test_a_redirect_within_the_resource_is_not_followed_either() -> None:
    async with serving(lambda _: Answer(status=307, headers={"Location": "/openai/v1/other"})) as server:
        client = models(server)
        assert await refusal(client, resource_of(server), "responses") is Failure.UNAVAILABLE
        await client.close()
    assert len(server.asked) == 1


@pytest.mark.parametrize("resource", ["https://other.openai.azure.com/openai/v1/", "", "primary", "http://127.0.0.1"])
async def test_a_resource_that_is_not_listed_is_denied(resource: str) -> None:
    async with serving() as server:
        client = models(server)
        assert await refusal(client, resource, "responses") is Failure.ACCESS_DENIED
        await client.close()
    assert server.asked == []


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "0.0.0.0"])  # noqa: S104
async def test_a_listed_address_in_another_spelling_is_another_host(host: str) -> None:
    async with serving() as server:
        client = models(server)
        assert (
            await refusal(client, resource_of(server), f"http://{host}:{server.port}/openai/v1/responses")
            is Failure.ACCESS_DENIED
        )
        await client.close()
    assert server.asked == []


async def test_another_port_of_a_listed_host_is_denied() -> None:
    async with serving() as server, serving() as neighbour:
        client = models(server)
        assert await refusal(client, resource_of(server), f"{neighbour.origin}/openai/v1/responses") is Failure.ACCESS_DENIED
        await client.close()
    assert neighbour.asked == []


class Recorder(httpx2.AsyncBaseTransport):
    """Stands where the network would be."""

    def __init__(self) -> None:
        self.sent: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        return httpx2.Response(200, json={})


async def through_the_guard(url: str, resource: str = RESOURCE) -> tuple[Recorder, int]:
    """Post to a URL through the guard; return what got through, and how many tokens were made."""
    tokens = 0

    async def counted() -> str:
        nonlocal tokens
        tokens += 1
        return "entra-token"

    recorder = Recorder()
    guard = GuardedTransport(recorder, base_urls=frozenset({resource}), token=counted)
    async with httpx2.AsyncClient(transport=guard) as client:
        await client.post(url, json=PROMPT)
    return recorder, tokens


@pytest.mark.parametrize(
    "url",
    [
        "http://lethe.openai.azure.com/openai/v1/responses",
        "https://lethe.openai.azure.com:8443/openai/v1/responses",
        "https://lethe.openai.azure.com.evil.example/openai/v1/responses",
        "https://lethe-openai.azure.com/openai/v1/responses",
        "https://xlethe.openai.azure.com/openai/v1/responses",
        "https://openai.azure.com/openai/v1/responses",
        "https://lethe.openai.azure.com./openai/v1/responses",
        "https://lethe.openai.azure.com@evil.example/openai/v1/responses",
        "https://lethe.openai.azure.com:443@evil.example/openai/v1/responses",
        "https://lethe.openai.azure.com%2eevil.example/openai/v1/responses",
        "https://evil.example/lethe.openai.azure.com",
        "https://evil.example/?https://lethe.openai.azure.com/",
        "https://evil.example#@lethe.openai.azure.com/",
        "https://l\u0435the.openai.azure.com/openai/v1/responses",  # a Cyrillic letter
        "https://other.openai.azure.com/openai/v1/responses",
        "https://api.openai.com/v1/responses",
        "https://20.61.99.1/openai/v1/responses",
        "https://[2603:1020::1]/openai/v1/responses",
    ],
)
async def test_a_look_alike_of_a_listed_host_gets_neither_prompt_nor_token(url: str) -> None:
    recorder = Recorder()

    async def never() -> str:
        raise AssertionError("a token was made")

    guard = GuardedTransport(recorder, base_urls=frozenset({RESOURCE}), token=never)
    async with httpx2.AsyncClient(transport=guard) as client:
        with pytest.raises(ModelFailed) as failed:
            await client.post(url, json=PROMPT)
    assert failed.value.failure is Failure.ACCESS_DENIED
    assert recorder.sent == []


@pytest.mark.parametrize(
    ("url", "resource"),
    [
        ("https://lethe.openai.azure.com/openai/v1/responses", RESOURCE),
        ("https://LETHE.openai.azure.com:443/openai/v1/responses", RESOURCE),
        ("https://lethe.openai.azure.com/openai/v1/responses", "https://Lethe.OpenAI.azure.com:443/openai/v1/"),
    ],
)
async def test_a_listed_host_is_reached_with_a_token_in_every_spelling_of_one_name(url: str, resource: str) -> None:
    recorder, tokens = await through_the_guard(url, resource)
    assert tokens == 1
    assert recorder.sent[0].headers["host"] == "lethe.openai.azure.com"


async def test_credentials_inside_a_url_are_not_sent() -> None:
    recorder, _ = await through_the_guard("https://user:password@lethe.openai.azure.com/openai/v1/responses")
    assert recorder.sent[0].headers["authorization"] == "Bearer entra-token"
