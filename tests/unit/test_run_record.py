from typing import Any

import pytest

from shared.domain.evidence import Chain, Head
from shared.domain.evidence_anchors import anchor_fields, without_anchors
from shared.domain.evidence_fields import check_fields
from shared.domain.run_record import fields_of, run_of
from shared.domain.step_report import StepReport

REPORTS = [
    StepReport(step="expired_documents", checked=7, found=5, deleted=4, overdue=1, oldest_overdue_seconds=12.3456),
    StepReport(step="configuration", complete=False),
]


def test_a_run_reads_as_it_was_written() -> None:
    run = run_of(fields_of(REPORTS, seconds=0.12345), at=1000.0)
    assert (run.at, run.seconds) == (1000.0, 0.123)
    assert list(run.steps) == ["expired_documents", "configuration"]
    assert run.steps["expired_documents"].oldest_overdue_seconds == 12.346
    assert run.steps["configuration"] == REPORTS[1]


def test_a_run_reads_as_it_was_written_beside_what_the_store_says_of_other_chains() -> None:
    anchors = anchor_fields({chain: Head(sequence=3, hash="ab" * 32) for chain in Chain})
    written = fields_of(REPORTS, seconds=0.5)
    assert without_anchors({**written, **anchors}) == written
    assert run_of({**written, **anchors}, at=1.0) == run_of(written, at=1.0)


def test_a_run_is_evidence_in_form() -> None:
    check_fields(fields_of(REPORTS, seconds=1.0))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"seconds": "1"},
        {"seconds": 1, "step": (1, 2, 3, 4, 5.0)},
        {"seconds": 1, "step": (1, 2, 3, 4, 5.0, 1)},
        {"seconds": 1, "step": (1, 2, 3, 4, "5", True)},
        {"seconds": 1, "step": (1.5, 2, 3, 4, 5.0, True)},
        {"seconds": 1, "step": 7},
    ],
)
def test_what_is_no_run_is_not_read_as_one(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="run"):
        run_of(fields, at=1.0)
