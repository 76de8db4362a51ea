"""What the check of the configuration says of an opt-out, and what it remembers for workers; with real parts, but no broker."""

from collections.abc import AsyncIterator, Iterator

import pytest

from local.management import ids
from shared.domain.checked import Part, Unchecked
from shared.domain.drift import Drift, Finding
from shared.errors import StoreUnavailable
from shared.privacy import configuration as checking
from shared.privacy.configuration import Configuration, check, report
from tests import policies
from tests.contract import management
from tests.contract.configured import configured
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.contract.management import managing
from tests.contract.vault import Running, running_vault

ACCOUNT = "Microsoft.CognitiveServices/accounts"
MODE = {"mode": "opted_out", "approval": "AOAI-2026-0117", "approved_on": "2026-03-02"}
OFF = [{"name": "ContentLogging", "value": "false"}]
FINDING = Finding(kind=Drift.OPT_OUT_UNCONFIRMED, target="fabrikam")
UNREAD = Unchecked(part=Part.OPT_OUTS, target="fabrikam")


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory, cosmos: Endpoint) -> Iterator[management.Management]:
    settings = {"LETHE_COSMOS_PORT": str(cosmos.part.port), "LETHE_MODEL_PORT": "8082"}
    with managing(tmp_path_factory.mktemp("management"), **settings) as part:
        yield part


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_vault(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
async def azure(endpoint: management.Management, cosmos: Endpoint) -> management.Management:
    """The management endpoint of a stamp where one of two tenants opted out."""
    endpoint.reset()
    cosmos.reset()
    async with cosmos.container("policies") as container:
        await container.upsert_item(policies.stored("contoso"))
        await container.upsert_item(policies.stored("fabrikam", abuse_monitoring=MODE))
    return endpoint


@pytest.fixture
async def configuration(azure: management.Management, cosmos: Endpoint, vault: Running) -> AsyncIterator[Configuration]:
    async with configured(azure, cosmos, vault) as found:
        yield found


async def said(configuration: Configuration) -> tuple[bool, bool]:
    """Whether the opt-out is found unconfirmed, and whether it is unchecked."""
    checked = await check(configuration)
    return FINDING in checked.findings, UNREAD in checked.unchecked


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        (OFF, (False, False)),
        ([{"name": "VirtualNetworks"}], (True, False)),
        (None, (False, True)),
        ([{"name": "ContentLogging", "value": "partly"}], (False, True)),
    ],
)
async def test_an_opt_out_that_azure_does_not_confirm_is_found_and_one_that_cannot_be_read_is_unchecked(
    configuration: Configuration, azure: management.Management, capabilities: object, expected: tuple[bool, bool]
) -> None:
    azure.override(ids.account("primary"), properties={"capabilities": capabilities})
    assert await said(configuration) == expected


async def test_of_an_account_that_does_not_answer_an_opt_out_is_unchecked_and_not_found(
    configuration: Configuration, azure: management.Management
) -> None:
    azure.fault(status=403, path=f"{ACCOUNT}/primary")
    assert await said(configuration) == (False, True)


async def test_who_did_not_opt_out_is_neither(configuration: Configuration, cosmos: Endpoint) -> None:
    async with cosmos.container("policies") as container:
        await container.upsert_item(policies.stored("fabrikam"))
    assert await said(configuration) == (False, False)


async def test_each_check_remembers_what_workers_route_by(configuration: Configuration, azure: management.Management) -> None:
    workers = configuration.content_logging
    azure.override(ids.account("primary"), properties={"capabilities": OFF})
    await report(configuration, "configuration")
    assert await workers.confirmed() == {"primary"}
    azure.fault(status=403, path=f"{ACCOUNT}/primary")
    await report(configuration, "configuration")
    assert await workers.confirmed() == {"primary"}  # it showed it a moment ago
    azure.reset()
    await report(configuration, "configuration")
    assert await workers.confirmed() == frozenset()


async def test_a_check_that_cannot_remember_says_so(
    configuration: Configuration, cosmos: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PATIENCE", 0.2)
    cosmos.fault(container="privacy", status=503, count=1000)
    with pytest.raises(StoreUnavailable):
        await report(configuration, "configuration")
