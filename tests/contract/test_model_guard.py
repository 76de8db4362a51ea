"""What the model client sends when nobody attacks, and that its guard leaves nothing of a caller's request but the call."""

import httpx2
import pytest

from shared.azure.model import Models
from tests.contract.boundary import PROMPT, RESOURCE, Network, Tokens, base_url, guarded, token, undisturbed, wire
from tests.contract.loopback import Answer, serving


async def test_a_call_posts_the_payload_with_a_token_and_nothing_else() -> None:
    async with serving(lambda _: Answer(body=b'{"id": "resp_1"}')) as server:
        models = Models([base_url(server)], token=token, timeout=5)
        answer = await models.call(base_url(server), "responses", PROMPT)
        await models.close()
    assert (answer.status_code, answer.body) == (200, {"id": "resp_1"})
    assert [wire(asked) for asked in server.asked] == [undisturbed(server)]


async def test_two_resources_are_called_each_at_its_own_address() -> None:
    async with serving() as first, serving() as second:
        models = Models([base_url(first), base_url(second)], token=token, timeout=5)
        for server in (second, first, second):
            await models.call(base_url(server), "responses", PROMPT)
        await models.close()
    assert (len(first.asked), len(second.asked)) == (1, 2)


@pytest.mark.parametrize("url", ["/openai/v1", "/openai/v1/"])
async def test_a_base_url_is_the_same_with_and_without_its_last_slash(url: str) -> None:
    async with serving() as server:
        models = Models([server.origin + url], token=token, timeout=5)
        await models.call(server.origin + url, "responses", PROMPT)
        await models.close()
    assert [wire(asked) for asked in server.asked] == [undisturbed(server)]


async def test_a_token_is_made_for_every_request() -> None:
    network, tokens = Network(), Tokens()
    async with httpx2.AsyncClient(transport=guarded(network, tokens)) as client:
        for _ in range(2):
            await client.post(f"{RESOURCE}responses", json=PROMPT)
    assert (len(network.sent), tokens.made) == (2, 2)


@pytest.mark.parametrize(
    "headers",
    [
        {"api-key": "evil", "Ocp-Apim-Subscription-Key": "evil", "Authorization": "Bearer evil"},  # keys
        {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},  # places
        {"Content-Length": "5", "Content-Encoding": "gzip", "Content-Type": "text/plain"},  # shapes
        {"Transfer-Encoding": "chunked", "Connection": "close, x-one", "Expect": "100-continue", "Upgrade": "h2c"},  # frames
        {"x-ms-client-request-id": "canary", "OpenAI-Organization": "evil", "Cookie": "a=b", "User-Agent": "evil"},  # tales
    ],
)
async def test_no_header_of_a_request_passes_the_guard(headers: dict[str, str]) -> None:
    async def sent(through: Network | None = None) -> dict[str, str]:
        network = Network()
        async with httpx2.AsyncClient(transport=through or guarded(network)) as client:
            await client.post(f"{RESOURCE}responses", json=PROMPT, headers=headers)
        return dict((through or network).sent[0].headers)

    assert {name.lower() for name in headers} < (await sent(Network())).keys()
    assert await sent() == {
        "host": "lethe.openai.azure.com",
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "authorization": "Bearer entra-token",
        "content-type": "application/json",
        "content-length": "45",
    }
