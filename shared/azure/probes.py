"""Probes: documents of the timer's own in container ``generations``, of a tenant that there cannot be, without content."""

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import CONFLICT, Answered, find_document, foreign_errors
from shared.clock import Clock
from shared.domain.policy import ttl
from shared.errors import StoreUnavailable
from shared.patience import patient

PROBE = "$probe"
_ID = "probe"


class Probes:
    """Plants and looks; raises `StoreUnavailable`. Nothing here deletes: that is what is measured."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    @patient
    async def plant(self, name: str, *, deadline: float) -> None:
        """Store a probe that is to be gone at a time, in a partition of its own."""
        document = {
            "id": _ID,
            "dataClass": "probe",
            "tenantId": PROBE,
            "jobId": name,
            "expires_at": deadline,
            "ttl": ttl(deadline, now=self._clock(), grace=self._grace),
        }
        try:
            async with foreign_errors():
                await self._container.create_item(document, no_response=True)
        except Answered as answer:
            if answer.status != CONFLICT:  # a conflict is the own repeated write
                raise StoreUnavailable from None

    @patient
    async def is_readable(self, name: str) -> bool:
        """Whether a read still returns a probe."""
        return await find_document(self._container, _ID, [PROBE, name]) is not None
