"""What the timer tells as metrics: each run, each deletion, and each check of the configuration.

"Could not look" is a measurement of its own. Of a step that was not complete a figure is a minimum, so it is told when it is
above zero, and otherwise not at all: no zero is ever told that nobody has seen.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Unpack

from shared.azure.due_documents import Due
from shared.azure.policy_documents import Listing
from shared.domain.checked import Checked
from shared.domain.drift import Drift
from shared.domain.erasure import Erasure, State
from shared.domain.generation import Status
from shared.domain.inventory import Inventory
from shared.domain.step_report import StepReport
from shared.metrics import Attributes, Lying, Metric, count, gauge, observe


def measure(reports: Iterable[StepReport], *, seconds: float) -> None:
    """Tell what a run of the timer found, and how long it took."""
    observe(Metric.RUN_DURATION, seconds)
    for report in reports:
        _measure_step(report)
        if report.step in _OF_ONE_STEP:
            _OF_ONE_STEP[report.step](report)


def measure_inventory(inventory: Inventory | None) -> None:
    """Tell what lay where; of what could not be counted nothing."""
    if inventory is None:
        return
    for data_class, items in inventory.items.items():
        gauge(Metric.ITEMS, items.count, data_class=data_class)
        gauge(Metric.ITEMS_OLDEST_AGE, items.oldest_seconds, data_class=data_class)
    for queue, depth in inventory.queues.items():
        gauge(Metric.QUEUE_DEPTH, depth.active, queue=queue, kind=Lying.ACTIVE)
        gauge(Metric.QUEUE_DEPTH, depth.scheduled, queue=queue, kind=Lying.SCHEDULED)
        gauge(Metric.QUEUE_DEPTH, depth.dead_lettered, queue=queue, kind=Lying.DEAD_LETTER)


def measure_lying(queue: str, kind: Lying, *, oldest_seconds: float) -> None:
    """Tell how old the oldest message is that lies in a queue; 0 when none lies there."""
    gauge(Metric.QUEUE_OLDEST_AGE, oldest_seconds, queue=queue, kind=kind)


def measure_settled(due: Due, *, step: str, now: float) -> None:
    """Tell how long after its time something was deleted, and of a job that ended by it."""
    observe(Metric.DELETION_LAG, max(0.0, now - due.since), step=step)
    if due.receipt is not None and not due.receipt.status.terminal:
        count(Metric.GENERATIONS, status=Status.EXPIRED)


def measure_erasure(before: Erasure, now: Erasure, *, at: float) -> None:
    """Tell of an erasure that came to its end, or was deferred by a hold."""
    if now.state is before.state or now.state not in {State.COMPLETED, State.DEFERRED}:
        return
    count(Metric.ERASURES, outcome=now.state)
    if now.state is State.COMPLETED:
        observe(Metric.ERASURE_DURATION, at - now.requested_at)


def measure_checked(checked: Checked) -> None:
    """Tell what a check of the configuration found, of each kind."""
    gauge(Metric.CONFIGURATION_COMPLETE, checked.complete)
    found = Counter(finding.kind for finding in checked.findings)
    for kind in Drift:
        _tell(Metric.CONFIGURATION_FINDINGS, found[kind], complete=checked.complete, kind=kind)


def measure_policies(listing: Listing) -> None:
    """Tell how many tenants have opted out of abuse monitoring."""
    opted_out = sum(policy.abuse_monitoring.opted_out for policy in listing.policies)
    _tell(Metric.OPT_OUTS, opted_out, complete=not listing.unreadable)


def _measure_step(report: StepReport) -> None:
    gauge(Metric.RETENTION_COMPLETE, report.complete, step=report.step)
    _tell(Metric.OVERDUE, report.overdue, complete=report.complete, step=report.step)
    _tell(Metric.SECONDS_PAST_DEADLINE, report.oldest_overdue_seconds, complete=report.complete, step=report.step)
    if report.deleted:
        count(Metric.DELETIONS, report.deleted, step=report.step)


def _measure_held(report: StepReport) -> None:
    _tell(Metric.HELD_ITEMS, report.checked, complete=report.complete)


def _measure_probe(report: StepReport) -> None:
    """A probe that is gone, or overdue, tells its lag; one whose deadline has not come tells nothing."""
    if report.complete and (report.deleted or report.found):
        gauge(Metric.PROBE_LAG, report.oldest_overdue_seconds)


def _measure_evidence(report: StepReport) -> None:
    """Evidence in which something was found is not whole; without a finding it is, if all of it could be read."""
    if report.complete or report.found:
        gauge(Metric.EVIDENCE_VERIFIED, not report.found)


_OF_ONE_STEP: Mapping[str, Callable[[StepReport], None]] = {
    "held_documents": _measure_held,
    "probe": _measure_probe,
    "evidence": _measure_evidence,
}


def _tell(metric: Metric, value: float, *, complete: bool, **attributes: Unpack[Attributes]) -> None:
    if complete or value > 0:
        gauge(metric, value, **attributes)
