"""Policies of a running stack, changed for a test. The app sees a change when what it has read is a minute old."""

from typing import Any

from tests.system.stack import Stack


def change_policy(stack: Stack, tenant: str, **fields: Any) -> None:  # noqa: ANN401
    """Give a tenant's policy other values of some fields."""
    container = stack.store.container("policies")
    policy = container.read_item("policy", tenant)
    container.upsert_item({**policy, **fields})


def limit(stack: Stack, tenant: str, **limits: int) -> None:
    """Give a tenant these limits, and the stamp's for the others."""
    change_policy(stack, tenant, limits=limits)
