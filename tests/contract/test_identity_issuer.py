"""The app's check of tokens against the local issuer, as the stack runs them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from local import parts
from local.issuer import principals
from shared import clock as app_clock
from shared import token_issuers
from shared.domain.principal import Principal, Role
from shared.errors import Denial, Forbidden, IdentityUnavailable, Unauthenticated
from shared.identity import Verifier
from tests.parts import running, start

SEED = principals.read()
DAY = 86_400


class Stack:
    """A running issuer, and a verifier of the app on the same clock."""

    def __init__(self, state: Path, port: int) -> None:
        base = f"http://{parts.HOST}:{port}"
        directory = f"{base}/{SEED.tid}"
        issuers = token_issuers.issuers(json.dumps({f"{directory}/v2.0": f"{directory}/discovery/v2.0/keys"}))
        self.state = state
        self.verifier = Verifier(issuers, audiences=[SEED.audience], clock=app_clock.clock(state / "clock-offset"))
        self._http = httpx2.AsyncClient(base_url=base, trust_env=False)

    async def token(self, **wanted: object) -> str:
        """A token as a test wants it, as a header."""
        answer = await self._http.post("/_control/tokens", json=wanted)
        return f"Bearer {answer.raise_for_status().json()['token']}"

    async def rotate(self, **how: object) -> None:
        """Make a new signing key, or retire all but the current one."""
        (await self._http.post("/_control/rotate", json=how)).raise_for_status()

    def shift(self, seconds: float) -> None:
        """Set how far the stack's clock is ahead."""
        (self.state / "clock-offset").write_text(str(seconds))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


@pytest.fixture(scope="module")
async def steady(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack that no test changes."""
    state = tmp_path_factory.mktemp("issuer")
    with running("issuer", state) as part:
        opened = Stack(state, part.port)
        yield opened
        await opened.close()


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    with running("issuer", tmp_path) as part:
        opened = Stack(tmp_path, part.port)
        yield opened
        await opened.close()


async def test_every_sample_principal_is_known_with_its_roles(steady: Stack) -> None:
    for name, sample in SEED.principals.items():
        known = await steady.verifier.verify(await steady.token(principal=name))

        person_id = sample.object_id if name == "reviewer" else None
        roles = frozenset(map(Role, sample.roles))
        assert known == Principal(directory=SEED.tid, client_id=sample.client_id, roles=roles, person_id=person_id)


@pytest.mark.parametrize(
    ("wanted", "denial"),
    [
        ({"alg": "none"}, Denial.CREDENTIALS_MALFORMED),
        ({"alg": "HS256"}, Denial.ALGORITHM),
        ({"alg": "PS256"}, Denial.ALGORITHM),
        ({"kid": "guess"}, Denial.KEY),
        ({"claims": {"aud": "another"}}, Denial.AUDIENCE),
        ({"claims": {"iss": "https://sts.windows.net/x/", "ver": "1.0"}}, Denial.ISSUER),
        ({"claims": {"tid": "another"}}, Denial.DIRECTORY),
        ({"claims": {"scp": "user"}}, Denial.DELEGATED),
        ({"claims": {"exp": 1}}, Denial.EXPIRED),
        ({"claims": {"nbf": None}}, Denial.CLAIMS),
    ],
)
async def test_a_wrong_token_of_the_issuer_is_refused(steady: Stack, wanted: dict[str, object], denial: Denial) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await steady.verifier.verify(await steady.token(principal="contoso", **wanted))

    assert refused.value.denial is denial


@pytest.mark.parametrize("scope", [None, "User.Read"])
async def test_the_reviewer_needs_the_scope(steady: Stack, scope: str | None) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await steady.verifier.verify(await steady.token(principal="reviewer", claims={"scp": scope}))

    assert refused.value.denial is Denial.DELEGATED


async def test_an_app_of_the_directory_without_a_role_is_forbidden(steady: Stack) -> None:
    with pytest.raises(Forbidden):
        await steady.verifier.verify(await steady.token(claims={"azp": "stranger"}))


async def test_a_rotation_is_followed_and_retired_keys_count_no_more(stack: Stack) -> None:
    before = await stack.token(principal="contoso")
    assert await stack.verifier.verify(before)
    await stack.rotate()
    after = await stack.token(principal="contoso")
    with pytest.raises(Unauthenticated):
        await stack.verifier.verify(after)

    stack.shift(30)
    assert await stack.verifier.verify(after)
    assert await stack.verifier.verify(before), "published still"

    await stack.rotate(retire=True)
    stack.shift(30 + 300)
    assert await stack.verifier.verify(after)
    with pytest.raises(Unauthenticated):
        await stack.verifier.verify(before)


async def test_a_token_lives_by_the_clock_of_the_stack(stack: Stack) -> None:
    before = await stack.token(principal="operator")
    stack.shift(30 * DAY)

    with pytest.raises(Unauthenticated) as refused:
        await stack.verifier.verify(before)
    assert refused.value.denial is Denial.EXPIRED
    ahead = await stack.token(principal="operator")
    assert (await stack.verifier.verify(ahead)).roles == {Role.OPERATOR}

    stack.shift(0)
    with pytest.raises(Unauthenticated) as refused:
        await stack.verifier.verify(ahead)
    assert refused.value.denial is Denial.NOT_YET_VALID


async def test_the_issuer_may_be_away_for_a_day(tmp_path: Path) -> None:
    part = start("issuer", tmp_path)
    stack = Stack(tmp_path, part.port)
    token = await stack.token(principal="contoso", claims={"exp": 9_999_999_999})
    assert await stack.verifier.verify(token)
    part.kill()
    assert part.process.stdout is not None
    part.process.stdout.close()

    stack.shift(DAY - 60)
    assert await stack.verifier.verify(token)
    stack.shift(DAY + 60)
    with pytest.raises(IdentityUnavailable):
        await stack.verifier.verify(token)

    with running("issuer", tmp_path, LETHE_ISSUER_PORT=str(part.port)):
        stack.shift(DAY + 120)
        assert await stack.verifier.verify(token)
    await stack.close()
