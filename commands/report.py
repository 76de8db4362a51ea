"""What the command prints: to standard output what it did, to standard error why it did not."""

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.azure.policy_documents import Listing, StoredPolicy
from shared.domain.policy_change import as_json
from shared.errors import InvalidPolicy

if TYPE_CHECKING:
    from shared.tenants.apply import Applied
    from shared.tenants.offboard import Receipt
    from shared.tenants.plan import Plan

_END_OF_TIME = 253_402_300_800
"""The year 10000, which `datetime` does not know."""


def listing(found: Listing) -> None:
    """Print a line for each tenant."""
    for policy in found.policies:
        clocks = f"outputs {policy.retention.output_seconds} s, receipts {policy.retention.receipt_seconds} s"
        _say(f"{policy.tenant_id:<24} {policy.geography}, {policy.residency}; {clocks}; queue {policy.queue_submission}")
    for tenant in found.unreadable:
        _say(f"{tenant:<24} its policy cannot be read: apply one")


def policy(found: StoredPolicy) -> None:
    """Print a policy as `apply` reads it, or what became of it."""
    if found.policy is not None:
        _say(json.dumps(as_json(found.policy), indent=2))
    elif found.offboarded_at is not None:
        _say(f"offboarded {moment(found.offboarded_at)}")
    else:
        failed("The policy cannot be read: apply one.")


def plan(planned: "Plan") -> None:
    """Print what a version changes, and what it does to what exists."""
    _say(f"{planned.policy.tenant_id}: {'a new tenant' if planned.is_new else 'a tenant of this stamp'}")
    for change in planned.change.fields:
        loosens = "   (loosens)" if change.name in planned.change.loosened else ""
        before = "" if change.before is None else f"{_shown(change.before)} -> "
        _say(f"  {change.name}: {before}{_shown(change.after)}{loosens}")
    if not planned.change.fields:
        _say("  nothing changes")
    if sum(planned.shortens.values()):
        counts = ", ".join(f"{count} {name.replace('_', ' ')}s" for name, count in planned.shortens.items() if count)
        _say(f"  existing deadlines that become earlier: {counts}")
    elif not planned.is_new and any(name.startswith("retention.") for name in planned.change.names):
        _say("  no existing deadline changes")


def applied(planned: "Plan", done: "Applied") -> None:
    """Print what became of an application."""
    tenant = planned.policy.tenant_id
    if done.outcome == "needs_second_principal":
        names = ", ".join(planned.change.loosened)
        _say(f"Not applied. It loosens {names}: within 24 hours another operator has to apply the same document.")
        return
    _say("Applied: seen everywhere within 60 seconds." if done.outcome == "applied" else "Nothing to apply.")
    if done.shortened.found:
        rest = "" if done.shortened.complete else "; the timer does the rest"
        _say(f"{done.shortened.shortened} documents got an earlier deadline{rest}.")
    if done.submission_secret is not None:
        secret(tenant, done.submission_secret, keep_old=False)


def secret(tenant: str, value: str, *, keep_old: bool) -> None:
    """Print a submission secret, this once."""
    _say(f"Submission secret of {tenant}, shown once: {value}")
    if keep_old:
        _say("The one before counts for another 24 hours.")


def offboarding(tenant: str, settle: float) -> None:
    """Say what is going to happen."""
    _say(f"Offboarding {tenant}: swept now, and again in {settle:.0f} s, when no worker remembers it. Safe to repeat.")


def offboarded(receipt: "Receipt") -> None:
    """Print the receipt, for keeping."""
    left: dict[str, Any] = {
        "messages_waiting": f"refused when read, then gone after {receipt.waiting_message_seconds} s",
        "webhooks_waiting": "ids without content, dropped when they are due, within 24 hours",
        "dead_letters": "gone with the timer's first run after LETHE_DEAD_LETTER_MAX_AGE_SECONDS",
    }
    if receipt.rejected_messages_until is not None:
        left["messages_rejected_before"] = f"gone {moment(receipt.rejected_messages_until)}"
    left["backups_and_deleted_keys"] = "recoverable until the account's backup horizon and the vault's recovery days end"
    _say(
        json.dumps(
            {
                "tenant": receipt.tenant,
                "offboarded_at": moment(receipt.offboarded_at),
                "completed_at": moment(receipt.completed_at),
                "removed": receipt.removed,
                "keys": "deleted",
                "left": left,
            },
            indent=2,
        )
    )


def problems(invalid: InvalidPolicy) -> None:
    """Print every field that is wrong, and its rule.

    A field that is not known is named as its author wrote it, to its author; a value is never repeated.
    """
    failed("Not a policy that this stamp can honour:")
    for problem in invalid.problems:
        sys.stderr.write(f"  {_harmless(problem.field)}: {problem.rule}\n")


def failed(text: str) -> None:
    """Say why nothing was done."""
    sys.stderr.write(f"{text}\n")


def _harmless(name: str) -> str:
    """Write a name on one line that no terminal obeys: an operator may have had the document from somebody else."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in name)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _shown(value: object) -> str:
    return json.dumps(value)


def moment(at: float) -> str:
    """A time as people read it; what is none, such as one that somebody put into evidence, as the number that it is."""
    if not 0 <= at < _END_OF_TIME:
        return f"{at:g} s"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
