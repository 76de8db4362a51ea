"""The check of the configuration: what Azure says about queues, containers, accounts and the store, and what should be.

Each part is read by itself, all at once. One that cannot be read is reported as unchecked, and never as "nothing found".
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field

from shared.azure.abuse_keys import AbuseKeys
from shared.azure.content_logging import ContentLogging
from shared.azure.evidence import Evidence
from shared.azure.management import Management
from shared.azure.policy_documents import PolicyDocuments
from shared.clock import Clock
from shared.domain import drift, opt_out
from shared.domain.checked import Checked, Part, Unchecked
from shared.domain.evidence import Chain, Kind
from shared.domain.expected import Expected
from shared.domain.stamp import Stamp
from shared.domain.step_report import StepReport
from shared.errors import ServiceUnavailable
from shared.patience import patience
from shared.privacy.measured import measure_checked, measure_policies
from shared.telemetry import Event, log

PATIENCE = 10.0
"""Seconds for the store to answer; the next run of the timer comes soon enough."""


@dataclass(kw_only=True)
class Memory:
    """What this process last logged and last recorded, so that what stays as it is is said once."""

    logged: Checked | None = None
    recorded: Checked | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What the check works with."""

    management: Management
    policies: PolicyDocuments
    content_logging: ContentLogging
    abuse_keys: AbuseKeys
    evidence: Evidence
    stamp: Stamp
    expected: Expected
    clock: Clock
    memory: Memory = field(default_factory=Memory)


async def check(configuration: Configuration) -> Checked:
    """Compare everything once."""
    resources = configuration.expected.resources
    with patience(PATIENCE):
        accounts = asyncio.gather(*(_part(Part.ACCOUNT, _account(configuration, each), each) for each in resources))
        queues, containers, of_resources, store, policies, vault = await asyncio.gather(
            _part(Part.QUEUES, _queues(configuration)),
            _part(Part.CONTAINERS, _containers(configuration)),
            accounts,
            _part(Part.STORE, _store(configuration)),
            _part(Part.POLICIES, _policies(configuration, accounts)),
            _part(Part.VAULT, _vault(configuration)),
        )
    return Checked.together((queues, containers, *of_resources, store, policies, vault))


async def report(configuration: Configuration, step: str) -> StepReport:
    """Check, and log and record what differs from this process's last check; raises `ServiceUnavailable` when it cannot record.

    What informs only is not among ``found``.
    """
    memory = configuration.memory
    async with memory.lock:  # the check at start and the first run of the timer may meet
        at = configuration.clock()
        checked = await check(configuration)
        measure_checked(checked)
        figures = StepReport(step=step, checked=checked.compared, found=len(checked.serious), complete=checked.complete)
        if memory.logged is None or _said(checked) != _said(memory.logged):
            _log(checked, figures)
            memory.logged = checked
        with patience(PATIENCE):  # workers route by it
            await configuration.content_logging.remember(_said_by(configuration.expected.resources, checked), at=at)
        if checked != memory.recorded:
            with patience(PATIENCE):
                await configuration.evidence.append(Chain.CONFIGURATION, Kind.CONFIGURATION_CHECKED, checked.evidence())
            memory.recorded = checked
    return figures


def _said(checked: Checked) -> tuple[object, ...]:
    return checked.findings, checked.unchecked


def _log(checked: Checked, figures: StepReport) -> None:
    for finding in checked.findings:
        log(
            Event.CONFIGURATION_DRIFT,
            code=finding.kind,
            target=finding.target,
            warning=finding.kind not in drift.INFORMATIONAL,
        )
    for unchecked in checked.unchecked:
        log(Event.CONFIGURATION_UNCHECKED, code=unchecked.part, target=unchecked.target, warning=True)
    log(
        Event.RETENTION_STEP,
        step=figures.step,
        checked=figures.checked,
        found=figures.found,
        complete=figures.complete,
    )


async def _part(part: Part, looked: Awaitable[Checked], target: str | None = None) -> Checked:
    try:
        return await looked
    except ServiceUnavailable:
        return Checked(unchecked=(Unchecked(part=part, target=target),))


async def _queues(configuration: Configuration) -> Checked:
    expected = configuration.expected.queues
    found = await configuration.management.queues()
    return Checked(compared=len(expected), findings=drift.queue_drift(expected, found))


async def _containers(configuration: Configuration) -> Checked:
    expected = configuration.expected.containers
    found = await configuration.management.containers()
    return Checked(compared=len(expected), findings=drift.container_drift(expected, found))


async def _account(configuration: Configuration, resource: str) -> Checked:
    expected = [each for each in configuration.expected.accounts if each.resource == resource]
    found = await configuration.management.account(resource)
    return Checked(
        compared=1 + sum(len(each.deployments) for each in expected),
        findings=tuple(finding for each in expected for finding in drift.account_drift(each, found)),
        content_logging={resource: found.content_logging},
    )


async def _store(configuration: Configuration) -> Checked:
    found = await configuration.management.store()
    return Checked.of_store(found, drift.store_drift(configuration.expected.store, found))


async def _vault(configuration: Configuration) -> Checked:
    """Ask by the newest day's key; while there is none, nothing is sealed."""
    keys = configuration.abuse_keys
    newest = max(await keys.names(), default=None)
    days = await keys.recovery_days(newest) if newest else None
    if newest is None or days is None:
        return Checked()
    found = drift.vault_drift(configuration.expected.vault, recovery_days=days, may_unwrap=await keys.may_unwrap(newest))
    return Checked(compared=1, findings=found)


async def _policies(configuration: Configuration, accounts: Awaitable[Iterable[Checked]]) -> Checked:
    listing = await configuration.policies.all()
    measure_policies(listing)
    tenants = len(listing.policies) + len(listing.unreadable)
    said = _said_by(configuration.expected.resources, Checked.together(await accounts))
    unread = opt_out.unreadable(listing.policies, configuration.stamp, said)
    return Checked(
        compared=len(listing.policies),
        findings=(
            *drift.submission_drift(listing.policies, tenants=tenants),
            *opt_out.unconfirmed(listing.policies, configuration.stamp, said),
        ),
        unchecked=(
            *(Unchecked(part=Part.POLICIES, target=tenant) for tenant in listing.unreadable),
            *(Unchecked(part=Part.OPT_OUTS, target=tenant) for tenant in unread),
        ),
    )


def _said_by(resources: Iterable[str], checked: Checked) -> opt_out.Said:
    """What each model resource showed; one that could not be read showed nothing."""
    return {resource: checked.content_logging.get(resource) for resource in resources}
