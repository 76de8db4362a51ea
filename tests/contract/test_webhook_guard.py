from pathlib import Path

import pytest
from standardwebhooks import Webhook

from shared.delivery.sender import Sender, Sent
from shared.domain.webhook_url import Target, check_url
from tests.contract.webhook_posts import EVENT, OK, SECRET, TARGET, Contexts, message, send
from tests.contract.webhook_servers import PUBLIC, Detour, Names, certificate_for, saying, serving


async def test_a_webhook_reaches_the_checked_address_under_the_verified_name_and_verifies(contexts: Contexts) -> None:
    async with serving(saying(OK), contexts[0]) as server:
        detour = Detour(server.port)
        assert await send(Names([PUBLIC]), detour, contexts[1]) == Sent(status=200)
    assert detour.dialled == [(PUBLIC, 443)]
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    headers = dict(line.lower().split(": ", 1) if "signature" not in line else line.split(": ", 1) for line in lines[1:])
    assert lines[0] == "POST /hook HTTP/1.1"
    assert headers.keys() == {
        "host", "content-type", "webhook-id", "webhook-timestamp", "webhook-signature",
        "user-agent", "accept", "connection", "content-length",
    }  # fmt: skip
    assert (headers["host"], headers["user-agent"]) == ("example.com", "lethe-webhooks/1")
    assert Webhook(SECRET).verify(body, headers)["id"] == EVENT


async def test_a_name_that_answers_differently_the_second_time_is_asked_once_only(contexts: Contexts) -> None:
    names = Names([PUBLIC], ["169.254.169.254"])
    async with serving(saying(OK), contexts[0]) as server:
        detour = Detour(server.port)
        assert await send(names, detour, contexts[1]) == Sent(status=200)
    assert names.asked == ["example.com"]
    assert detour.dialled == [(PUBLIC, 443)]


async def test_the_next_post_is_checked_anew(contexts: Contexts) -> None:
    names = Names([PUBLIC], ["169.254.169.254"])
    async with serving(saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"), contexts[0]) as server:
        detour = Detour(server.port)
        sender = Sender(allow_loopback=False, resolver=names, network=detour, ssl_context=contexts[1])
        assert [await sender.send(TARGET, message()), await sender.send(TARGET, message())] == [
            Sent(status=200),
            Sent(status=None),
        ]
        await sender.close()
    assert detour.dialled == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["168.63.129.16"],
        ["169.254.169.254"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::a9fe:a9fe"],
        ["fe80::1%1"],
        ["::1"],
        [PUBLIC, "10.0.0.1"],
        ["10.0.0.1", PUBLIC],
        [],
    ],
)
async def test_a_name_with_any_address_that_is_not_public_is_not_called(answer: list[str]) -> None:
    detour = Detour(9)
    assert await send(Names(answer), detour) == Sent(status=None)
    assert detour.dialled == []


async def test_the_system_resolver_s_loopback_is_not_called() -> None:
    target = Target(scheme="https", host="localhost", port=443, path="/", loopback=False)
    detour = Detour(9)
    sender = Sender(allow_loopback=False, network=detour)
    assert await sender.send(target, message()) == Sent(status=None)
    await sender.close()
    assert detour.dialled == []


async def test_a_public_name_for_loopback_is_not_called_even_where_loopback_is_allowed() -> None:
    detour = Detour(9)
    assert await send(Names(["127.0.0.1"]), detour, allow_loopback=True) == Sent(status=None)
    assert detour.dialled == []


async def test_a_loopback_name_for_something_else_is_not_called() -> None:
    target = check_url("http://localhost:8084/", hosts=["localhost"], allow_loopback=True)
    for address in ("169.254.169.254", "10.0.0.1", PUBLIC):
        detour = Detour(9)
        assert await send(Names([address]), detour, target=target, allow_loopback=True) == Sent(status=None)
        assert detour.dialled == []


async def test_the_second_address_is_tried_when_the_first_does_not_answer(contexts: Contexts) -> None:
    other = "20.50.2.2"
    async with serving(saying(OK), contexts[0]) as server:
        detour = Detour(server.port, unreachable=frozenset({PUBLIC}))
        assert await send(Names([PUBLIC, other]), detour, contexts[1]) == Sent(status=200)
    assert detour.dialled == [(PUBLIC, 443), (other, 443)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_never_followed(status: int, contexts: Contexts) -> None:
    answer = f"HTTP/1.1 {status} Elsewhere\r\nLocation: http://169.254.169.254/metadata\r\nContent-Length: 0\r\n\r\n"
    names = Names([PUBLIC])
    async with serving(saying(answer), contexts[0]) as server:
        detour = Detour(server.port)
        assert await send(names, detour, contexts[1]) == Sent(status=status)
    assert (names.asked, detour.dialled, len(server.requests)) == (["example.com"], [(PUBLIC, 443)], 1)


async def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    serves, trusts = certificate_for("evil.net", tmp_path)
    async with serving(saying(OK), serves) as server:
        assert await send(Names([PUBLIC]), Detour(server.port), trusts) == Sent(status=None)
    assert server.requests == []


async def test_a_certificate_that_nobody_trusts_is_refused(contexts: Contexts) -> None:
    async with serving(saying(OK), contexts[0]) as server:
        assert await send(Names([PUBLIC]), Detour(server.port)) == Sent(status=None)
    assert server.requests == []


async def test_proxies_of_the_environment_are_not_used(contexts: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(saying(OK), contexts[0]) as server, serving(saying(OK)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert await send(Names([PUBLIC]), Detour(server.port), contexts[1]) == Sent(status=200)
    assert proxy.requests == []


async def test_the_certificate_store_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    serves, _ = certificate_for("example.com", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "example.com.pem"))
    async with serving(saying(OK), serves) as server:
        assert await send(Names([PUBLIC]), Detour(server.port)) == Sent(status=None)
    assert server.requests == []


async def test_the_embedded_stack_s_plain_loopback_is_reached_where_it_is_allowed() -> None:
    async with serving(saying("HTTP/1.1 204 No Content\r\n\r\n")) as server:
        url = f"http://127.0.0.1:{server.port}/hooks/a"
        target = check_url(url, hosts=["127.0.0.1"], allow_loopback=True)
        sender = Sender(allow_loopback=True)
        assert await sender.send(target, message()) == Sent(status=204)
        await sender.close()
        forbidding = Sender(allow_loopback=False)
        assert await forbidding.send(target, message()) == Sent(status=None)
        await forbidding.close()
    assert len(server.requests) == 1
