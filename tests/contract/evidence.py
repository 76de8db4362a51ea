"""The evidence chains on a Cosmos endpoint and a vault of one test module's own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure.evidence import Evidence
from shared.domain.evidence import Chain, Record, Unreadable, Verification, verify
from shared.domain.evidence_head import Purpose
from shared.privacy import evidence_check
from shared.privacy.evidence_check import Finding
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.contract.vault import Running, running_vault

CHAIN = Chain.CONFIGURATION


@dataclass(frozen=True, kw_only=True)
class Services:
    """What evidence needs: a store and a vault, with one clock."""

    endpoint: Endpoint
    vault: Running

    @asynccontextmanager
    async def evidence(self) -> AsyncIterator[tuple[Evidence, ContainerProxy]]:
        """The app's evidence, and the container for whoever tampers with it."""
        async with self.endpoint.container("evidence") as container, self.vault.signer() as signer:
            yield Evidence(container, signer=signer, clock=clock.now), container

    async def clear(self) -> None:
        """Empty all chains, and end all faults."""
        self.endpoint.reset()
        async with self.endpoint.container("evidence") as container:
            for found in [each async for each in container.query_items("SELECT c.id, c.chain FROM c")]:
                await container.delete_item(found["id"], found["chain"])


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Run both."""
    with fresh_endpoint(folder) as endpoint, running_vault(endpoint.state) as vault:
        yield Services(endpoint=endpoint, vault=vault)


async def stored(store: Evidence, chain: Chain) -> list[Record | Unreadable]:
    """What stands in a chain."""
    return [each async for each in store.read(chain)]


async def verified(store: Evidence, chain: Chain) -> Verification:
    """How far a chain holds by itself."""
    return verify(await stored(store, chain))


async def check(store: Evidence, chain: Chain) -> Finding:
    """What the check finds of one chain; the timer's is stale after 15 minutes."""
    [found] = await evidence_check.check(store, [chain], stale_after=900)
    return found


async def ends_signed(store: Evidence, chain: Chain) -> bool:
    """Whether a chain holds, and its signed head is its end."""
    found = await store.signed(chain, Purpose.HEAD)
    return found is not None and (await verified(store, chain)) == Verification(verified=found.head, problem=None)
