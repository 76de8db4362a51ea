"""The retention timer: every deadline, in every place where content could linger, one independent step each.

A step that fails does not stop the others, and is reported as incomplete: a zero always means "looked, and found nothing".
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import compress

from shared.azure.due_documents import PAGE, Due, DueDocuments
from shared.azure.kept_documents import KeptDocuments
from shared.azure.policy_documents import PolicyDocuments
from shared.azure.queues import Lying, Queues
from shared.clock import Clock
from shared.delivery.announce import reannounce
from shared.delivery.services import Webhooks
from shared.domain.step_report import StepReport
from shared.errors import LetheError
from shared.privacy import hold_steps
from shared.privacy.configuration import Configuration
from shared.privacy.configuration import report as report_configuration
from shared.privacy.erasure import enforce_erasures
from shared.privacy.holding import Holding
from shared.privacy.measured import measure, measure_settled
from shared.privacy.shorten import Shortened, shorten
from shared.privacy.sweep import Erasing
from shared.telemetry import Event, log

MAX_DOCUMENTS = 10_000
MAX_MESSAGES = 5_000
"""Bounds of one run; what is left over is reported as incomplete and comes next time."""

QUEUES = ("generation-requests", "generation-rejected", "webhook-deliveries")


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What the timer works with; ``dead_letter_max_age`` in seconds."""

    documents: DueDocuments
    queues: Queues
    webhooks: Webhooks
    policies: PolicyDocuments
    kept: KeptDocuments
    configuration: Configuration
    holding: Holding
    erasing: Erasing
    clock: Clock
    dead_letter_max_age: int


async def enforce(retention: Retention) -> list[StepReport]:
    """Run every step once and report each."""
    began = time.monotonic()
    steps: dict[str, Callable[[str], Awaitable[StepReport]]] = {
        "holds": partial(hold_steps.mark, retention.holding, limit=MAX_DOCUMENTS),
        "held_documents": partial(hold_steps.count, retention.holding),
        "shortened_deadlines": partial(_shorten, retention),
        "erasures": partial(enforce_erasures, retention.erasing),
        "expired_documents": partial(_each_due, retention, retention.documents.expired, retention.documents.delete),
        "forgotten_contents": partial(
            _each_due, retention, retention.documents.forgettable, retention.documents.forget_content
        ),
        "rejected_messages": partial(_purge, retention, queue="generation-rejected", dead_letters=False),
    }
    for queue in QUEUES:
        steps[f"dead_letters_{queue.replace('-', '_')}"] = partial(_purge, retention, queue=queue, dead_letters=True)
    steps["undelivered_events"] = partial(reannounce, retention.webhooks)
    reports = [*[await _logged(step, run) for step, run in steps.items()], await check_configuration(retention)]
    measure(reports, seconds=time.monotonic() - began)
    return reports


async def check_configuration(retention: Retention) -> StepReport:
    """Run the step that looks at how services are set up. It logs what is new itself: drift may last for weeks."""
    return await _attempted("configuration", partial(report_configuration, retention.configuration))


async def _attempted(step: str, run: Callable[[str], Awaitable[StepReport]]) -> StepReport:
    try:
        return await run(step)
    except LetheError:
        log(Event.RETENTION_STEP_FAILED, step=step, warning=True)
        return StepReport(step=step, complete=False)


async def _logged(step: str, run: Callable[[str], Awaitable[StepReport]]) -> StepReport:
    report = await _attempted(step, run)
    if report.found or not report.complete:
        log(
            Event.RETENTION_STEP,
            step=step,
            checked=report.checked,
            found=report.found,
            deleted=report.deleted,
            overdue=report.overdue,
            oldest_overdue_seconds=round(report.oldest_overdue_seconds, 3),
            complete=report.complete,
        )
    return report


async def _shorten(retention: Retention, step: str) -> StepReport:
    """Bring forward the deadlines of what was admitted under a policy that has become shorter."""
    listing = await retention.policies.all()
    results: list[Shortened] = []
    for policy in listing.policies:
        room = MAX_DOCUMENTS - sum(result.found for result in results)
        results.append(await shorten(policy, retention.kept, limit=room))
    found = sum(result.found for result in results)
    return StepReport(
        step=step,
        checked=len(results),
        found=found,
        overdue=found - sum(result.shortened for result in results),
        complete=all(result.complete for result in results) and not listing.unreadable,
    )


async def _each_due(
    retention: Retention,
    page: Callable[[], Awaitable[list[Due]]],
    settle: Callable[[Due], Awaitable[bool]],
    step: str,
) -> StepReport:
    """Settle due documents page after page, until a page is the last, brings nothing new, or the bound is reached.

    Of those that a hold keeps nothing is counted here.
    """
    looked_at = found = settled = 0
    oldest = 0.0
    while looked_at < MAX_DOCUMENTS:
        listed = await page()
        looked_at += len(listed)
        now = retention.clock()
        dues = await hold_steps.not_held(listed, retention.holding)
        results = [await settle(due) for due in dues]
        for due in compress(dues, results):
            measure_settled(due, step=step, now=retention.clock())
        found += len(dues)
        settled += sum(results)
        oldest = max([oldest, *(now - due.since for due in dues)])
        if len(listed) < PAGE or not (any(results) or len(dues) < len(listed)):
            break
    return StepReport(
        step=step,
        checked=found,
        found=found,
        deleted=settled,
        overdue=found - settled,
        oldest_overdue_seconds=oldest,
        complete=looked_at < MAX_DOCUMENTS,
    )


async def _purge(retention: Retention, step: str, *, queue: str, dead_letters: bool) -> StepReport:
    now = retention.clock()

    def overdue(lying: Lying) -> float:
        too_old = now - lying.enqueued_at - retention.dead_letter_max_age
        return too_old if dead_letters else now - lying.expires_at

    purged = await retention.queues.purge(queue, dead_letters=dead_letters, overdue=overdue, limit=MAX_MESSAGES)
    return StepReport(
        step=step,
        checked=purged.checked,
        found=purged.found,
        deleted=purged.deleted,
        overdue=purged.found - purged.deleted,
        oldest_overdue_seconds=purged.oldest_overdue_seconds,
        complete=purged.complete,
    )
