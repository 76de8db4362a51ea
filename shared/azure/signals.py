"""Signs of abuse: what receipts say of the filter's outcomes. Nothing is written for them, and nothing of a content is read.

Read tenant by tenant, inside its own partitions: only tenants whose policy looks for abuse are looked at, and each with its own
window; a query over all would read every receipt of the others.
"""

from collections.abc import Mapping
from typing import Any

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import count_rows, query_rows
from shared.azure.documents import to_mac
from shared.domain.detection import Signal
from shared.domain.filter_outcome import Verdict
from shared.domain.macs import Mac
from shared.patience import patient

PAGE = 500

_SIGNALS = (
    "SELECT c.jobId, c.subject, c.principal, c.completed_at, c.result FROM c WHERE c.dataClass = 'receipt' "
    "AND c.completed_at > @since AND c.result.filter_outcome IN ('annotated', 'prompt_blocked', 'completion_blocked') "
    "ORDER BY c.completed_at ASC OFFSET @skip LIMIT @page"
)
_SEEN = "SELECT VALUE COUNT(1) FROM c WHERE c.dataClass = 'receipt' AND c.created_at <= @before AND c.subject.mac = @mac"


class Signals:
    """Reads signals; raises `StoreUnavailable`."""

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    async def since(self, tenant: str, since: float, *, most: int) -> tuple[list[Signal], bool]:
        """Return a tenant's signals since a time (seconds since the epoch), the earliest first, and whether these are all."""
        found: list[Signal] = []
        while len(found) < most:
            page = await self._page(tenant, {"since": since, "skip": len(found), "page": PAGE})
            found += page
            if len(page) < PAGE:
                return found, True
        return found, False

    @patient
    async def was_seen(self, tenant: str, subject: Mac, *, before: float) -> bool:
        """Whether a subject had a job that was admitted before a time, and of which there is still a receipt."""
        return await count_rows(self._container, _SEEN, {"mac": subject.mac, "before": before}, key=[tenant]) > 0

    @patient
    async def _page(self, tenant: str, values: Mapping[str, object]) -> list[Signal]:
        return [_signal(tenant, row) for row in await query_rows(self._container, _SIGNALS, values, key=[tenant])]


def _signal(tenant: str, row: dict[str, Any]) -> Signal:
    return Signal(
        tenant_id=tenant,
        job_id=row["jobId"],
        subject=to_mac(row.get("subject")),
        principal=row.get("principal"),
        at=row["completed_at"],
        verdict=Verdict(row["result"]["filter_outcome"]),
        codes=tuple(row["result"].get("filter_codes", ())),
    )
