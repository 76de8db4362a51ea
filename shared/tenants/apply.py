"""Applying a planned change of policy: by one principal what tightens, by two what loosens, and never without evidence.

The order is evidence, keys, policy, secret, deadlines. A crash in between leaves evidence of what was not done yet; applying
the same document again does the rest.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.azure.policy_documents import Proposal
from shared.domain.evidence import Chain, Kind
from shared.domain.policy import Submission
from shared.domain.policy_change import fingerprint
from shared.domain.principal import Principal
from shared.privacy.shorten import Shortened, shorten
from shared.tenants.plan import Plan
from shared.tenants.services import Tenants

if TYPE_CHECKING:
    from shared.domain.evidence_fields import Scalar

MAX_DOCUMENTS = 1_000_000
"""Deadlines that one command shortens; the timer does the rest."""


class Outcome(StrEnum):
    """What became of an application."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    NEEDS_SECOND = "needs_second_principal"


@dataclass(frozen=True, kw_only=True)
class Applied:
    """The outcome; ``submission_secret`` is shown once, when a tenant with signed submission gets its first."""

    outcome: Outcome
    shortened: Shortened
    submission_secret: str | None

    def __repr__(self) -> str:
        return f"Applied(outcome={self.outcome!r})"


async def apply(planned: Plan, actor: Principal, tenants: Tenants) -> Applied:
    """Apply a plan in the name of an operator; raises `WriteConflict` when the policy was changed since it was planned.

    What loosens something waits for a second principal, who applies the same document within a day.
    """
    tenant, version = planned.policy.tenant_id, fingerprint(planned.policy)
    proposal = await tenants.policies.proposal(tenant) if planned.change.loosened else None
    if planned.change.loosened and not _seconds(proposal, version, actor):
        await _record(Kind.POLICY_PROPOSED, planned, actor, None, tenants)
        await tenants.policies.propose(tenant, version, actor)
        return Applied(outcome=Outcome.NEEDS_SECOND, shortened=Shortened(), submission_secret=None)
    changed = bool(planned.change.fields)
    if changed:
        await _record(Kind.POLICY_APPLIED, planned, actor, proposal, tenants)
    await tenants.keys.create_missing(tenant)
    if changed:
        await tenants.policies.write(planned.policy, over=planned.over)
        await tenants.policies.withdraw(tenant)
    return Applied(
        outcome=Outcome.APPLIED if changed else Outcome.UNCHANGED,
        submission_secret=await _first_secret(planned, tenants),
        shortened=await _shorten(planned, tenants),
    )


async def _shorten(planned: Plan, tenants: Tenants) -> Shortened:
    """Bring forward what exists of jobs, and what is kept of them for abuse review."""
    done = await shorten(planned.policy, tenants.kept, limit=MAX_DOCUMENTS)
    return done + await shorten(planned.policy, tenants.kept_for_review, limit=MAX_DOCUMENTS)


def _seconds(proposal: Proposal | None, version: str, actor: Principal) -> bool:
    return proposal is not None and proposal.fingerprint == version and not proposal.is_of(actor)


async def _first_secret(planned: Plan, tenants: Tenants) -> str | None:
    tenant = planned.policy.tenant_id
    if planned.policy.queue_submission is not Submission.SIGNED or await tenants.submission.valid(tenant):
        return None
    return await tenants.submission.rotate(tenant, keep_old=False)


async def _record(kind: Kind, planned: Plan, actor: Principal, proposal: Proposal | None, tenants: Tenants) -> None:
    """Say who changed which fields of what into what; values are in the policy only."""
    before = planned.over.policy if planned.over else None
    fields: dict[str, Scalar | tuple[Scalar, ...]] = {
        "tenant": planned.policy.tenant_id,
        "actor": actor.name,
        "fields": planned.change.names,
        "loosened": planned.change.loosened,
        "after": fingerprint(planned.policy),
    }
    if before is not None:
        fields["before"] = fingerprint(before)
    if proposal is not None:
        fields["proposed_by"] = proposal.by
    await tenants.evidence.append(Chain.POLICIES, kind, fields)
