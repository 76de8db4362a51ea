"""Planning a change of policy: what an operator's document says, whether this stamp can honour it, and what it would change."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.azure.policy_documents import StoredPolicy
from shared.domain.json_document import parse_object
from shared.domain.policy import TenantPolicy
from shared.domain.policy_change import PolicyChange, compare
from shared.domain.stamp import Stamp
from shared.errors import InvalidPolicy, Problem, RequestRefused
from shared.refusals import REFUSALS
from shared.tenants.services import Tenants

LONGEST_DOCUMENT = 200_000
"""Bytes."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A version of a tenant's policy, what it changes, and how many existing documents it ends earlier, by data class."""

    policy: TenantPolicy
    over: StoredPolicy | None
    change: PolicyChange
    shortens: dict[str, int]

    @property
    def is_new(self) -> bool:
        """Whether the tenant is brought in by it, for the first time or again."""
        return self.over is None or self.over.offboarded_at is not None


async def plan(document: bytes, tenants: Tenants) -> Plan:
    """Read an operator's document and compare it with what stands; nothing is written.

    Raises `InvalidPolicy` with every field that is wrong, and `StoreUnavailable`.
    """
    policy = read(document)
    over = await tenants.policies.find(policy.tenant_id)
    before = over.policy if over else None
    problems = [*_unhonourable(policy, before, tenants.stamp), *await _of_others(policy, tenants)]
    if problems:
        raise InvalidPolicy(tuple(problems))
    shortens = {**await tenants.kept.count(policy), **await tenants.kept_for_review.count(policy)}
    return Plan(policy=policy, over=over, change=compare(before, policy), shortens=shortens)


def read(document: bytes) -> TenantPolicy:
    """Parse a policy; raises `InvalidPolicy`, which names fields and rules and quotes no value."""
    try:
        parse_object(document, max_bytes=LONGEST_DOCUMENT)
    except RequestRefused as refusal:
        raise InvalidPolicy((Problem(field="document", rule=REFUSALS[refusal.reason]),)) from None
    try:
        return TenantPolicy.model_validate_json(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    raise InvalidPolicy(tuple(Problem(field=_path(one), rule=one["msg"].removeprefix("Value error, ")) for one in found))


def _path(error: ErrorDetails) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error["loc"])
    return path.removeprefix(".") or "document"


def _unhonourable(policy: TenantPolicy, before: TenantPolicy | None, stamp: Stamp) -> Iterator[Problem]:
    """Name what this stamp cannot do: another geography, deployments that it has not, or that residency forbids."""
    if policy.geography is not stamp.geography:
        yield Problem(field="geography", rule=f"this stamp stands in {stamp.geography}")
    elif before is not None and before.geography is not policy.geography:
        yield Problem(field="geography", rule="cannot change: offboard the tenant here, and onboard it there")
    for alias, names in policy.models.items():
        for place, name in enumerate(names):
            if name not in stamp.deployments:
                yield Problem(field=f"models.{alias}[{place}]", rule="this stamp lists no such deployment")
            elif reason := stamp.unusable(name, policy):
                yield Problem(field=f"models.{alias}[{place}]", rule=reason)


async def _of_others(policy: TenantPolicy, tenants: Tenants) -> list[Problem]:
    """Name what is another tenant's already: a principal, because a token says nothing of a tenant, and a reply queue."""
    others = [other for other in (await tenants.policies.all()).policies if other.tenant_id != policy.tenant_id]
    acting = {(one.directory, one.client_id) for other in others for one in other.principals}
    own = [(one.directory, one.client_id) for one in policy.principals]
    queues = {queue.lower() for other in others for queue in other.reply_queues}
    return [
        *(
            Problem(field=f"principals[{place}]", rule="acts for another tenant, or stands here twice")
            for place, name in enumerate(own)
            if name in acting or name in own[:place]
        ),
        *(
            Problem(field=f"reply_queues[{place}]", rule="is another tenant's")
            for place, queue in enumerate(policy.reply_queues)
            if queue.lower() in queues
        ),
    ]
