"""Reading, cancelling and deleting jobs in container ``generations``, for the faces of HTTP.

Cancel and delete are conditional on what was read, so that each has one winner against a worker's last batch: whoever writes
first changes the receipt, and the other's condition fails.
"""

from secrets import token_hex

from azure.cosmos.aio import ContainerProxy

from shared.azure import documents
from shared.azure.cosmos import Answered, Document, Operation, find_document, foreign_errors, sets
from shared.azure.marks import until
from shared.clock import Clock
from shared.domain.generation import Outcome, Receipt, Record, Status
from shared.domain.json_document import Json
from shared.domain.policy import ttl
from shared.errors import WriteConflict
from shared.patience import patient


class Found:
    """A record with the etag of its receipt."""

    def __init__(self, record: Record, etag: str) -> None:
        self.record = record
        self.etag = etag


class Records:
    """Jobs as their tenants see them. Every read names the tenant, whose partition it is: another's job is not found."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    @patient
    async def find(self, tenant: str, job_id: str) -> Found | None:
        """Return a job without its output, None when there is no such job of this tenant."""
        document = await self._read("receipt", tenant, job_id)
        if document is None:
            return None
        result = document.get("result") or {}
        record = Record(
            receipt=documents.to_receipt(document),
            completed_at=document.get("completed_at"),
            error_code=result.get("error_code"),
            output=None,
        )
        return Found(record, str(document["_etag"]))

    @patient
    async def output(self, tenant: str, job_id: str) -> Json | None:
        """Return a job's output document while it exists and its own deadline has not come."""
        document = await self._read("output", tenant, job_id)
        return document if document is not None and document["expires_at"] > self._clock() else None

    @patient
    async def has_output(self, tenant: str, job_id: str) -> bool:
        """Whether an output lies there, also one past its deadline that no read returns: a deletion has to find it."""
        return await self._read("output", tenant, job_id) is not None

    @patient
    async def cancel(self, found: Found, *, heard: bool) -> None:
        """End a job that has not ended, with an event (``heard`` as for `Generations.finish`).

        Raises `WriteConflict` when the receipt was written since it was found.
        """
        receipt, now = found.record.receipt, self._clock()
        event = documents.of_event(receipt, Outcome(status=Status.CANCELLED), heard=heard, now=now, grace=self._grace)
        await self._execute(receipt, [self._ending(found, {"completed_at": now}), ("create", (event,))])

    @patient
    async def delete(self, found: Found, *, has_output: bool) -> None:
        """Delete the content and leave a tombstone; raises `WriteConflict` as `cancel` does.

        The tombstone is the receipt without its MACs. It lives on as the receipt would have, which is longer than any copy
        of the message can wait, so that nothing comes back to life. A held output stays, past its deadline from now on; and
        the subject stays on its tombstone, because the hold is found by it (`shared.azure.held_jobs` takes it off).
        """
        receipt, now = found.record.receipt, self._clock()
        is_held = receipt.held is not None and receipt.held.stands(now)
        end: dict[str, object] = {"deleted_at": now, "content_mac": None}
        if not is_held:
            end["subject"] = None
        if not receipt.status.terminal:
            end["completed_at"] = now
        operations: list[Operation] = [self._ending(found, end)]
        if has_output:
            operations.append(self._overdue_output(receipt, now) if is_held else ("delete", ("output",)))
        await self._execute(receipt, operations)

    def _overdue_output(self, receipt: Receipt, now: float) -> Operation:
        """Bring a held output's deadline forward to now: the timer deletes it when the hold is over."""
        ends_at = min(now, receipt.content_expires_at)
        return (
            "patch",
            (
                "output",
                sets(
                    {
                        "expires_at": ends_at,
                        "kept_seconds": max(0, round(ends_at - receipt.created_at)),
                        "ttl": ttl(ends_at, now=now, grace=self._grace, held_until=until(receipt.held)),
                    }
                ),
            ),
        )

    def _ending(self, found: Found, values: dict[str, object]) -> Operation:
        """Patch the receipt; one that had not ended is cancelled, under a token that no worker holds."""
        receipt = found.record.receipt
        lives = ttl(receipt.expires_at, now=self._clock(), grace=self._grace, held_until=until(receipt.held))
        values = {**values, "ttl": lives}
        if not receipt.status.terminal:
            values |= {"status": Status.CANCELLED, "attempt_token": token_hex(16)}
        return ("patch", ("receipt", sets(values)), {"if_match_etag": found.etag})

    async def _execute(self, receipt: Receipt, operations: list[Operation]) -> None:
        try:
            async with foreign_errors():
                await self._container.execute_item_batch(operations, [receipt.tenant_id, receipt.job_id])
        except Answered:
            raise WriteConflict from None

    async def _read(self, document_id: str, tenant: str, job_id: str) -> Document | None:
        return await find_document(self._container, document_id, [tenant, job_id])
