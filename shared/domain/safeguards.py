"""The responsible-AI settings and the clocks of abuse monitoring, as the statement and the report tell them. Pure.

The statement counts tenants and names none. The report says of each what is on and off, since when, and by whom.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from shared.domain.abuse_record import LONGEST_DAYS, kept_seconds, longest_seconds
from shared.domain.json_document import Json
from shared.domain.opt_out import Confirmation
from shared.domain.policy import DAY, AbuseMonitoring, Detection, Filtering, TenantPolicy
from shared.domain.policy_change import fingerprint
from shared.domain.policy_history import History, last_change
from shared.domain.sources import ABUSE_STORE, as_json

_MODES: Final[tuple[str, ...]] = get_args(AbuseMonitoring.model_fields["mode"].annotation)
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "content_filter": frozenset({"content_filter"}),
    "abuse_monitoring": frozenset({"abuse_monitoring.mode", "abuse_monitoring.approval", "abuse_monitoring.approved_on"}),
    "detection": frozenset({"abuse_monitoring.mode", "abuse_monitoring.detection"}),
}
"""By setting: the fields of a policy that make it."""


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """What is known of one tenant; ``confirmation`` is None for one that has not opted out.

    ``written_at``: when its policy was last written (seconds since the epoch): so long nothing of it changed.
    """

    policy: TenantPolicy
    confirmation: Confirmation | None
    written_at: float


def clocks(policies: Iterable[TenantPolicy], *, recovery_days: int) -> Json:
    """Tell for how long Lethe keeps what it keeps for abuse review, beside what Azure says of its own store; in seconds.

    Azure publishes no number, so none is told.
    """
    ceiling = longest_seconds(recovery_days)
    kept = (policy.retention.abuse_record_seconds for policy in policies if policy.abuse_monitoring.keeps_records)
    return {
        "lethe": {
            "longest_seconds": min(ceiling, max(kept, default=0)),
            "ceiling_seconds": ceiling,
            "unrecoverable_after_seconds": LONGEST_DAYS * DAY,
        },
        "azure": {"longest_seconds": None, "source": as_json(ABUSE_STORE)},
        "azure_without_content_logging": {"longest_seconds": 0, "source": as_json(ABUSE_STORE)},
    }


def counts(tenants: Iterable[Tenant], *, unreadable: int) -> Json:
    """Count tenants by what their policies say; ``unreadable``: those whose policy cannot be read, in no other count."""
    known = [*tenants]
    filters = Counter(tenant.policy.content_filter for tenant in known)
    modes = Counter[str](tenant.policy.abuse_monitoring.mode for tenant in known)
    opt_outs = Counter(tenant.confirmation for tenant in known)
    detecting = sum(_is_on(_detection(tenant.policy)) for tenant in known)
    return {
        "tenants": len(known),
        "unreadable": unreadable,
        "content_filter": {mode.value: filters[mode] for mode in Filtering},
        "abuse_monitoring": {mode: modes[mode] for mode in _MODES},
        "detection": {"on": detecting, "off": len(known) - detecting},
        "opt_outs": {state.value: opt_outs[state] for state in Confirmation},
    }


def of_tenant(tenant: Tenant, history: History, *, recovery_days: int) -> Json:
    """Tell one tenant's settings, each with the time since which it is so, and the principals by whom."""
    policy, monitoring, detection = tenant.policy, tenant.policy.abuse_monitoring, _detection(tenant.policy)
    kept = kept_seconds(policy.retention, recovery_days) if monitoring.keeps_records else 0
    told: dict[str, Json] = {
        "content_filter": {"mode": policy.content_filter},
        "abuse_monitoring": {
            "mode": monitoring.mode,
            "kept_seconds": kept,
            "approval": monitoring.approval,
            "approved_on": monitoring.approved_on.isoformat() if monitoring.approved_on else None,
            "confirmed_by_azure": tenant.confirmation,
        },
        "detection": {"on": _is_on(detection), **(detection.model_dump() if detection else {})},
    }
    return {
        "tenant": policy.tenant_id,
        **{setting: {**values, **_since(setting, tenant, history)} for setting, values in told.items()},
    }


def _since(setting: str, tenant: Tenant, history: History) -> Json:
    """Say since when, and by whom; where no record leads to what stands, since when nobody wrote the policy at least."""
    change = last_change(history, fingerprint(tenant.policy), _FIELDS[setting])
    return {
        "since": int(change.at if change else tenant.written_at),
        "recorded": change is not None,
        "applied_by": change.applied_by if change else None,
        "proposed_by": change.proposed_by if change else None,
    }


def _detection(policy: TenantPolicy) -> Detection | None:
    monitoring = policy.abuse_monitoring
    return monitoring.thresholds if monitoring.keeps_records else None


def _is_on(detection: Detection | None) -> bool:
    """Whether anything is looked for."""
    kinds = (detection.jailbreak_attempts, detection.blocked_prompts, detection.new_subjects) if detection else ()
    return any(threshold is not None for threshold in kinds)
