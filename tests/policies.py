"""A policy, a deployment and a stamp, whole and valid; a test lays over them what it is about."""

import json
from typing import Any

from shared.domain.policy import DAY, TenantPolicy
from shared.domain.residency import Geography
from shared.domain.stamp import Deployment, Stamp, StampLimits

DIRECTORY = "11e7be00-0000-4000-8000-000000000001"
CLIENT = "11e7be00-0000-4000-8000-000000000c01"
PRINCIPAL: dict[str, Any] = {"directory": DIRECTORY, "client_id": CLIENT, "roles": ["Lethe.Submit", "Lethe.Privacy"]}
RETENTION = {"output_seconds": DAY, "receipt_seconds": 30 * DAY, "abuse_record_seconds": 21 * DAY}
MODEL_URL = "http://127.0.0.1:9000/openai/v1/"
RESOURCE_ID = "/subscriptions/11e7be00/resourceGroups/lethe/providers/Microsoft.CognitiveServices/accounts/primary"
LIMITS = StampLimits(requests_in_flight=16, output_tokens_per_request=16_384, requests_per_minute=6000)

POLICY: dict[str, Any] = {
    "tenant_id": "contoso",
    "geography": "eu",
    "residency": "data_zone",
    "retention": RETENTION,
    "content_filter": "report",
    "abuse_monitoring": {"mode": "flagged"},
    "models": {"gpt-small": ["gpt-small-eu"]},
    "principals": [PRINCIPAL],
    "webhook_hosts": ["hooks.contoso.example"],
    "reply_queues": ["contoso-replies"],
    "grounding": "allowed",
    "limits": {},
    "queue_submission": "open",
}

DEPLOYMENT = {
    "name": "gpt-small-eu",
    "endpoint": MODEL_URL,
    "resource_id": RESOURCE_ID,
    "region": "swedencentral",
    "geography": "eu",
    "sku": "Standard",
    "model": "gpt-4.1-mini",
}


def read(fields: object) -> TenantPolicy:
    """Read a policy's fields as the app reads them."""
    return TenantPolicy.model_validate_json(json.dumps(fields))


def policy(**changes: Any) -> TenantPolicy:  # noqa: ANN401
    """A policy."""
    return read(POLICY | changes)


def stored(tenant: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A policy as it lies in container ``policies``."""
    fields = {name: value for name, value in POLICY.items() if name != "tenant_id"}
    return {"id": "policy", "tenantId": tenant, **fields, **changes}


def deployment(name: str = "gpt-small-eu", **changes: str) -> Deployment:
    """A deployment."""
    return Deployment.model_validate(DEPLOYMENT | {"name": name} | changes)


def stamp(*deployments: Deployment, geography: Geography = Geography.EU) -> Stamp:
    """A stamp with these deployments, with the sample one when there are none."""
    return Stamp(geography=geography, deployments={one.name: one for one in deployments or (deployment(),)}, limits=LIMITS)
