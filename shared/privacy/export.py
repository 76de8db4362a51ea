"""Everything that is readable about one data subject, as lines of JSON: what its tenant could read job by job."""

import json
import time
from collections.abc import Iterable
from math import ceil

from shared.domain import views
from shared.domain.generation import Record
from shared.domain.json_document import Json
from shared.errors import Gone, NotFound
from shared.generation.read import read
from shared.generation.services import Services
from shared.privacy.erasure import subject_macs
from shared.privacy.sweep import Erasing

PAGE = 100
MAX_BYTES = 8_000_000
"""Of one answer, but for its last job: a job has at most 2 MB."""
SECONDS = 4.0
"""Time for reading, so that an answer comes before the caller's patience ends."""


async def export(tenant: str, subject: str, after: str | None, erasing: Erasing, services: Services) -> bytes:
    """Return a page: a generation in each line, with its metadata, and last what it is and where the next one begins.

    Of records for abuse review, which are sealed, their number and the end of the last one are told (whole seconds). Jobs come
    in the order of their ids, so that a page can be asked for again; one that is admitted meanwhile may be on a page that was
    read.
    """
    subjects = await subject_macs(tenant, subject, erasing)
    cursor = (after or "").removeprefix(views.GENERATION)
    jobs = await erasing.jobs.documents.living(tenant, subjects, after=cursor, page=PAGE + 1)
    lines: list[bytes] = []
    until, read_to = time.monotonic() + SECONDS, 0
    for job_id in jobs[:PAGE]:
        if read_to and (time.monotonic() >= until or sum(map(len, lines)) >= MAX_BYTES):
            break
        read_to += 1
        try:
            lines.append(_line(_shown(await read(tenant, job_id, services))))
        except (NotFound, Gone):
            continue
    complete = read_to == len(jobs)
    sealed = await erasing.review.documents.sealed(tenant, subjects)
    last = {
        "object": "subject.export",
        "generations": len(lines),
        "sealed_records": {"count": sealed.count, "expires_at": sealed.expires_at and ceil(sealed.expires_at)},
        "complete": complete,
        "next": None if complete else f"{views.GENERATION}{jobs[read_to - 1]}",
    }
    return _joined([*lines, _line(last)])


def _shown(record: Record) -> Json:
    return views.generation(record) | {"metadata": (record.output or {}).get("metadata")}


def _line(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _joined(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
