"""What the timer remembers from run to run: documents of its own in container ``privacy``, without content, kept for good.

They lie under a tenant id that no tenant can have (`shared.domain.policy.TENANT_ID` has no ``$``), so that no query of a
tenant's documents meets them. Whoever writes last wins: two runs at once may do some work twice, and lose none.
"""

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import NOT_FOUND, Answered, Document, foreign_errors
from shared.errors import StoreUnavailable
from shared.patience import patient

STAMP = "$stamp"


class StampState:
    """Reads and writes one small document for each purpose; raises `StoreUnavailable`."""

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    @patient
    async def read(self, place: str) -> Document | None:
        """Return what was written there, None when nothing was."""
        try:
            async with foreign_errors():
                return dict(await self._container.read_item(place, STAMP))
        except Answered as answer:
            if answer.status == NOT_FOUND:
                return None
            raise StoreUnavailable from None

    @patient
    async def write(self, place: str, **values: str | float | None) -> None:
        """Write values in place of what was there."""
        document = {"id": place, "tenantId": STAMP, "dataClass": "stamp_state", **values}
        try:
            async with foreign_errors():
                await self._container.upsert_item(document, no_response=True)
        except Answered:
            raise StoreUnavailable from None
