"""The canary run of the operators' command: what it is given in which order, and what is looked at in between."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from local import parts
from tests.parts import ROOT
from tests.privacy import operator_failures, operator_places, surroundings
from tests.privacy.cases import QUEUES, RESPONSES, STORE, Planting, request
from tests.privacy.exact import Exact
from tests.privacy.flock import Flock, Label
from tests.privacy.hooks import SECRETS
from tests.privacy.http_calls import ENDPOINTS, LETHE
from tests.privacy.journey import Journey, Look
from tests.privacy.operator_desk import Desk, Run
from tests.privacy.operator_documents import NAMES, good
from tests.privacy.operator_places import KEYS, Placed
from tests.privacy.paths import COMPLETED
from tests.privacy.scan import Finding, scan_bytes
from tests.system import faults
from tests.system.http import TERMINAL, Http, calling
from tests.system.jobs import wait_until_all_wait
from tests.system.policy_command import Done
from tests.system.stack import Stack, running_stack, wait_for

SETTLED = 80
"""Seconds after which no worker remembers a tenant; the third attempt at its webhooks comes later."""
EVENTS = ["response.completed", "response.failed"]

_QUEUES = ("generation-requests", "generation-rejected", "webhook-deliveries")
_FILES = (KEYS, SECRETS)
_MOMENT = 0.5
"""Seconds in which a command that can go on asks the store again."""


@dataclass(frozen=True, kw_only=True)
class OperatorEvidence:
    """What the run found, stage after stage."""

    unexpected: list[str]
    failed: Look
    onboarded: Look
    changed: Look
    at_work: Look
    offboarded: Look
    secrets: list[Look]
    shown: list[int]
    """How often the command has shown each secret."""
    told_wrongly: list[Finding]
    names_told: set[str]
    in_evidence: list[Finding]
    records: list[str]
    left: dict[str, int]
    said_by_the_stack: list[Finding]


def run(folder: Path) -> OperatorEvidence:
    """Run all of it on a stack of its own; what the operator has written lies outside of what is looked at."""
    state, desk = folder / "state", folder / "desk"
    temporary = state / "temporary"
    for each in (temporary, desk):
        each.mkdir(parents=True)
    with (
        running_stack(state, TMPDIR=str(temporary), LETHE_GRACE_SECONDS="900") as stack,
        calling(stack) as http,
    ):
        return _Stages(stack=stack, http=http, flock=Flock(), desk=Desk(stack=stack, folder=desk)).run()


@dataclass(kw_only=True)
class _Stages:
    stack: Stack
    http: Http
    flock: Flock
    desk: Desk

    def run(self) -> OperatorEvidence:
        journey = Journey(stack=self.stack, flock=self.flock)
        self.desk.run(operator_failures.runs(self.desk, self.flock))
        with faults.down(self.stack, "cosmos"):
            self.desk.run(operator_failures.without_a_store(self.desk, self.flock))
        unfinished = operator_places.unfinished()
        failed = journey.look_for(unfinished)

        tenant = Planting(flock=self.flock, path="a tenant")
        client = str(uuid4())
        secrets = self._onboard(tenant, client)
        configured = unfinished | operator_places.named(tenant) | operator_places.kept(tenant, "alias", "host", "queue")
        onboarded = journey.look_for(configured)
        looks = [self._look_for_secrets(journey, secrets, live={0, 1})]
        secrets += self._change(tenant, client)
        configured = (
            unfinished
            | operator_places.named(tenant)
            | operator_places.kept(tenant, "another alias", "another host", "another queue")
        )
        changed = journey.look_for(configured)
        looks.append(self._look_for_secrets(journey, secrets, live={len(secrets) - 1}))

        work = Planting(flock=self.flock, path="a tenant's work")
        name = str(Label(path=tenant.path, place="tenant"))
        at_work = journey.look_for(configured | self._work(work, client) | {(name, QUEUES)})
        self._offboard(tenant("tenant"))
        gone = unfinished | {(name, STORE), (name, QUEUES)}  # the tombstone, evidence, and a webhook that waits
        offboarded = journey.look_for(gone)
        looks.append(self._look_for_secrets(journey, secrets, live=set()))
        records = self._evidence()
        left = self._left(tenant("tenant"))
        said = scan_bytes(self.flock, **{path: done.err.encode() for path, done in self.desk.said.items()})
        self.stack.child.process.terminate()
        stack_said = "".join(self.stack.child.process.communicate(timeout=40))
        return OperatorEvidence(
            unexpected=self.desk.unexpected,
            failed=failed,
            onboarded=onboarded,
            changed=changed,
            at_work=at_work,
            offboarded=Look(missing=offboarded.missing, surplus=offboarded.surplus + journey.look_for(gone).surplus),
            secrets=looks,
            shown=[sum(done.out.count(secret) for done in self.desk.said.values()) for secret in secrets],
            told_wrongly=[each for each in said if operator_places.place(each) not in NAMES]
            + self._secrets_told(secrets, records),
            names_told={operator_places.place(each) for each in said} & NAMES,
            in_evidence=[each for each in scan_bytes(self.flock, evidence=records) if operator_places.place(each) != "tenant"],
            records=[record["kind"] for record in json.loads(records) if record["chain"] == "policies" and "kind" in record],
            left=left,
            said_by_the_stack=scan_bytes(self.flock, output=stack_said.encode()),
        )

    def _onboard(self, tenant: Planting, client: str) -> list[str]:
        """Bring a tenant in; propose a looser version, of which nothing but its fingerprint may be kept; rotate."""
        looser = Planting(flock=self.flock, path="a proposal")
        policy = good(tenant, client=client)
        loose = good(looser) | {"tenant_id": tenant("tenant"), "residency": "global"}
        loose["abuse_monitoring"] = {"mode": "opted_out", "approval": looser("approval"), "approved_on": "2026-01-01"}
        done = self.desk.run(
            [
                Run(path="a new tenant", arguments=("apply", self.desk.document(policy)), code=0),
                Run(path="a proposal", arguments=("apply", self.desk.document(loose)), code=3),
                Run(path="a rotation", arguments=("rotate", tenant("tenant")), code=0),
                Run(path="a policy that is shown", arguments=("show", tenant("tenant")), code=0),
            ]
        )
        return [operator_places.secret(done[0]), operator_places.secret(done[2])]

    def _change(self, tenant: Planting, client: str) -> list[str]:
        """Replace whatever the policy says in words of its own, and the secrets at once."""
        changed = good(tenant, client=client) | {
            "models": {tenant("another alias"): ["gpt-small-eu"], "gpt-small": ["gpt-small-eu"]},
            "webhook_hosts": ["127.0.0.1", f"{tenant('another host')}.example"],
            "reply_queues": [f"{tenant('another queue')}-replies"],
        }
        fault = {"operation": "replace", "status": 503}
        broken = self.desk.changed_settings(LETHE_KEY_STORE=f"{self.desk.folder.as_uri()}/none/keys.json")
        document = self.desk.document(changed)
        done = self.desk.run(
            [
                Run(path="a change that fails", arguments=("apply", document), code=1, faults=(fault,)),
                Run(path="a change", arguments=("apply", document), code=0),
                Run(path="a rotation that fails", arguments=("rotate", tenant("tenant")), code=1, settings=broken),
                Run(path="a rotation that nobody keeps", arguments=("rotate", tenant("tenant")), code=1, faults=(fault,)),
                Run(path="a rotation at once", arguments=("rotate", tenant("tenant"), "--immediately"), code=0),
            ]
        )
        return [operator_places.secret(done[4])]

    def _work(self, work: Planting, client: str) -> Placed:
        """Let the tenant have an answer, a copy that waits, an endpoint, and one whose registration failed half-way."""
        token = self.http.token("contoso", claims={"azp": client})
        envelope = request(work, RESPONSES)
        del envelope["tenant"]
        waits: dict[str, object] = {"custom_id": work("custom_id that waits"), "url": RESPONSES}
        waits["body"] = {"model": "gpt-small", "input": f"[[status:429:2:3000]] {work('prompt that waits')}"}
        hook = {"name": work("name"), "url": f"http://{parts.HOST}:{parts.free_port()}/hooks/{work('url')}"}
        body = {**hook, "event_types": EVENTS}
        self._post(ENDPOINTS, body, token, 200)
        faults.arm(self.stack, container="webhook-endpoints", operation="create", status=503, count=1000)
        with ThreadPoolExecutor() as pool:
            half_way = pool.submit(self._post, ENDPOINTS, body | {"name": work("name of none")}, token, 503)
            generation = self._post(LETHE, envelope, token, 202)["id"]
            self._post(LETHE, waits, token, 202)
            wait_for("the answer", lambda: self._has_ended(generation, token))
            wait_until_all_wait(self.stack)
            half_way.result()
        faults.disarm(self.stack)
        stored = {label for label in work.labels_in(json.dumps(envelope).encode()) if label.place in COMPLETED.kept}
        stored |= work.labels_in(json.dumps(hook).encode())
        waiting = work.labels_in(json.dumps(waits).encode())
        return {(str(label), STORE) for label in stored} | {(str(label), QUEUES) for label in waiting}

    def _has_ended(self, generation: str, token: str) -> bool:
        reply = self.http.call("GET", f"{LETHE}/{generation}", tenant=None, token=token)
        return reply.json.get("status") in TERMINAL

    def _post(self, path: str, body: object, token: str, status: int) -> dict[str, Any]:
        reply = self.http.call("POST", path, body, tenant=None, token=token)
        assert reply.status == status, (path, reply.status)
        answer: dict[str, Any] = reply.json
        return answer

    def _offboard(self, tenant: str) -> None:
        """Let the tenant go, while one service after the other is away, and the command dies; then repeat it to its end."""
        arguments = ("offboard", tenant, "--confirm", tenant)
        with faults.down(self.stack, "broker"), self._command(*arguments) as command:
            wait_for("the command to come to the broker", self._is_quiet)
            command.kill()
            self._note("offboarding that is killed without a broker", command, code=-signal.SIGKILL)
        fault = {"container": "generations", "operation": "delete", "status": 503}
        broken = self.desk.changed_settings(LETHE_KEY_STORE=f"{self.desk.folder.as_uri()}/none/keys.json")
        self.desk.run(
            [
                Run(path="offboarding without a store", arguments=arguments, code=1, faults=(fault,)),
                Run(path="offboarding without a key store", arguments=arguments, code=1, settings=broken),
            ]
        )
        self.stack.advance(SETTLED)
        faults.count_from_now(self.stack)
        faults.arm(self.stack, operation="delete", delay_ms=3000)  # long enough to be killed in it
        with self._command(*arguments) as command:
            wait_for("a deletion", lambda: faults.item_requests(self.stack).get("delete") or command.poll() is not None)
            self.stack.kill("cosmos")
            self._note("offboarding whose store is killed", command, code=0)

    @contextmanager
    def _command(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run the command as an operator does, beside the block."""
        faults.count_from_now(self.stack)
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "commands.policy", "--settings", str(self.desk.settings), *arguments],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "LETHE_OPERATOR_TOKEN": self.http.token("operator")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def _note(self, path: str, command: subprocess.Popen[str], *, code: int) -> None:
        out, err = command.communicate(timeout=60)
        self.desk.note(path, Done(code=command.returncode, out=out, err=err), code=code)

    def _is_quiet(self) -> bool:
        """Whether the command has asked for the tenant's documents, and then for nothing more for a moment.

        Nobody else asks for training data.
        """
        before = faults.item_requests(self.stack, "fine-tuning"), faults.item_requests(self.stack).get("delete")
        time.sleep(_MOMENT)
        after = faults.item_requests(self.stack, "fine-tuning"), faults.item_requests(self.stack).get("delete")
        return bool(before[0]) and before == after

    def _look_for_secrets(self, journey: Journey, secrets: list[str], *, live: set[int]) -> Look:
        """Submission secrets, which lie in the one file of secrets while they count, and nowhere else."""
        known = Exact({str(number): secret.removeprefix("whsec_") for number, secret in enumerate(secrets)})
        return journey.look_for({(str(number), SECRETS) for number in live}, among=known)

    def _secrets_told(self, secrets: list[str], records: bytes) -> list[Finding]:
        """Submission secrets on standard error and in evidence."""
        known = Exact({f"secret {number}": secret.removeprefix("whsec_") for number, secret in enumerate(secrets)})
        errors = {path: done.err.encode() for path, done in self.desk.said.items()}
        return scan_bytes(known, **errors, evidence=records)

    def _evidence(self) -> bytes:
        records = self.stack.store.container("evidence").query_items("SELECT * FROM c", enable_cross_partition_query=True)
        return json.dumps([*records], ensure_ascii=False).encode()

    def _left(self, tenant: str) -> dict[str, int]:
        """What the stores and queues still have of the tenant, the tombstone and the evidence aside."""
        query = "SELECT * FROM c WHERE c.tenantId = @tenant"
        parameters: list[dict[str, object]] = [{"name": "@tenant", "value": tenant}]
        documents = {
            name: [
                found["id"]
                for found in self.stack.store.container(name).query_items(
                    query, parameters=parameters, enable_cross_partition_query=True
                )
                if "offboarded_at" not in found
            ]
            for name in surroundings.CONTAINERS
        }
        with self.stack.client() as client:
            messages = {queue: [each for each in client.peek(queue) if tenant.encode() in each.body] for queue in _QUEUES}
        names = {name: [one for one in json.loads((self.stack.state / name).read_text()) if tenant in one] for name in _FILES}
        return {name: len(found) for name, found in {**documents, **messages, **names}.items() if found}
