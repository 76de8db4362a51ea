"""The store of jobs: container ``generations``, partition key (tenant, job).

The SDK re-sends writes after a dropped connection and then meets its own write. So each claim and each batch carries the
worker's attempt token; on 409, 412 or an unknown outcome the receipt is read once, and the own token means success. Every
operation here is therefore safe to repeat.
"""

from dataclasses import replace

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure import documents
from shared.azure.cosmos import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    TOO_LARGE,
    Answered,
    Document,
    Operation,
    foreign_errors,
    sets,
)
from shared.azure.marks import marked_as, until
from shared.clock import Clock
from shared.domain.generation import Outcome, Receipt, Status
from shared.domain.policy import ttl
from shared.domain.request import GenerationRequest
from shared.errors import LeaseLost, OutputTooLarge, StoreUnavailable
from shared.patience import patient

_LIVE = "(c.status = 'queued' OR c.status = 'in_progress')"
_UNDECIDED = frozenset({NOT_FOUND, CONFLICT, PRECONDITION_FAILED})


class Generations:
    """Claims, leases and results."""

    def __init__(self, container: ContainerProxy, *, clock: Clock, grace: int) -> None:
        self._container = container
        self._clock = clock
        self._grace = grace

    @patient
    async def create(self, receipt: Receipt) -> Receipt:
        """Store a new receipt, which claims its job; return the receipt that stands there then, own or another's."""
        try:
            async with foreign_errors():
                await self._container.create_item(
                    documents.of_receipt(receipt, now=self._clock(), grace=self._grace), no_response=True
                )
        except Answered as answer:
            if answer.status != CONFLICT:
                raise StoreUnavailable from None
            try:
                return await self.read(receipt)
            except LeaseLost:  # gone between the two requests: create again
                raise StoreUnavailable from None
        return receipt

    @patient
    async def read(self, receipt: Receipt) -> Receipt:
        """Read the receipt that stands at this job; raises `LeaseLost` when none does."""
        return documents.to_receipt((await self._read_document(receipt))[0])

    async def find(self, receipt: Receipt) -> Receipt | None:
        """Read the receipt that stands at this job, None when none does."""
        try:
            return await self.read(receipt)
        except LeaseLost:
            return None

    @patient
    async def claim(self, found: Receipt, *, attempt_token: str, lease: int) -> Receipt:
        """Take a job that nobody works on; raises `LeaseLost` when somebody else was quicker."""
        document, etag = await self._read_document(found)
        current = documents.to_receipt(document)
        if current.attempt_token == attempt_token:
            return current
        now = self._clock()
        if current.status.terminal or current.ready_at() > now:
            raise LeaseLost
        claimed = replace(
            current,
            status=Status.IN_PROGRESS,
            attempt=current.attempt + 1,
            attempt_token=attempt_token,
            lease_until=now + lease,
        )
        await self._patch(
            claimed,
            {
                "status": claimed.status,
                "attempt": claimed.attempt,
                "attempt_token": attempt_token,
                "lease_until": claimed.lease_until,
                "started_at": now,
            },
            etag=etag,
        )
        return claimed

    @patient
    async def renew(self, receipt: Receipt, *, lease: int) -> None:
        """Prolong the own lease; raises `LeaseLost` when it is no longer the own."""
        await self._patch(
            receipt,
            {"lease_until": self._clock() + lease},
            condition=_owned_by(receipt),
        )

    @patient
    async def count_calls(self, receipt: Receipt, *, model_calls: int) -> None:
        """Keep how often the model was called for the own job, before it is called again; raises `LeaseLost`."""
        await self._patch(receipt, {"model_calls": model_calls}, condition=_owned_by(receipt))

    @patient
    async def release(self, receipt: Receipt, *, not_before: float, model_calls: int) -> None:
        """Give the own job back until a time; raises `LeaseLost`. Repeating it changes nothing."""
        await self._patch(
            receipt,
            {
                "status": Status.QUEUED,
                "not_before": not_before,
                "model_calls": model_calls,
            },
            condition=f"c.attempt_token = '{receipt.attempt_token}' AND {_LIVE}",
        )

    @patient
    async def next_attempt(self, receipt: Receipt) -> int:
        """Count a further copy of the job's message, and return its number: a message id is never used twice.

        Raises `LeaseLost` when the job has ended, so that no copy is needed.
        """
        while True:
            try:
                async with foreign_errors():
                    document = await self._container.patch_item(
                        "receipt",
                        [receipt.tenant_id, receipt.job_id],
                        [{"op": "incr", "path": "/attempt", "value": 1}, *sets({"ttl": self._ttl(receipt)})],
                        filter_predicate=f"FROM c WHERE {_LIVE} AND {marked_as(receipt.held)}",
                    )
            except Answered:
                current = await self.read(receipt)
                if current.held == receipt.held:
                    raise LeaseLost from None
                receipt = replace(receipt, held=current.held)
            else:
                return int(document["attempt"])

    @patient
    async def remember_copy(self, receipt: Receipt, *, sequence_number: int) -> None:
        """Keep the sequence number of the waiting copy, by which cancel and erasure can reach it.

        Raises `LeaseLost` when the job was deleted meanwhile: then nobody will look for the copy.
        """
        await self._patch(receipt, {"scheduled_sequence_number": sequence_number}, condition="IS_NULL(c.deleted_at)")

    @patient
    async def finish(self, receipt: Receipt, request: GenerationRequest, outcome: Outcome, *, heard: bool) -> None:
        """Store the end of a job in one transaction: the receipt's state, the output, the event.

        ``heard``: whether somebody may listen for the event, so that it is to be announced.
        Raises `LeaseLost` (the job is another's by now; discard the output) and `OutputTooLarge`.
        """
        while True:
            try:
                async with foreign_errors():
                    await self._container.execute_item_batch(
                        self._ending(receipt, request, outcome, heard=heard), [receipt.tenant_id, receipt.job_id]
                    )
            except Answered as answer:
                if answer.status == TOO_LARGE:
                    raise OutputTooLarge from None
                current = await self.read(receipt)
                is_own = current.attempt_token == receipt.attempt_token
                if is_own and current.status.terminal:
                    return
                if not is_own or current.held == receipt.held:
                    raise LeaseLost from None
                receipt = replace(receipt, held=current.held)
            else:
                return

    def _ending(self, receipt: Receipt, request: GenerationRequest, outcome: Outcome, *, heard: bool) -> list[Operation]:
        now = self._clock()
        result: dict[str, object] = {
            "status": outcome.status,
            "completed_at": now,
            "model_calls": receipt.model_calls,
            "abuse_record_expires_at": receipt.abuse_record_expires_at,
            "result": documents.of_result(outcome),
            "ttl": self._ttl(receipt),
        }
        condition = f"FROM c WHERE {_owned_by(receipt)} AND {marked_as(receipt.held)}"
        operations: list[Operation] = [
            ("patch", ("receipt", sets(result)), {"filter_predicate": condition}),
            ("create", (documents.of_event(receipt, outcome, heard=heard, now=now, grace=self._grace),)),
        ]
        if outcome.has_output and now < receipt.content_expires_at:
            output = documents.of_output(receipt, request, outcome, now=now, grace=self._grace)
            operations.append(("create", (output,)))
        return operations

    async def _read_document(self, receipt: Receipt) -> tuple[Document, str]:
        try:
            async with foreign_errors():
                document = await self._container.read_item("receipt", [receipt.tenant_id, receipt.job_id])
        except Answered:
            raise LeaseLost from None
        return document, str(document["_etag"])

    async def _patch(
        self, receipt: Receipt, values: dict[str, object], *, etag: str | None = None, condition: str | None = None
    ) -> None:
        """Set fields and the ttl, under the etag or while the receipt is marked as known; raises `LeaseLost`."""
        while True:
            conditions = [condition, marked_as(receipt.held)] if condition else [marked_as(receipt.held)]
            try:
                async with foreign_errors():
                    await self._container.patch_item(
                        "receipt",
                        [receipt.tenant_id, receipt.job_id],
                        sets({**values, "ttl": self._ttl(receipt)}),
                        filter_predicate=None if etag else f"FROM c WHERE {' AND '.join(conditions)}",
                        etag=etag,
                        match_condition=MatchConditions.IfNotModified if etag else None,
                        no_response=True,
                    )
            except Answered as answer:
                if answer.status not in _UNDECIDED:
                    raise StoreUnavailable from None
                current = await self.read(receipt)
                if current.held != receipt.held and not etag:
                    receipt = replace(receipt, held=current.held)
                    continue
                lost = current.attempt_token != receipt.attempt_token or current.deleted_at is not None
                if lost or current.status is not values.get("status", current.status):
                    raise LeaseLost from None
            return

    def _ttl(self, receipt: Receipt) -> int:
        return ttl(receipt.expires_at, now=self._clock(), grace=self._grace, held_until=until(receipt.held))


def _owned_by(receipt: Receipt) -> str:
    """The condition under which a worker may write: the job is still its own. The token is hexadecimal, never a caller's."""
    return f"c.attempt_token = '{receipt.attempt_token}' AND c.status = 'in_progress'"
