"""Fixtures of the tests of webhooks and of erasures, which some modules share. Other modules have fixtures of their own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.contract.erasing import Bench as Eraser
from tests.contract.erasing import bench as erasing_bench
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
def erasure_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A Cosmos endpoint."""
    with fresh_endpoint(tmp_path_factory.mktemp("erasures")) as endpoint:
        yield endpoint


@pytest.fixture
async def eraser(erasure_store: Endpoint, tmp_path: Path) -> AsyncIterator[Eraser]:
    """Everything that an erasure works with, and nothing in the store."""
    async with erasing_bench(erasure_store, tmp_path) as ready:
        yield ready
