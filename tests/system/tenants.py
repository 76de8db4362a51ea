"""Tenants that a test adds to a running stack: keys, a policy, and one application that acts for it."""

from typing import Any
from uuid import uuid4

from local.stack import keys
from tests.policies import PRINCIPAL, stored
from tests.system.http import Http


def add(http: Http, tenant: str, **changes: Any) -> str:  # noqa: ANN401
    """Add a tenant whose policy is the sample one with changes, and return a token of its application.

    A policy is cached for a minute: it has to be there before anybody asks for it.
    """
    client = str(uuid4())
    roles = changes.pop("roles", PRINCIPAL["roles"])
    keys.create_missing(http.stack.state / "keys.json", [tenant])
    policy = stored(tenant, principals=[PRINCIPAL | {"client_id": client, "roles": roles}], **changes)
    with http.stack.client() as store:
        store.container("policies").create_item(policy)
    return http.token("contoso", claims={"azp": client})
