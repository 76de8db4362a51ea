"""The routes of the app: what a good request to each of them is, and how it answers."""

import time
from dataclasses import dataclass
from typing import Any

from shared.domain.principal import Role
from tests.system.http import Http, line

DAY = 86_400
CANARY = "canary-8d21f0aa"
"""In every value that a request of these routes carries; no refusal may repeat it."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route with a good request: ``needs`` is what its ``{id}`` names, ``role`` the one that a caller must have."""

    method: str
    template: str
    status: int
    needs: str | None = None
    body: Any = None
    others: int = 404
    """What another tenant is answered: 404 for what is not its own, otherwise what the right tenant is."""
    by: str = "contoso"
    """Who may: a sample principal."""
    role: Role = Role.SUBMIT

    @property
    def name(self) -> str:
        return f"{self.method} /{self.template}"

    def path(self, id_: str) -> str:
        return f"/{self.template.replace('{id}', id_)}"

    @property
    def is_of_both(self) -> bool:
        """Whether tenants and those who run the service each have theirs there."""
        return self.template.startswith(ENDPOINTS)

    @property
    def is_openais(self) -> bool:
        return self.template.startswith("openai/")


RESPONSE = {"model": "gpt-small", "input": CANARY, "background": True, "metadata": {"custom_id": f"{CANARY}-response"}}
HOOK = {"name": CANARY, "url": f"http://127.0.0.1:9/hooks/{CANARY}", "event_types": ["response.completed"]}
SUBJECT = {"safety_identifier": CANARY}

HOLD = {"tenant": "adatum", "case_reference": CANARY, "ends_at": int(time.time()) + 10 * DAY}
LATER = {"ends_at": int(time.time()) + 30 * DAY}

OPERATORS: dict[str, Any] = {"by": "operator", "others": 403}
RESPONSES, ENDPOINTS, SUBJECTS = "openai/v1/responses", "openai/v1/webhook_endpoints", "v1/subjects"

ROUTES = [
    Route(method="POST", template="v1/generations", status=202, body=line(CANARY, custom_id=CANARY), others=202),
    Route(method="POST", template="v1/generations/lookup", status=200, needs="generation", body={"custom_id": "{custom_id}"}),
    Route(method="GET", template="v1/generations/{id}", status=200, needs="generation"),
    Route(method="DELETE", template="v1/generations/{id}", status=204, needs="generation"),
    Route(method="POST", template=f"{SUBJECTS}/erasures", status=202, body=SUBJECT, others=202, role=Role.PRIVACY),
    Route(method="GET", template=f"{SUBJECTS}/erasures/{{id}}", status=200, needs="erasure", role=Role.PRIVACY),
    Route(method="POST", template=f"{SUBJECTS}/exports", status=200, body=SUBJECT, others=200, role=Role.PRIVACY),
    Route(method="POST", template=RESPONSES, status=200, body=RESPONSE, others=200),
    Route(method="GET", template=f"{RESPONSES}/{{id}}", status=200, needs="response"),
    Route(method="POST", template=f"{RESPONSES}/{{id}}/cancel", status=200, needs="response"),
    Route(method="DELETE", template=f"{RESPONSES}/{{id}}", status=200, needs="response"),
    Route(method="GET", template="openai/v1/models", status=200, others=200),
    Route(method="POST", template=ENDPOINTS, status=200, body=HOOK, others=200),
    Route(method="GET", template=ENDPOINTS, status=200, others=200),
    Route(method="GET", template=f"{ENDPOINTS}/{{id}}", status=200, needs="endpoint"),
    Route(method="POST", template=f"{ENDPOINTS}/{{id}}", status=200, needs="endpoint", body={"name": CANARY}),
    Route(method="DELETE", template=f"{ENDPOINTS}/{{id}}", status=200, needs="endpoint"),
    Route(method="POST", template=f"{ENDPOINTS}/{{id}}/rotate_secret", status=200, needs="endpoint", body={}),
    Route(
        method="POST",
        template=f"{ENDPOINTS}/{{id}}/test",
        status=200,
        needs="endpoint",
        body={"event_type": "response.completed"},
    ),
    Route(method="POST", template="v1/holds", status=201, body=HOLD | {"subject": {"safety_identifier": CANARY}}, **OPERATORS),
    Route(method="GET", template="v1/holds", status=200, **OPERATORS),
    Route(method="GET", template="v1/holds/{id}", status=200, needs="hold", **OPERATORS),
    Route(method="POST", template="v1/holds/{id}/renew", status=200, needs="hold", body=LATER, **OPERATORS),
    Route(method="DELETE", template="v1/holds/{id}", status=204, needs="hold", **OPERATORS),
    Route(method="GET", template="v1/privacy/report", status=200, **OPERATORS),
]
"""Every route that asks who calls."""

PUBLIC = [
    *("GET /healthz", "GET /v1/privacy/statement"),
    *("GET /privacy", "GET /privacy/overview", "GET /privacy/assets/{name}"),
]
"""Routes that are everybody's."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Something of contoso's, or a hold: its id, and the key of what has one."""

    id: str
    custom_id: str = ""


def make(kind: str | None, http: Http) -> Thing:
    """Let contoso, or an operator, have what a route needs."""
    if kind is None:
        return Thing(id="")
    if kind == "hold":
        return Thing(id=http.call("POST", "/v1/holds", HOLD, token=http.token("operator")).json["id"])
    if kind == "endpoint":
        url = f"{http.stack.endpoints['webhook_receiver']}/hooks/callers"
        return Thing(id=http.call("POST", f"/{ENDPOINTS}", HOOK | {"url": url}).json["id"])
    if kind == "erasure":
        return Thing(id=http.call("POST", "/v1/subjects/erasures", SUBJECT).json["id"])
    request = line(CANARY)
    made = http.call("POST", "/v1/generations", request).json["id"]
    return Thing(id=made if kind == "generation" else made.replace("gen_", "resp_"), custom_id=request["custom_id"])
