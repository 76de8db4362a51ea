"""Records for abuse review and alerts in a running stack, put there as the app writes them, and what is left of them."""

from typing import Any

from tests import review
from tests.system.seeding import now
from tests.system.stack import Stack
from tests.system.subjects import macs

CONTAINER = "abuse-monitoring"


def put_record(
    stack: Stack,
    tenant: str,
    generation: str,
    *,
    subject: str | None = None,
    content: str = "sealed",
    **changes: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """Store the record of a job that was admitted now; ``content`` stands in it in place of a sealed one."""
    mac = macs(stack, tenant, subject)[-1] if subject else None
    made = review.record(tenant, generation.removeprefix("gen_"), mac, now=now(stack.state), content=content, **changes)
    stack.store.container(CONTAINER).create_item(made)
    return made


def put_alert(stack: Stack, tenant: str, *, subject: str | None = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Store an alert about a subject, or about the jobs without one."""
    mac = macs(stack, tenant, subject)[-1] if subject else None
    made = review.alert(tenant, mac, now=now(stack.state), **changes)
    stack.store.container(CONTAINER).create_item(made)
    return made


def reviewed(stack: Stack, tenant: str, *, subject: str | None = None) -> list[dict[str, Any]]:
    """Records and alerts of a tenant, or of one of its subjects."""
    found = stack.store.container(CONTAINER).query_items("SELECT * FROM c", partition_key=[tenant])
    known = {mac.mac for mac in macs(stack, tenant, subject)} if subject else set()
    return [each for each in found if subject is None or (each["subject"] or {}).get("mac") in known]
