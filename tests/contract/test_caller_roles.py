"""In which roles a caller acts: those that its token and its tenant's policy both give, by real tokens and a real store."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from shared.azure.policies import Policies
from shared.callers import Caller, Callers
from shared.domain.principal import TENANT_ROLES, Role
from shared.errors import Denial, Forbidden
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.policies import stored
from tests.tokens import DIRECTORY, Clock, JwksServer, jwks_server, new_key

KEY = new_key("current")
SUBMIT, PRIVACY, OPERATOR, REVIEWER = Role
CLIENTS = {
    granted: f"11e7be00-0000-4000-8000-00000000000{number}"
    for number, granted in enumerate([(SUBMIT,), (PRIVACY,), (SUBMIT, PRIVACY)])
}
LISTED_TWICE, STRANGER = (f"11e7be00-0000-4000-8000-00000000000{number}" for number in (8, 9))


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where callers are recognised."""

    server: JwksServer
    callers: Callers

    async def caller(self, client: str, *roles: Role | str) -> Caller:
        """The caller with this client id and these roles in its token."""
        return await self.callers.authenticate(f"Bearer {self.server.token(KEY, azp=client, roles=list(roles))}")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture(scope="module")
async def desk(endpoint: Endpoint) -> AsyncIterator[Desk]:
    principals = [(client, granted) for granted, client in CLIENTS.items()]
    principals += [(LISTED_TWICE, (SUBMIT,)), (LISTED_TWICE, (PRIVACY,))]
    listed = [{"directory": DIRECTORY, "client_id": client, "roles": [*granted]} for client, granted in principals]
    async with jwks_server() as server, endpoint.container("policies") as container:
        server.publish(KEY.jwk())
        await container.create_item(stored("contoso", principals=listed))
        clock = Clock()
        yield Desk(server=server, callers=Callers(verifier=server.verifier(clock), policies=Policies(container, clock=clock)))


@pytest.mark.parametrize(
    ("granted", "claimed", "roles"),
    [
        # Both give it
        ((SUBMIT,), [SUBMIT], {SUBMIT}),
        ((PRIVACY,), [PRIVACY], {PRIVACY}),
        ((SUBMIT, PRIVACY), [SUBMIT, PRIVACY], {SUBMIT, PRIVACY}),
        # Only the policy
        ((SUBMIT, PRIVACY), [SUBMIT], {SUBMIT}),
        ((SUBMIT, PRIVACY), [PRIVACY], {PRIVACY}),
        # Only the token
        ((SUBMIT,), [SUBMIT, PRIVACY], {SUBMIT}),
        ((PRIVACY,), [SUBMIT, PRIVACY], {PRIVACY}),
        ((SUBMIT,), [PRIVACY], set()),
        ((PRIVACY,), [SUBMIT], set()),
        # Roles of those who run the service are not the policy's to take or give
        ((SUBMIT,), [OPERATOR], {OPERATOR}),
        ((SUBMIT,), [SUBMIT, OPERATOR], {SUBMIT, OPERATOR}),
        ((SUBMIT,), [PRIVACY, REVIEWER], {REVIEWER}),
        # A name that is no role is none
        ((SUBMIT,), [SUBMIT, "Lethe.Admin"], {SUBMIT}),
    ],
)
async def test_a_role_for_a_tenant_counts_when_token_and_policy_both_give_it(
    desk: Desk, granted: tuple[Role, ...], claimed: list[Role | str], roles: set[Role]
) -> None:
    caller = await desk.caller(CLIENTS[granted], *claimed)
    assert caller.principal.roles == roles
    assert (caller.tenant is not None) is any(role in TENANT_ROLES for role in claimed)


async def test_a_principal_that_a_policy_lists_twice_has_the_roles_of_both_entries(desk: Desk) -> None:
    assert (await desk.caller(LISTED_TWICE, SUBMIT, PRIVACY)).principal.roles == {SUBMIT, PRIVACY}


async def test_a_role_that_the_policy_does_not_give_opens_nothing(desk: Desk) -> None:
    caller = await desk.caller(CLIENTS[(SUBMIT,)], SUBMIT, PRIVACY)
    assert caller.tenant_for(SUBMIT).tenant_id == "contoso"
    with pytest.raises(Forbidden) as refused:
        caller.tenant_for(PRIVACY)
    assert refused.value.denial is Denial.ROLE


async def test_a_persons_role_asks_for_a_person(desk: Desk) -> None:
    person = {"azp": STRANGER, "roles": [REVIEWER], "oid": "a-person", "sub": "pairwise", "scp": "Review"}
    reviewer = await desk.callers.authenticate(f"Bearer {desk.server.token(KEY, **person)}")
    reviewer.require_person(REVIEWER)
    for caller, denial in (
        (await desk.caller(STRANGER, REVIEWER), Denial.APP_ONLY),
        (await desk.caller(STRANGER, OPERATOR), Denial.ROLE),
    ):
        with pytest.raises(Forbidden) as refused:
            caller.require_person(REVIEWER)
        assert refused.value.denial is denial


async def test_a_person_acts_for_no_tenant_even_through_a_client_that_a_policy_lists(desk: Desk) -> None:
    claims = {"azp": CLIENTS[(SUBMIT,)], "roles": [*Role], "oid": "a-person", "sub": "pairwise", "scp": "Review"}
    caller = await desk.callers.authenticate(f"Bearer {desk.server.token(KEY, **claims)}")
    assert caller.principal.roles == {REVIEWER}
    assert caller.tenant is None
    with pytest.raises(Forbidden) as refused:
        caller.tenant_for(SUBMIT)
    assert refused.value.denial is Denial.ROLE


async def test_a_stranger_keeps_its_roles_and_acts_for_nobody(desk: Desk) -> None:
    caller = await desk.caller(STRANGER, SUBMIT, OPERATOR)
    assert caller.principal.roles == {SUBMIT, OPERATOR}
    assert caller.tenant is None
    with pytest.raises(Forbidden) as refused:
        caller.tenant_for(SUBMIT)
    assert refused.value.denial is Denial.TENANT
