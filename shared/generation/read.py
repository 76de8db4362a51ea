"""Reading, cancelling and deleting a job. After its content's deadline no read returns it, whatever still lies in the store."""

from dataclasses import replace

from shared.azure.records import Found, Records
from shared.delivery.announce import announce, is_heard
from shared.domain import macs
from shared.domain.generation import Outcome, Record, Status, event_type
from shared.domain.macs import Purpose
from shared.errors import Gone, NotFound, ServiceUnavailable, StoreUnavailable, WriteConflict
from shared.generation.delivery import QUEUE
from shared.generation.measured import measure_end
from shared.generation.services import Services

_TRIES = 5


async def read(tenant: str, job_id: str, services: Services) -> Record:
    """Return a job with its output; raises `NotFound` (unknown, deleted, another's) and `Gone` (past its deadline)."""
    record = (await _find(tenant, job_id, services.records)).record
    if record.receipt.content_expires_at <= services.clock():
        raise Gone
    if not record.receipt.status.terminal:
        return record
    return replace(record, output=await services.records.output(tenant, job_id))


async def lookup(tenant: str, custom_id: str, batch: str | None, services: Services) -> str:
    """Return the job id of a key; whether there is such a job is for `read` to say."""
    key = await services.keys.current(tenant, Purpose.JOB_ID)
    return macs.job_id(key, tenant=tenant, batch=batch, custom_id=custom_id)


async def cancel(tenant: str, job_id: str, services: Services) -> Record:
    """Cancel a job that has not ended, and return it as it is then: against a completion there is one winner."""
    records = services.records
    for _ in range(_TRIES):
        found = await _find(tenant, job_id, records)
        if not found.record.receipt.status.terminal:
            try:
                await _cancel(found, services)
            except WriteConflict:
                continue
        return await read(tenant, job_id, services)
    raise StoreUnavailable


async def _cancel(found: Found, services: Services) -> None:
    receipt = found.record.receipt
    heard = await is_heard(receipt.tenant_id, event_type(receipt.endpoint, Status.CANCELLED), services.webhooks)
    await services.records.cancel(found, heard=heard)
    measure_end(Outcome(status=Status.CANCELLED))
    await _withdraw(found, services)
    if heard:
        await announce(receipt.tenant_id, receipt.job_id, services.webhooks)


async def delete(tenant: str, job_id: str, services: Services) -> None:
    """Delete a job's content and leave a tombstone; raises `NotFound`. A worker whose batch meets it discards its output.

    What a hold covers stays until the hold is over, and nobody can read it any more.
    """
    records = services.records
    for _ in range(_TRIES):
        await _find(tenant, job_id, records)
        try:
            if holds := await services.holds.standing(tenant):
                await services.held_jobs.settle(tenant, job_id, holds)
            found = await _find(tenant, job_id, records)
            has_output = found.record.receipt.status.terminal and await records.has_output(tenant, job_id)
            await records.delete(found, has_output=has_output)
        except WriteConflict:
            continue
        await _withdraw(found, services)
        return
    raise StoreUnavailable


async def _find(tenant: str, job_id: str, records: Records) -> Found:
    found = await records.find(tenant, job_id)
    if found is None or found.record.receipt.deleted_at is not None:
        raise NotFound
    return found


async def _withdraw(found: Found, services: Services) -> None:
    """Take back the waiting copy of the message, if one is known; one that stays finds the job ended and does nothing."""
    sequence_number = found.record.receipt.scheduled_sequence_number
    if sequence_number is None:
        return
    try:
        await services.queues.cancel_scheduled(QUEUE, sequence_number)
    except ServiceUnavailable:
        return
