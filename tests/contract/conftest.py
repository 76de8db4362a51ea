"""Fixtures of the tests of webhooks, erasures, evidence and the model, which several modules share; others have their own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from azure.cosmos.aio import ContainerProxy
from openai import AsyncOpenAI

from shared.azure.evidence import Evidence
from shared.domain.evidence import Kind, Record
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.contract.erasing import Bench as Eraser
from tests.contract.erasing import bench as erasing_bench
from tests.contract.evidence import CHAIN, Services, services
from tests.contract.model import Model, serving
from tests.contract.webhook_posts import Contexts
from tests.contract.webhook_servers import certificate_for
from tests.contract.webhooks import Bench, Receiver, bench, receiving


@pytest.fixture(scope="module")
def webhook_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A Cosmos endpoint."""
    with fresh_endpoint(tmp_path_factory.mktemp("cosmos")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def webhook_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A webhook receiver."""
    with receiving(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture
async def desk(webhook_store: Endpoint, webhook_receiver: Receiver, tmp_path: Path) -> AsyncIterator[Bench]:
    """Everything that a delivery works with, and nothing in the store."""
    async with bench(webhook_store, webhook_receiver, tmp_path) as ready:
        yield ready
        await ready.clear()


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    """A certificate for ``example.com``: served, and trusted."""
    return certificate_for("example.com", tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def running_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """A simulated model."""
    with serving(tmp_path_factory.mktemp("model")) as model:
        yield model


@pytest.fixture
def model(running_model: Model) -> Model:
    """The simulated model, which has forgotten all calls and faults."""
    running_model.reset()
    return running_model


@pytest.fixture
async def client(model: Model) -> AsyncIterator[AsyncOpenAI]:
    """The official client for the simulated model."""
    async with model.client() as client:
        yield client


@pytest.fixture(scope="module")
def erasure_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A Cosmos endpoint."""
    with fresh_endpoint(tmp_path_factory.mktemp("erasures")) as endpoint:
        yield endpoint


@pytest.fixture
async def eraser(erasure_store: Endpoint, tmp_path: Path) -> AsyncIterator[Eraser]:
    """Everything that an erasure works with, and nothing in the store."""
    async with erasing_bench(erasure_store, tmp_path) as ready:
        yield ready


@pytest.fixture(scope="module")
def evidence_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A store and a vault for evidence."""
    with services(tmp_path_factory.mktemp("evidence")) as started:
        yield started


@pytest.fixture
async def evidence_opened(evidence_services: Services) -> AsyncIterator[tuple[Evidence, ContainerProxy]]:
    """The evidence with empty chains, and its container."""
    async with evidence_services.evidence() as both:
        yield both
    await evidence_services.clear()


@pytest.fixture
def chains(evidence_opened: tuple[Evidence, ContainerProxy]) -> Evidence:
    """The evidence with empty chains."""
    return evidence_opened[0]


@pytest.fixture
def container(evidence_opened: tuple[Evidence, ContainerProxy]) -> ContainerProxy:
    """The container of the evidence, for whoever tampers with it."""
    return evidence_opened[1]


@pytest.fixture
async def chain(chains: Evidence) -> list[Record]:
    """Four records."""
    return [await chains.append(CHAIN, Kind.CONFIGURATION_CHECKED, {"number": number}) for number in range(4)]
