"""What the timer remembers from run to run: documents of its own in container ``privacy``, without content, kept for good.

They lie under a tenant id that no tenant can have (`shared.domain.policy.TENANT_ID` has no ``$``), so that no query of a
tenant's documents meets them. Of two runs at once the last to `write` wins: some work may be done twice, and none is lost.
Where that is not good enough, one of them wins by `replace`.
"""

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import CONFLICT, NOT_FOUND, PRECONDITION_FAILED, Answered, Document, find_document, foreign_errors
from shared.domain.policy import STAMP
from shared.errors import StoreUnavailable
from shared.patience import patient


class StampState:
    """Reads and writes one small document for each purpose; raises `StoreUnavailable`."""

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    @patient
    async def read(self, place: str) -> Document | None:
        """Return what was written there, None when nothing was."""
        return await find_document(self._container, place, STAMP)

    @patient
    async def write(self, place: str, **values: str | float | None) -> None:
        """Write values in place of what was there."""
        document = {"id": place, "tenantId": STAMP, "dataClass": "stamp_state", **values}
        try:
            async with foreign_errors():
                await self._container.upsert_item(document, no_response=True)
        except Answered:
            raise StoreUnavailable from None

    async def replace(self, place: str, *, over: Document | None, **values: object) -> Document | None:
        """Write values over what was read, None being nothing; return what stands now, None when somebody else wrote meanwhile.

        Not patient: a write that is sent again could meet its own, and would call it somebody else's.
        """
        document = {"id": place, "tenantId": STAMP, "dataClass": "stamp_state", **values}
        try:
            async with foreign_errors():
                if over is None:
                    return dict(await self._container.create_item(document))
                return dict(
                    await self._container.replace_item(
                        place, document, etag=over["_etag"], match_condition=MatchConditions.IfNotModified
                    )
                )
        except Answered as answer:
            if answer.status in {CONFLICT, NOT_FOUND, PRECONDITION_FAILED}:
                return None
            raise StoreUnavailable from None
