from dataclasses import replace
from typing import Any

import pytest

from shared.domain.evidence import Chain, Head
from shared.domain.evidence_anchors import anchor_fields
from shared.domain.evidence_fields import check_fields
from shared.domain.inventory import Depth, Inventory, Items
from shared.domain.policy import LETHES_QUEUES
from shared.domain.run_record import fields_of, run_of
from shared.domain.step_report import StepReport
from shared.metrics import STEPS

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


INVENTORY = Inventory(
    items={"output": Items(count=2, oldest_seconds=1.5)},
    queues={"generation-requests": Depth(active=1, scheduled=2, dead_lettered=3)},
)


@pytest.mark.parametrize("complete", [True, False])
def test_an_inventory_reads_as_it_was_written_and_is_as_complete_as_its_step(*, complete: bool) -> None:
    reports = [*REPORTS, StepReport(step="inventory", checked=2, complete=complete)]
    run = run_of(fields_of(reports, seconds=1.0, inventory=INVENTORY), at=1000.0)
    assert run.inventory == replace(INVENTORY, complete=complete)
    assert list(run.steps) == ["expired_documents", "configuration", "inventory"]


def test_a_run_without_an_inventory_has_counted_nothing_which_is_not_zero() -> None:
    assert run_of(fields_of(REPORTS, seconds=1.0), at=1.0).inventory == Inventory(complete=False)


def test_a_run_is_read_without_the_heads_that_its_record_names() -> None:
    heads = {chain: Head(sequence=7, hash="ab" * 32) for chain in Chain}
    run = run_of({**fields_of(REPORTS, seconds=1.0), **anchor_fields(heads)}, at=1.0)
    assert list(run.steps) == ["expired_documents", "configuration"]


def test_a_run_with_every_step_fits_into_a_record() -> None:
    items = {name: Items(count=1, oldest_seconds=1.0) for name in ("output", "receipt", "event")}
    depth = Depth(active=1, scheduled=1, dead_lettered=1)
    reports = [StepReport(step=step) for step in STEPS]
    inventory = Inventory(items=items, queues=dict.fromkeys(LETHES_QUEUES, depth))
    heads = {chain: Head(sequence=7, hash="ab" * 32) for chain in Chain}
    check_fields({**fields_of(reports, seconds=1.0, inventory=inventory), **anchor_fields(heads)})


def test_a_run_is_evidence_in_form() -> None:
    check_fields(fields_of(REPORTS, seconds=1.0, inventory=INVENTORY))


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
        {"seconds": 1, "items_output": (1,)},
        {"seconds": 1, "queue_work": (1, 2)},
    ],
)
def test_what_is_no_run_is_not_read_as_one(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="run"):
        run_of(fields, at=1.0)
