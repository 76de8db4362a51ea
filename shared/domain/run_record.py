"""A run of the retention timer as a record of evidence: the six figures of each step, in a fixed order, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.evidence_anchors import without_anchors
from shared.domain.evidence_fields import Fields, Scalar
from shared.domain.step_report import StepReport

_SECONDS = "seconds"
"""Field of the run's own duration; no step has this name."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: when it ended (seconds since the epoch), how long it took, and what each step reports."""

    at: float
    seconds: float
    steps: Mapping[str, StepReport]


def fields_of(reports: list[StepReport], *, seconds: float) -> Fields:
    """Write a run as fields of evidence."""
    figures: dict[str, Scalar | tuple[Scalar, ...]] = {report.step: _figures(report) for report in reports}
    return {**figures, _SECONDS: round(seconds, 3)}


def run_of(fields: Fields, *, at: float) -> Run:
    """Read a run; raises `ValueError` for fields that are no run, which an older or newer app may have written."""
    steps = {name: _report(name, value) for name, value in without_anchors(fields).items() if name != _SECONDS}
    match fields.get(_SECONDS):
        case (int() | float()) as seconds:
            return Run(at=at, seconds=seconds, steps=steps)
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
