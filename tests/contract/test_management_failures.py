"""What the app makes of a management API that does not answer, or answers something else: one error, without its text."""

import json
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from local.management import ids
from shared.azure import management as reading
from shared.azure.management import Management
from shared.errors import ManagementUnavailable, ServiceUnavailable
from tests.contract import loopback, management
from tests.contract.loopback import Answer, Asked
from tests.contract.management import Token, managing

CANARY = "canary4f1c"
type Read = Callable[[Management], Awaitable[object]]
READS: dict[str, Read] = {
    "queues": Management.queues,
    "containers": Management.containers,
    "account": lambda app: app.account("primary"),
    "store": Management.store,
}


class NoToken(Token):
    """A credential that cannot get a token, and says why."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:  # noqa: ANN401
        raise ClientAuthenticationError(CANARY)


def reads(endpoint: str, credential: Token | None = None) -> Management:
    return Management(
        endpoint=endpoint,
        credential=credential or Token(),
        service_bus_id=f"{ids.SERVICE_BUS}-{CANARY}",
        cosmos_id=ids.COSMOS,
        cosmos_database="lethe",
        accounts={"primary": ids.account("primary")},
    )


async def unread(app: Management, read: Read = Management.store) -> None:
    """Check that a read fails, and that nothing of why is in what it raises."""
    with pytest.raises(ManagementUnavailable) as failed:
        await read(app)
    await app.close()
    assert isinstance(failed.value, ServiceUnavailable)
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    shown = "".join(traceback.format_exception(failed.value))
    assert CANARY not in shown
    assert "openai" not in shown


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[management.Management]:
    with managing(tmp_path_factory.mktemp("management"), LETHE_COSMOS_PORT="1") as running:
        yield running


@pytest.fixture
def azure(endpoint: management.Management) -> management.Management:
    endpoint.reset()
    return endpoint


@pytest.fixture
async def server() -> AsyncIterator[loopback.Server]:
    async with loopback.serving() as server:
        yield server


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 503])
async def test_no_status_but_200_is_an_answer(azure: management.Management, read: str, status: int) -> None:
    azure.fault(status=status)
    await unread(reads(azure.url), READS[read])


@pytest.mark.parametrize("read", ["queues", "containers"])
async def test_what_the_services_themselves_do_not_tell_is_not_read(azure: management.Management, read: str) -> None:
    await unread(reads(azure.url), READS[read])


async def test_a_dropped_connection_is_no_answer(azure: management.Management) -> None:
    azure.fault(drop=True)
    await unread(reads(azure.url))


async def test_nobody_there_is_no_answer() -> None:
    await unread(reads("http://127.0.0.1:1"))


async def test_without_a_token_nothing_is_asked(server: loopback.Server) -> None:
    await unread(reads(server.origin, NoToken()))
    assert not server.asked


async def test_a_read_does_not_wait_for_ever(azure: management.Management, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READ_TIMEOUT", 0.3)
    azure.fault(delay_ms=5000)
    started = time.monotonic()
    await unread(reads(azure.url))
    assert time.monotonic() - started < 2


async def test_a_short_disturbance_is_outlived(azure: management.Management) -> None:
    azure.fault(status=503, count=2)
    app = reads(azure.url)
    assert (await app.store()).backup_horizon_hours == 8
    await app.close()


async def test_a_resource_that_is_not_listed_is_not_asked_for(server: loopback.Server) -> None:
    await unread(reads(server.origin), lambda app: app.account("another"))
    assert not server.asked


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{", b"[]", b'{"value": null}', b'{"value": [{"name": "canary4f1c"}]}', b"\xff"]
)
@pytest.mark.parametrize("read", READS)
async def test_an_answer_of_another_shape_is_none(server: loopback.Server, read: str, body: bytes) -> None:
    server.answers = lambda _: Answer(body=body)
    await unread(reads(server.origin), READS[read])


async def test_the_token_never_goes_to_another_host(server: loopback.Server) -> None:
    async with loopback.serving() as other:
        for link in (f"{other.origin}/next", f"{other.origin}@127.0.0.1/", "/next", f"https://127.0.0.1:{server.port}/next"):
            page = json.dumps({"value": [], "nextLink": link}).encode()
            server.answers = lambda _, page=page: Answer(body=page)  # type: ignore[misc]
            await unread(reads(server.origin), READS["queues"])
        server.answers = lambda _: Answer(status=307, headers={"Location": f"{other.origin}/moved"})
        await unread(reads(server.origin), READS["queues"])
        assert not other.asked


async def test_a_list_without_an_end_is_given_up(server: loopback.Server) -> None:
    page = json.dumps({"value": [], "nextLink": f"{server.origin}/again"}).encode()
    server.answers = lambda _: Answer(body=page)
    await unread(reads(server.origin), READS["queues"])
    assert len(server.asked) == 50


async def test_only_reads_of_the_listed_resources_with_a_token_are_sent(server: loopback.Server) -> None:
    def answer(asked: Asked) -> Answer:
        account = {"location": "swedencentral", "properties": {"endpoint": "https://a.openai.azure.com/", "capabilities": []}}
        return Answer(body=json.dumps({"value": []} if "/deployments" in asked.path else account).encode())

    server.answers = answer
    app = reads(server.origin)
    await app.account("primary")
    await app.close()
    account = ids.account("primary")
    assert [(asked.method, asked.path) for asked in server.asked] == [
        ("GET", f"{account}?api-version=2025-06-01"),
        ("GET", f"{account}/deployments?api-version=2025-06-01"),
    ]
    assert [asked.header("authorization") for asked in server.asked] == [["Bearer token"]] * 2
