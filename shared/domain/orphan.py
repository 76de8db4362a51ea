"""What of one job's documents does not fit together."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.generation import Status

_PROMISE_OUTPUT = frozenset({Status.COMPLETED, Status.INCOMPLETE})


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One document of a job, without content; times in seconds since the epoch.

    ``of_job`` is false for an event that tells of something else, an endpoint that was disabled: it has no receipt.
    """

    document_id: str
    data_class: str
    tenant_id: str
    job_id: str
    etag: str
    expires_at: float
    status: str | None = None
    content_expires_at: float | None = None
    deleted_at: float | None = None
    held_until: float | None = None
    of_job: bool = True


def orphans(job: Iterable[Trace], *, now: float) -> list[Trace]:
    """Return outputs and events whose receipt is gone. What is due is another step's, and what is held stays."""
    traces = [*job]
    if any(trace.data_class == "receipt" for trace in traces):
        return []
    return [
        trace
        for trace in traces
        if trace.data_class in {"output", "event"} and trace.of_job and trace.expires_at > now >= (trace.held_until or 0.0)
    ]


def missing_output(job: Iterable[Trace], *, now: float) -> Trace | None:
    """Return the receipt of a job that should have an output and has none: it was not deleted, nor has its time come."""
    traces = [*job]
    if any(trace.data_class == "output" for trace in traces):
        return None
    return next((trace for trace in traces if trace.data_class == "receipt" and _promises(trace, now=now)), None)


def _promises(receipt: Trace, *, now: float) -> bool:
    return receipt.status in _PROMISE_OUTPUT and receipt.deleted_at is None and (receipt.content_expires_at or 0.0) > now
