from typing import Any

import pytest

from shared.domain.orphan import Trace, missing_output, orphans

NOW = 1000.0


def trace(data_class: str, **changes: Any) -> Trace:  # noqa: ANN401
    values: dict[str, Any] = {"document_id": data_class, "data_class": data_class, "tenant_id": "t", "job_id": "j", "etag": "e"}
    clocks = {"expires_at": NOW + 60, "content_expires_at": NOW + 30, "status": "completed"}
    return Trace(**{**values, **clocks, **changes})


RECEIPT, OUTPUT, EVENT = trace("receipt"), trace("output"), trace("event")


@pytest.mark.parametrize(
    ("job", "found"),
    [
        ((RECEIPT, OUTPUT, EVENT), []),
        ((OUTPUT, EVENT), [OUTPUT, EVENT]),
        ((OUTPUT, trace("event", of_job=False)), [OUTPUT]),  # the event of a disabled endpoint never had a receipt
        ((trace("output", expires_at=NOW),), []),  # it is due anyway
        ((trace("output", held_until=NOW + 1), EVENT), [EVENT]),
        ((trace("output", held_until=NOW),), [trace("output", held_until=NOW)]),
        ((trace("probe"),), []),
    ],
)
def test_content_and_events_without_a_receipt_are_orphans(job: tuple[Trace, ...], found: list[Trace]) -> None:
    assert orphans(job, now=NOW) == found


@pytest.mark.parametrize(
    ("job", "is_missing"),
    [
        ((RECEIPT, EVENT), True),
        ((trace("receipt", status="incomplete"),), True),
        ((RECEIPT, OUTPUT, EVENT), False),
        ((trace("receipt", status="cancelled"),), False),
        ((trace("receipt", status="in_progress"),), False),
        ((trace("receipt", deleted_at=NOW - 1),), False),
        ((trace("receipt", content_expires_at=NOW),), False),
        ((EVENT,), False),
    ],
)
def test_a_completed_job_without_its_output_is_missing_one_until_its_deadline(
    job: tuple[Trace, ...], *, is_missing: bool
) -> None:
    assert (missing_output(job, now=NOW) is not None) is is_missing
