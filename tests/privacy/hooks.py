"""The webhook endpoints of the run: their secrets, where each may lie, and what their receivers got."""

import base64
from dataclasses import dataclass, field

import httpx2

from local import parts
from tests.privacy.cases import STORE, Planting
from tests.privacy.exact import Exact
from tests.privacy.flock import Flock
from tests.privacy.http_calls import ENDPOINTS
from tests.system.http import Http

SECRETS = "keys-webhooks.json"
"""The one file in which signing secrets lie."""
TYPES = [f"{family}.{end}" for family in ("response", "generation") for end in ("completed", "failed", "cancelled")]
TYPES += ["safety.alert.created", "safety_identifier.blocked"]


@dataclass(kw_only=True)
class Hooks:
    """Endpoints of one tenant; ``secrets`` are all that were ever shown, ``live`` the labels of those that count."""

    http: Http
    flock: Flock
    token: str = field(repr=False)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    live: set[str] = field(default_factory=set)
    configured: set[tuple[str, str]] = field(default_factory=set)
    """Labels of names and URLs of endpoints that exist: their tenant's configuration, in the file of the store."""
    ids: dict[str, str] = field(default_factory=dict)

    def listen(self, path: str, *, port: int) -> None:
        """Register an endpoint with canaries in name and URL, then give it others."""
        before, planted = Planting(flock=self.flock, path=f"{path}, at first"), Planting(flock=self.flock, path=path)
        created = self._post(path, "", {**self._named(before, port), "event_types": TYPES})
        self.ids[path] = created["id"]
        named = self._named(planted, port)
        self._post(path, f"/{self.ids[path]}", named)
        self.configured |= {(str(label), STORE) for label in planted.labels_in(repr(named).encode())}

    def rotate(self, path: str, *, keep_old: bool) -> None:
        """Give an endpoint a new secret."""
        old = {label for label in self.live if label.endswith(path)}
        self._post(path, f"/{self.ids[path]}/rotate_secret", {"keep_old_secret_active_for_24_hours": keep_old})
        if not keep_old:
            self.live -= old

    def try_out(self, path: str) -> None:
        """Send a test event."""
        self._post(path, f"/{self.ids[path]}/test", {"event_type": TYPES[0]})

    def delete(self, path: str) -> None:
        """Delete an endpoint."""
        endpoint = self.ids.pop(path)
        reply = self.http.call("DELETE", f"{ENDPOINTS}/{endpoint}", token=self.token)
        assert reply.status == 200, reply.status
        self.live = {label for label in self.live if not label.endswith(path)}
        self.configured = {entry for entry in self.configured if repr(path) not in entry[0]}

    def shown(self) -> str:
        """What reading the endpoints shows."""
        paths = ["", *(f"/{endpoint}" for endpoint in self.ids.values())]
        return "".join(self.http.call("GET", f"{ENDPOINTS}{path}", token=self.token).text for path in paths)

    def known(self) -> Exact:
        """Every secret that was shown, as text and as the bytes that sign."""
        raw = {label: base64.b64decode(secret.removeprefix("whsec_")) for label, secret in self.secrets.items()}
        return Exact(
            {label: secret.removeprefix("whsec_") for label, secret in self.secrets.items()}
            | {f"bytes of {label}": each for label, each in raw.items()}
        )

    def expected(self) -> set[tuple[str, str]]:
        """Where the scan has to find secrets, and nothing but them."""
        return {(form, SECRETS) for label in self.live for form in (label, f"bytes of {label}")}

    def _post(self, path: str, action: str, body: dict[str, object]) -> dict[str, str]:
        reply = self.http.call("POST", f"{ENDPOINTS}{action}", body, token=self.token)
        assert reply.status == 200, (path, reply.status)
        answer: dict[str, str] = reply.json
        if "signing_secret" in answer:
            label = f"secret {len(self.secrets)} of {path}"
            self.secrets[label] = answer["signing_secret"]
            self.live.add(label)
        return answer

    @staticmethod
    def _named(planted: Planting, port: int) -> dict[str, object]:
        return {"name": planted("name"), "url": f"http://{parts.HOST}:{port}/hooks/{planted('url')}"}


def received(http: Http) -> list[dict[str, object]]:
    """What the stack's receiver got: headers and body of each webhook."""
    url = f"{http.stack.endpoints['webhook_receiver']}/_control/received"
    reports = httpx2.get(url, trust_env=False).json()["received"]
    return [{"headers": report["headers"], "body": report["body"]} for report in reports]
