"""One data subject of a tenant, as its tenant speaks about it over HTTP, and what is left of it in the store."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from local import clock
from shared.domain.json_document import canonical
from shared.domain.macs import Mac
from tests.system.http import Http, Reply
from tests.system.jobs import job
from tests.system.stack import Stack, wait_for

SETTLED = 60 + 20 + 10 + 1
"""Seconds after which an erasure's last sweep may come: markers' cache, model timeout, lease."""

ENVIRONMENT = {"LETHE_MODEL_TIMEOUT_SECONDS": "20"}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A subject, whose name is a canary, as are the prompts of its jobs."""

    stack: Stack
    http: Http
    tenant: str = "contoso"
    name: str = ""

    def request(self, prompt: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """A message of the queue for this subject; ``fields`` are further fields of its envelope."""
        body = {"model": "gpt-small", "input": prompt, "safety_identifier": self.name}
        return job("about", str(uuid4()), prompt, tenant=self.tenant, body=body, **fields)

    def submit(self, prompt: str) -> str:
        """Admit a job over HTTP and return its id."""
        envelope = {name: value for name, value in self.request(prompt).items() if name != "tenant"}
        reply = self.http.call("POST", "/v1/generations", envelope, tenant=self.tenant)
        assert reply.status == 202, reply.text
        return str(reply.json["id"])

    def erase(self) -> Reply:
        """Ask for the erasure."""
        return self.http.call("POST", "/v1/subjects/erasures", {"safety_identifier": self.name}, tenant=self.tenant)

    def erasure(self, erasure_id: str) -> dict[str, Any]:
        """Read the receipt of an erasure."""
        reply = self.http.call("GET", f"/v1/subjects/erasures/{erasure_id}", tenant=self.tenant)
        assert reply.status == 200, reply.text
        return dict(reply.json)

    def completed(self, erasure_id: str) -> dict[str, Any]:
        """Let the time pass after which nothing can come any more, and return the receipt of the completed erasure."""
        self.stack.advance(SETTLED)
        return wait_for("the erasure to be completed", lambda: self._if(erasure_id, "completed"))

    def _if(self, erasure_id: str, status: str) -> dict[str, Any] | None:
        shown = self.erasure(erasure_id)
        return shown if shown["status"] == status else None

    def export(self, after: str | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Export a page: its generations, and the line about the page."""
        body = {"safety_identifier": self.name} | ({"after": after} if after else {})
        reply = self.http.call("POST", "/v1/subjects/exports", body, tenant=self.tenant)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/x-ndjson")
        *generations, last = [json.loads(text) for text in reply.text.splitlines()]
        return generations, last

    def macs(self) -> list[dict[str, str]]:
        """What the subject is known by."""
        return [vars(mac) for mac in macs(self.stack, self.tenant, self.name)]

    def documents(self) -> list[dict[str, Any]]:
        """Every document that names the subject by its MAC, and whatever lies beside it."""
        known = [mac["mac"] for mac in self.macs()]
        all_of_tenant = everything(self.stack, self.tenant)
        jobs = {each["jobId"] for each in all_of_tenant if (each.get("subject") or {}).get("mac") in known}
        return [each for each in all_of_tenant if each["jobId"] in jobs]

    def mark(self, *, cutoff: float, settled_at: float | None = None) -> str:
        """Store a marker as another process of the app does."""
        erasure_id = f"erasure_{uuid4().hex}"
        names = ("receipts", "outputs", "events", "waiting_copies", "sealed_records", "alerts")
        none = dict.fromkeys(names, 0)
        document = {
            "id": erasure_id,
            "kind": "erasure",
            "tenantId": self.tenant,
            "subjects": self.macs(),
            "requested_at": cutoff,
            "cutoff": cutoff,
            "settled_at": cutoff + SETTLED if settled_at is None else settled_at,
            "rejected_until": cutoff,
            "status": "pending",
            "counts": none,
            "re_erased": none,
            "held": {"documents": 0, "until": None},
            "tombstones_until": None,
            "completed_at": None,
            "ttl": -1,
        }
        self.stack.store.container("privacy").create_item(document)
        return erasure_id


def macs(stack: Stack, tenant: str, name: str) -> list[Mac]:
    """What a subject is known by, computed from the stack's keys."""
    keys = json.loads((stack.state / "keys.json").read_text())[tenant]["subject"]
    return [Mac(kid=key["kid"], mac=_mac(key["secret"], name)) for key in keys]


def everything(stack: Stack, tenant: str) -> list[dict[str, Any]]:
    """Every document of a tenant's jobs."""
    return list(stack.store.container("generations").query_items("SELECT * FROM c", partition_key=[tenant]))


def evidence(stack: Stack, erasure_id: str) -> list[dict[str, Any]]:
    """Records of chain ``erasures`` about an erasure, in their order."""
    found = stack.store.container("evidence").query_items("SELECT * FROM c WHERE c.sequence > 0", partition_key="erasures")
    return sorted((each for each in found if each["fields"]["erasure"] == erasure_id), key=lambda each: int(each["id"]))


def _mac(secret: str, name: str) -> str:
    return hmac.new(base64.b64decode(secret), canonical(name), hashlib.sha256).hexdigest()


def canary(what: str) -> str:
    """A text that is nowhere else."""
    return f"canary-{what}-{uuid4().hex[:12]}"


def restore(stack: Stack, documents: list[dict[str, Any]], container_name: str = "generations") -> None:
    """Put documents back, as a restored container has them: over what stands there now."""
    container = stack.store.container(container_name)
    for document in documents:
        container.upsert_item({name: value for name, value in document.items() if not name.startswith("_")})


def now(subject: Subject) -> float:
    """The stack's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETHE_CLOCK_OFFSET_FILE", subject.stack.endpoints["clock_offset_file"])
        return clock.now()


def text_of(generation: dict[str, Any]) -> str:
    """What the model said."""
    return str(generation["response"]["body"]["output"][0]["content"][0]["text"])


def receiver(subject: Subject, method: str, what: str, **body: object) -> Any:  # noqa: ANN401
    """A call of the receiver's control URL."""
    url = f"{subject.stack.endpoints['webhook_receiver']}/_control/{what}"
    answer = subject.http.client.request(method, url, json=body or None)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def answers(subject: Subject) -> bool:
    """Whether the host answers."""
    return subject.http.call("GET", "/healthz", tenant=None).status == 200
