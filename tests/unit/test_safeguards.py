"""What the statement and the report say of abuse monitoring and of the responsible-AI settings."""

from typing import Any

import pytest

from shared.domain.opt_out import Confirmation
from shared.domain.policy import DAY
from shared.domain.policy_change import fingerprint
from shared.domain.policy_history import Applied
from shared.domain.safeguards import Tenant, clocks, counts, of_tenant
from tests.policies import RETENTION, policy

RECOVERY = 7
OPTED_OUT = {"mode": "opted_out", "approval": "AOAI-2026-0117", "approved_on": "2026-03-02"}
QUIET = {"window_seconds": 60, "jailbreak_attempts": None, "blocked_prompts": None, "new_subjects": None}
WRITTEN = 1_800_000_000.5


def kept(days: int, mode: str = "flagged") -> Any:  # noqa: ANN401
    monitoring = OPTED_OUT if mode == "opted_out" else {"mode": mode}
    return policy(retention=RETENTION | {"abuse_record_seconds": days * DAY}, abuse_monitoring=monitoring)


def tenant(confirmation: Confirmation | None = None, **changes: Any) -> Tenant:  # noqa: ANN401
    return Tenant(policy=policy(**changes), confirmation=confirmation, written_at=WRITTEN)


@pytest.mark.parametrize(
    ("policies", "recovery_days", "longest", "ceiling"),
    [
        ([kept(21)], 7, 21, 22),
        ([kept(3), kept(9), kept(5, "all")], 7, 9, 22),
        # Whatever a policy says, the key has to be gone for good after thirty days
        ([kept(30)], 7, 22, 22),
        ([kept(30)], 28, 1, 1),
        # Who keeps none has no clock
        ([kept(30, "off"), kept(30, "opted_out"), kept(2)], 7, 2, 22),
        ([kept(30, "off")], 7, 0, 22),
        ([], 7, 0, 22),
    ],
)
def test_lethes_clock_is_the_longest_of_the_policies_within_the_ceiling(
    policies: list[Any], recovery_days: int, longest: int, ceiling: int
) -> None:
    told = clocks(policies, recovery_days=recovery_days)["lethe"]
    assert told == {
        "longest_seconds": longest * DAY,
        "ceiling_seconds": ceiling * DAY,
        "unrecoverable_after_seconds": 30 * DAY,
    }


def test_azures_clock_has_no_number_and_a_source() -> None:
    told = clocks([], recovery_days=RECOVERY)
    assert (told["azure"]["longest_seconds"], told["azure_without_content_logging"]["longest_seconds"]) == (None, 0)
    assert told["azure"]["source"]["url"].endswith("/abuse-monitoring")
    assert told["azure"]["source"]["expires_on"] > told["azure"]["source"]["reviewed_on"]


def test_tenants_are_counted_and_not_named() -> None:
    told = counts(
        [
            tenant(tenant_id="a-tenant"),
            tenant(content_filter="required", abuse_monitoring={"mode": "all", "detection": QUIET}),
            tenant(abuse_monitoring={"mode": "off"}),
            tenant(Confirmation.CONFIRMED, abuse_monitoring=OPTED_OUT),
            tenant(Confirmation.UNCONFIRMED, abuse_monitoring=OPTED_OUT),
        ],
        unreadable=2,
    )
    assert told == {
        "tenants": 5,
        "unreadable": 2,
        "content_filter": {"required": 1, "report": 4},
        "abuse_monitoring": {"off": 1, "flagged": 1, "all": 1, "opted_out": 2},
        "detection": {"on": 1, "off": 4},
        "opt_outs": {"confirmed": 1, "unconfirmed": 1, "unknown": 0},
    }


def test_a_tenants_settings_have_the_time_and_the_principals_of_their_record() -> None:
    opted = tenant(Confirmation.CONFIRMED, abuse_monitoring=OPTED_OUT)
    version = Applied(
        at=17.5,
        fields=frozenset({"abuse_monitoring.mode", "abuse_monitoring.approval"}),
        before="earlier",
        after=fingerprint(opted.policy),
        applied_by="d/ben",
        proposed_by="d/anna",
    )
    told = of_tenant(opted, [version], recovery_days=RECOVERY)
    by = {"since": 17, "recorded": True, "applied_by": "d/ben", "proposed_by": "d/anna"}
    assert told["tenant"] == "contoso"
    assert told["abuse_monitoring"] == {
        "mode": "opted_out",
        "kept_seconds": 0,
        "approval": "AOAI-2026-0117",
        "approved_on": "2026-03-02",
        "confirmed_by_azure": "confirmed",
        **by,
    }
    assert told["detection"] == {"on": False, **by}
    # no record leads to it: it stands as long as nobody wrote the policy, at least
    assert told["content_filter"] == {
        "mode": "report",
        "since": int(WRITTEN),
        "recorded": False,
        "applied_by": None,
        "proposed_by": None,
    }


@pytest.mark.parametrize(
    ("monitoring", "seconds", "on", "thresholds"),
    [
        ({"mode": "flagged"}, 21 * DAY, True, (3, 10, 10)),  # the defaults
        ({"mode": "all", "detection": QUIET | {"new_subjects": 4}}, 21 * DAY, True, (None, None, 4)),
        ({"mode": "all", "detection": QUIET}, 21 * DAY, False, (None, None, None)),
        ({"mode": "off"}, 0, False, (None, None, None)),
    ],
)
def test_a_tenants_detection_is_what_its_policy_says_or_the_default(
    monitoring: dict[str, Any], seconds: int, thresholds: tuple[int | None, ...], *, on: bool
) -> None:
    told = of_tenant(tenant(abuse_monitoring=monitoring), (), recovery_days=RECOVERY)
    detection = told["detection"]
    assert (told["abuse_monitoring"]["kept_seconds"], detection["on"]) == (seconds, on)
    assert tuple(detection.get(kind) for kind in ("jailbreak_attempts", "blocked_prompts", "new_subjects")) == thresholds
