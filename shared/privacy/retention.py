"""The retention timer: every deadline, in every place where content could linger, one independent step each.

What each step reports is in docs/reference.md. A step is one line here and a module elsewhere.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial

from shared.abuse.keys import settle_keys
from shared.abuse.services import AbuseMonitor
from shared.azure.due_documents import DueDocuments
from shared.azure.evidence import Evidence
from shared.azure.kept_documents import KeptDocuments
from shared.azure.lying import LyingMessages
from shared.azure.policy_documents import PolicyDocuments
from shared.azure.timer_stores import TimerStores
from shared.clock import Clock
from shared.delivery.announce import reannounce
from shared.delivery.services import Webhooks
from shared.domain.evidence import Chain, Kind
from shared.domain.evidence_fields import Fields
from shared.domain.inventory import Inventory
from shared.domain.run_record import INVENTORY, fields_of, run_of
from shared.domain.step_report import StepReport
from shared.errors import LetheError
from shared.patience import patience, remembering_who_is_away
from shared.privacy import hold_steps
from shared.privacy.configuration import Configuration
from shared.privacy.configuration import report as report_configuration
from shared.privacy.due import MAX_DOCUMENTS, settle_due, shorten_all
from shared.privacy.erasure import enforce_erasures
from shared.privacy.evidence_watch import EvidenceWatch
from shared.privacy.holding import Holding
from shared.privacy.measured import measure, measure_inventory
from shared.privacy.messages import expire_rejected, purge_dead_letters
from shared.privacy.orphans import Orphans
from shared.privacy.probing import Probing
from shared.privacy.steps import PATIENCE, Step, attempt, reported, run_all
from shared.privacy.stocktaking import Stocktaking, count_abandoned
from shared.privacy.sweep import Erasing
from shared.privacy.violations import Violations, watch
from shared.telemetry import Event, log

QUEUES = ("generation-requests", "generation-rejected", "webhook-deliveries")
REJECTED = "generation-rejected"
RECORD_SECONDS = 20.0
"""Seconds for writing the record of a run, besides the budget of its steps."""
CONFIGURATION = "configuration"
"""This step logs what is new by itself: drift may last for weeks."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What the timer works with; ``dead_letter_max_age``, ``grace``, ``lease`` and ``budget`` in seconds.

    ``documents`` and ``kept`` are of jobs, ``review`` and ``kept_for_review`` of what is kept of them for abuse review.
    """

    documents: DueDocuments
    messages: LyingMessages
    webhooks: Webhooks
    policies: PolicyDocuments
    kept: KeptDocuments
    review: DueDocuments
    kept_for_review: KeptDocuments
    stores: TimerStores
    configuration: Configuration
    holding: Holding
    erasing: Erasing
    abuse: AbuseMonitor
    evidence: Evidence
    watch: EvidenceWatch
    violations: Violations
    clock: Clock
    dead_letter_max_age: int
    grace: int
    lease: int
    budget: int


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """What one run reports: the figures of each step, and what lay where (None when nothing could be counted)."""

    reports: list[StepReport]
    inventory: Inventory | None


async def enforce(retention: Retention) -> RunOutcome:
    """Run every step once, report each, record the run, and tell what it shows violated. Two at once do no harm."""
    began = time.monotonic()
    stock = Stocktaking(
        counts=retention.stores.counts,
        review_counts=retention.stores.review_counts,
        management=retention.configuration.management,
        clock=retention.clock,
    )
    steps = {**_steps(retention), INVENTORY: stock.take}
    with remembering_who_is_away():
        reports = await run_all(steps, seconds=retention.budget, quiet=frozenset({CONFIGURATION}))
        outcome = RunOutcome(reports=reports, inventory=stock.inventory)
        seconds = time.monotonic() - began
        fields = fields_of(reports, seconds=seconds, inventory=stock.inventory)
        await _record(fields, retention.evidence)
        await watch(run_of(fields, at=retention.clock()), retention.violations)
    measure(reports, seconds=seconds)
    measure_inventory(stock.inventory)
    return outcome


async def check_configuration(retention: Retention) -> StepReport:
    """Run the step that looks at how services are set up, by itself."""
    return await attempt(CONFIGURATION, _configuration(retention))


def _steps(retention: Retention) -> dict[str, Step]:
    clock, stores, documents, messages = retention.clock, retention.stores, retention.documents, retention.messages
    holding = retention.holding
    review, review_may_go = retention.review, partial(hold_steps.not_held, holding=holding, jobs=holding.review)
    may_go = partial(hold_steps.not_held, holding=holding, jobs=holding.jobs)
    orphans = Orphans(traces=stores.traces, documents=documents, holds=holding.holds, state=stores.state, clock=clock)
    probing = Probing(probes=stores.probes, state=stores.state, clock=clock, grace=retention.grace)
    return {
        "holds": reported(partial(hold_steps.mark, holding, limit=MAX_DOCUMENTS)),
        "held_documents": reported(partial(hold_steps.count, holding)),
        "shortened_deadlines": partial(shorten_all, retention.policies, retention.kept),
        "shortened_abuse_records": partial(shorten_all, retention.policies, retention.kept_for_review),
        "erasures": reported(partial(enforce_erasures, retention.erasing)),
        "expired_documents": partial(settle_due, documents.expired, documents.delete, may_go, clock),
        "expired_abuse_records": partial(settle_due, review.expired, review.delete, review_may_go, clock),
        "abuse_keys": partial(settle_keys, retention.abuse),
        "forgotten_contents": partial(settle_due, documents.forgettable, documents.forget_content, may_go, clock),
        "rejected_messages": lambda tally: expire_rejected(messages, REJECTED, grace=retention.grace, clock=clock, tally=tally),
        **{f"dead_letters_{queue.replace('-', '_')}": _dead_letters(retention, queue) for queue in QUEUES},
        "orphans": orphans.look,
        "abandoned_claims": lambda tally: count_abandoned(stores.counts, lease=retention.lease, clock=clock, tally=tally),
        "undelivered_events": partial(reannounce, retention.webhooks),
        "probe": probing.look,
        "evidence": reported(retention.watch.follow),
        CONFIGURATION: _configuration(retention),
    }


def _dead_letters(retention: Retention, queue: str) -> Step:
    max_age, clock = retention.dead_letter_max_age, retention.clock
    return lambda tally: purge_dead_letters(retention.messages, queue, max_age=max_age, clock=clock, tally=tally)


def _configuration(retention: Retention) -> Step:
    return reported(partial(report_configuration, retention.configuration))


async def _record(fields: Fields, evidence: Evidence) -> None:
    """Write the evidence of a run. A record that cannot be written is missed by the next one's time, and never made up."""
    try:
        with patience(PATIENCE):
            async with asyncio.timeout(RECORD_SECONDS):
                await evidence.append(Chain.RETENTION, Kind.RETENTION_RUN, fields)
    except (LetheError, TimeoutError):
        log(Event.RETENTION_RUN_UNRECORDED, warning=True)
