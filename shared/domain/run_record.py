"""A run of the retention timer as a record of evidence: the six figures of each step, in a fixed order, and an inventory."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.evidence_anchors import is_anchor
from shared.domain.evidence_fields import Fields, Scalar
from shared.domain.inventory import Inventory, inventory_of, is_field
from shared.domain.step_report import StepReport

INVENTORY = "inventory"
"""The step that counts what lies where; its figures say whether all could be counted."""
_SECONDS = "seconds"
"""Field of the run's own duration; no step has this name."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: when it ended (seconds since the epoch), how long it took, what each step reports, and what lay where."""

    at: float
    seconds: float
    steps: Mapping[str, StepReport]
    inventory: Inventory


def fields_of(reports: list[StepReport], *, seconds: float, inventory: Inventory | None = None) -> Fields:
    """Write a run as fields of evidence; without an inventory nothing was counted."""
    figures: dict[str, Scalar | tuple[Scalar, ...]] = {report.step: _figures(report) for report in reports}
    return {**figures, **(inventory.fields() if inventory else {}), _SECONDS: round(seconds, 3)}


def run_of(fields: Fields, *, at: float) -> Run:
    """Read a run, without the heads of other chains that its record names.

    Raises `ValueError` for fields that are no run, which an older or newer app may have written.
    """
    counted = {name: value for name, value in fields.items() if is_field(name)}
    others = {_SECONDS, *counted, *filter(is_anchor, fields)}
    steps = {name: _report(name, value) for name, value in fields.items() if name not in others}
    whole = INVENTORY in steps and steps[INVENTORY].complete
    match fields.get(_SECONDS):
        case (int() | float()) as seconds:
            return Run(at=at, seconds=seconds, steps=steps, inventory=inventory_of(counted, complete=whole))
    raise ValueError("A run of the timer says how long it took.")


def _figures(report: StepReport) -> tuple[Scalar, ...]:
    oldest = round(report.oldest_overdue_seconds, 3)
    return (report.checked, report.found, report.deleted, report.overdue, oldest, report.complete)


def _report(step: str, value: object) -> StepReport:
    match value:
        case (int(checked), int(found), int(deleted), int(overdue), (int() | float()) as oldest, bool(complete)):
            return StepReport(
                step=step,
                checked=checked,
                found=found,
                deleted=deleted,
                overdue=overdue,
                oldest_overdue_seconds=oldest,
                complete=complete,
            )
    raise ValueError("A step of a run has six figures.")
