"""How the keys of an issuer are read, kept, and read again."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest

from shared import jwks
from shared.errors import IdentityUnavailable
from shared.identity import Verifier
from shared.jwks import LONGEST_OUTAGE_SECONDS, REFRESH_SECONDS, RETRY_SECONDS, UNKNOWN_KEY_SECONDS
from tests.tokens import Clock, JwksServer, accepts, jwks_server, new_key

KEY, NEXT, STRANGER = new_key("first"), new_key("second"), new_key("stranger")


@pytest.fixture
async def server() -> AsyncIterator[JwksServer]:
    async with jwks_server() as running:
        running.publish(KEY.jwk())
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(server: JwksServer, clock: Clock) -> Verifier:
    return server.verifier(clock)


def lasting(server: JwksServer, key: object = KEY) -> str:
    assert isinstance(key, type(KEY))
    return server.token(key, exp=9_999_999_999)


async def test_keys_are_read_once_for_many_tokens(server: JwksServer, verifier: Verifier) -> None:
    assert server.requests == 0
    for _ in range(20):
        assert await accepts(verifier, server.token(KEY))

    assert server.requests == 1


async def test_many_callers_at_once_make_one_fetch(server: JwksServer, verifier: Verifier) -> None:
    server.hold = asyncio.Event()
    callers = [asyncio.create_task(accepts(verifier, server.token(key))) for key in [KEY, STRANGER] * 10]
    await server.held.wait()
    server.hold.set()

    assert await asyncio.gather(*callers) == [True, False] * 10
    assert server.requests == 1


async def test_unknown_kids_cause_a_fetch_every_thirty_seconds_at_most(
    server: JwksServer, verifier: Verifier, clock: Clock
) -> None:
    assert await accepts(verifier, server.token(KEY))
    for second in range(91):
        clock.now += 1
        assert not await accepts(verifier, server.token(STRANGER, header={"kid": f"guess-{second}"}))

    assert server.requests == 1 + 91 // int(UNKNOWN_KEY_SECONDS)


async def test_a_new_key_is_picked_up_and_the_retired_one_counts_no_more(
    server: JwksServer, verifier: Verifier, clock: Clock
) -> None:
    assert await accepts(verifier, server.token(KEY))
    server.publish(NEXT.jwk())

    assert not await accepts(verifier, server.token(NEXT)), "the keys were read a moment ago"
    clock.now += UNKNOWN_KEY_SECONDS
    assert await accepts(verifier, server.token(NEXT))
    assert not await accepts(verifier, server.token(KEY))


async def test_a_retired_key_counts_no_more_without_anybody_using_the_new_one(
    server: JwksServer, verifier: Verifier, clock: Clock
) -> None:
    assert await accepts(verifier, lasting(server))
    server.publish(NEXT.jwk())
    clock.now += REFRESH_SECONDS

    assert not await accepts(verifier, lasting(server))


async def test_keys_outlive_an_outage_of_a_day_and_no_more(server: JwksServer, verifier: Verifier, clock: Clock) -> None:
    assert await accepts(verifier, lasting(server))
    server.status = 500
    clock.now += LONGEST_OUTAGE_SECONDS - 1
    assert await accepts(verifier, lasting(server))
    assert server.requests == 2

    clock.now += 1
    with pytest.raises(IdentityUnavailable):
        await verifier.verify(f"Bearer {lasting(server)}")

    server.status = 200
    clock.now += RETRY_SECONDS
    assert await accepts(verifier, lasting(server))


async def test_an_unknown_kid_is_undecided_while_the_issuer_is_away(
    server: JwksServer, verifier: Verifier, clock: Clock
) -> None:
    assert await accepts(verifier, server.token(KEY))
    server.status = 503
    clock.now += UNKNOWN_KEY_SECONDS

    for _ in range(3):
        with pytest.raises(IdentityUnavailable):
            await verifier.verify("Bearer " + server.token(NEXT))
        assert await accepts(verifier, server.token(KEY))
    assert server.requests == 2


async def test_an_issuer_that_was_never_reached_is_asked_again_soon(
    server: JwksServer, verifier: Verifier, clock: Clock
) -> None:
    server.status = 500
    for _ in range(5):
        with pytest.raises(IdentityUnavailable):
            await verifier.verify("Bearer " + server.token(KEY))
    assert server.requests == 1

    server.status = 200
    clock.now += RETRY_SECONDS
    assert await accepts(verifier, server.token(KEY))


async def test_a_slow_issuer_does_not_hold_up_callers_whose_key_is_known(
    server: JwksServer, verifier: Verifier, clock: Clock
) -> None:
    assert await accepts(verifier, server.token(KEY))
    server.hold = asyncio.Event()
    clock.now += REFRESH_SECONDS
    first = asyncio.create_task(accepts(verifier, server.token(KEY)))
    await server.held.wait()

    async with asyncio.timeout(2):
        assert await accepts(verifier, server.token(KEY))
    assert not first.done()
    server.hold.set()
    assert await first


async def test_a_caller_who_goes_away_during_the_fetch_leaves_it_to_the_next(
    server: JwksServer, verifier: Verifier, clock: Clock
) -> None:
    server.hold = asyncio.Event()
    gone = asyncio.create_task(accepts(verifier, server.token(KEY)))
    await server.held.wait()
    gone.cancel()
    await asyncio.wait([gone])
    server.hold.set()
    clock.now += RETRY_SECONDS

    assert await accepts(verifier, server.token(KEY))


async def test_an_issuer_that_hangs_is_unavailable(
    server: JwksServer, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 0.2)
    server.hold = asyncio.Event()

    with pytest.raises(IdentityUnavailable):
        await verifier.verify("Bearer " + server.token(KEY))
    server.hold.set()


async def test_an_issuer_that_listens_no_more_is_unavailable(clock: Clock) -> None:
    async with jwks_server() as server:
        verifier, token = server.verifier(clock), server.token(KEY)

    with pytest.raises(IdentityUnavailable):
        await verifier.verify(f"Bearer {token}")


async def test_a_clock_that_is_set_back_causes_a_fresh_read(server: JwksServer, verifier: Verifier, clock: Clock) -> None:
    clock.now += 30 * 86_400
    assert await accepts(verifier, lasting(server))
    clock.now -= 30 * 86_400

    assert await accepts(verifier, lasting(server))
    assert server.requests == 2


GOOD = json.dumps({"keys": [KEY.jwk()]}).encode()


@pytest.mark.parametrize(
    "body",
    [b"", b"garbage", b"\xff\xfe", b"[]", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1, null, {}]}', b"[" * 100_000,
     GOOD[:-1] + b" " * jwks.LARGEST_JWKS + b"}", gzip.compress(GOOD)],
    ids=["empty", "garbage", "not UTF-8", "a list", "no list", "no keys", "no objects", "deep", "huge", "gzip"],
)  # fmt: skip
async def test_a_jwks_is_unusable_when_it_is(server: JwksServer, verifier: Verifier, body: bytes) -> None:
    server.body = body
    server.headers = {"Content-Encoding": "gzip"} if body.startswith(b"\x1f\x8b") else {}

    with pytest.raises(IdentityUnavailable):
        await verifier.verify("Bearer " + server.token(KEY))


@pytest.mark.parametrize("status", [301, 302, 307, 204, 404])
async def test_a_redirect_or_any_other_status_is_not_followed(server: JwksServer, verifier: Verifier, status: int) -> None:
    server.status, server.headers = status, {"Location": f"http://127.0.0.1:{server.port}/elsewhere"}

    with pytest.raises(IdentityUnavailable):
        await verifier.verify("Bearer " + server.token(KEY))
    assert server.others == 0
