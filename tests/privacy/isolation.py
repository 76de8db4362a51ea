"""Two tenants who do the same at the same time, and everything that every store holds of each of them."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.amqp import AmqpAnnotatedMessage

from local import parts
from local.broker.__main__ import DEFAULT_QUEUES
from tests.policies import POLICY, PRINCIPAL
from tests.privacy import bus
from tests.privacy.cases import RESPONSES, Planting, request
from tests.privacy.flock import Flock
from tests.privacy.http_calls import ENDPOINTS, LETHE, OPENAI
from tests.system import faults, signing
from tests.system.http import Http, Reply, calling, received
from tests.system.policy_command import apply
from tests.system.stack import Stack, running_stack, wait_for

NAMES = ("northwind", "tailspin")
EVENTS = ["response.completed", "response.failed", "safety.alert.created"]
SAME = "the very same words"
"""What both tenants say: equal content under equal keys."""
ATTEMPT = "[[annotate:jailbreak]]"
SAME_KEY = {"custom_id": "order-17", "batch": "orders-of-today"}
SAME_BODY = {"model": "gpt-small", "input": SAME, "safety_identifier": "user-42", "metadata": {"kind": "same"}}
DELIVERIES = 3
ATTEMPTS = 3
"""Prompts of the same data subject in which the filter notices an attempt; so many make an alert."""
ENDED = 5 + ATTEMPTS
"""Jobs of each tenant that end: three over HTTP, the others over the queue."""
NEVER = "0 0 0 1 1 *"

type Json = dict[str, Any]


@dataclass(kw_only=True)
class Tenant:
    """A tenant, its canaries and secrets, and all that it was ever answered."""

    name: str
    stack: Stack
    http: Http
    flock: Flock
    client: str
    token: str = field(repr=False)
    secret: str = field(repr=False)
    answers: list[str] = field(default_factory=list, repr=False)
    reviews: list[str] = field(default_factory=list, repr=False)
    """What a reviewer was shown of its alerts and records."""
    webhook_secrets: list[str] = field(default_factory=list, repr=False)
    endpoints: list[str] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    """Public ids by what was asked."""
    own_key: dict[str, str] = field(default_factory=dict, repr=False)
    """Key of the job over HTTP that the other has not."""

    @property
    def replies(self) -> str:
        """Its reply queue."""
        return f"{self.name}-replies"

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Call with its token, and remember the answer."""
        reply = self.http.call(method, path, body, tenant=None, token=self.token, **headers)
        self.answers.append(f"{dict(reply.headers)} {reply.text}")
        return reply

    def good(self, method: str, path: str, body: object = None, **headers: str) -> Json:
        """Call, and fail unless it succeeds."""
        reply = self.call(method, path, body, **headers)
        assert reply.status in {200, 202}, (path, reply.status)
        answer: Json = reply.json
        return answer

    def reviewed(self, method: str, path: str, body: object = None) -> Reply:
        """Call the review app as a reviewer, about this tenant, and remember the answer if it shows anything."""
        url = f"{self.stack.endpoints['review']}/v1/abuse/{path}"
        reply = self.http.call(method, url, body, tenant="reviewer")
        if reply.status == 200:
            self.reviews.append(reply.text)
        return reply

    def planted(self, path: str, directive: str = "") -> Json:
        """A request with a canary of its own in every place."""
        return request(Planting(flock=self.flock, path=path), RESPONSES, directive, tenant=self.name)

    def message(self, envelope: Json, *, secret: str | None = None, **properties: Any) -> ServiceBusMessage:  # noqa: ANN401
        """A message signed by its own secret, if no other is named."""
        signer = signing.Tenant(stack=self.stack, name=self.name)
        signature: Any = signer.signed(envelope, secret or self.secret)
        return ServiceBusMessage(json.dumps(envelope).encode(), application_properties=signature, **properties)


@contextmanager
def two_tenants(folder: Path) -> Iterator[tuple[Tenant, Tenant]]:
    """Run a stack, and have an operator bring two tenants in, each with a reply queue and a principal of its own."""
    queues = json.loads(DEFAULT_QUEUES.read_text(encoding="utf-8"))
    queues |= {f"{name}-replies": queues["contoso-replies"] for name in NAMES}
    queues["generation-requests"]["max_delivery_count"] = DELIVERIES  # so that what cannot be bound is dead soon
    defined = folder / "queues.json"
    defined.write_text(json.dumps(queues))
    state = folder / "state"
    state.mkdir()
    environment = {"LETHE_BROKER_QUEUES": str(defined), "LETHE_MAX_DELIVERY_COUNT": str(DELIVERIES)}
    with (
        running_stack(state, LETHE_RETENTION_SCHEDULE="*/2 * * * * *", **environment) as started,
        started.keeping_connections() as stack,
        calling(stack) as http,
        ThreadPoolExecutor() as pool,
    ):
        first, second = pool.map(lambda name: _onboarded(name, stack, http), NAMES)
        yield first, second


def _onboarded(name: str, stack: Stack, http: Http) -> Tenant:
    client = str(uuid4())
    policy = POLICY | {
        "tenant_id": name,
        "principals": [PRINCIPAL | {"client_id": client}],
        "webhook_hosts": ["127.0.0.1"],
        "reply_queues": [f"{name}-replies"],
        "queue_submission": "signed",
    }
    done = apply(stack, policy)
    found = re.search(r"whsec_\S+", done.out)
    assert found, done.err
    token = http.token("contoso", claims={"azp": client})
    return Tenant(name=name, stack=stack, http=http, flock=Flock(), client=client, token=token, secret=found[0])


def work(tenants: tuple[Tenant, Tenant]) -> None:
    """Let both do everything, over both ways in, and wait until all has come to where it stays; then the timer stops."""
    stack = tenants[0].stack
    for tenant in tenants:
        _listen(tenant)
        _submit(tenant)
    send([*_messages(tenants[0]), *_messages(tenants[1]), *map(_unbindable, tenants)], stack)
    for tenant in tenants:
        _wait_until_ended(tenant)
    connection = str(stack.endpoints["servicebus"])
    wait_for("dead letters", lambda: len(bus.peek(connection, bus.REQUESTS, dead_letters=True)) == len(tenants))
    wait_for("copies that wait", lambda: [one.is_scheduled for one in stack.peek(bus.REQUESTS)] == [True] * len(tenants))
    told = ENDED + 1  # of the alert
    wait_for("webhooks", lambda: len(received(stack)) >= told * len(tenants))
    wait_for("webhooks that wait", lambda: len(stack.peek("webhook-deliveries")) >= told * len(tenants))
    faults.change_app_settings(stack, LETHE_RETENTION_SCHEDULE=NEVER)
    stack.kill("host")
    for tenant in tenants:
        _review(tenant)


def send(messages: list[ServiceBusMessage | AmqpAnnotatedMessage], stack: Stack) -> None:
    """Send messages to the queue of requests, one after the other."""
    connection = str(stack.endpoints["servicebus"])
    with ServiceBusClient.from_connection_string(connection) as client, client.get_queue_sender(bus.REQUESTS) as sender:
        for message in messages:
            sender.send_messages(message)


def _review(tenant: Tenant) -> None:
    """Have a reviewer look at the tenant's alert, and open the records that it names."""
    [alert] = tenant.reviewed("GET", f"alerts?tenant={tenant.name}").json["data"]
    assert len(alert["records"]) == ATTEMPTS
    for record in alert["records"]:
        assert tenant.reviewed("POST", f"records/{record}/open", case_of(tenant)).status == 200


def case_of(tenant: Tenant) -> Json:
    """What a reviewer says of a reading."""
    return {"tenant": tenant.name, "case_reference": f"CASE-{NAMES.index(tenant.name)}"}


def _wait_until_ended(tenant: Tenant) -> None:
    stack = tenant.stack
    wait_for("all outputs", lambda: len(stack.outputs(tenant.name)) == ENDED)
    wait_for("the reply", lambda: stack.peek(tenant.replies))
    for public_id in tenant.jobs.values():
        assert tenant.good("GET", place(public_id))["status"] == "completed"


def _listen(tenant: Tenant) -> None:
    """An endpoint that works, with two secrets, and one that nobody answers for."""
    planted = Planting(flock=tenant.flock, path="an endpoint")
    receiver = tenant.stack.endpoints["webhook_receiver"]
    nobody = f"http://{parts.HOST}:{parts.free_port()}"
    for url, name in ((receiver, "name"), (nobody, "name of nobody")):
        hook = {"name": planted(name), "url": f"{url}/hooks/{planted(f'url of {name}')}", "event_types": EVENTS}
        created = tenant.good("POST", ENDPOINTS, hook)
        tenant.endpoints.append(created["id"])
        tenant.webhook_secrets.append(created["signing_secret"])
    rotated = tenant.good(
        "POST", f"{ENDPOINTS}/{tenant.endpoints[0]}/rotate_secret", {"keep_old_secret_active_for_24_hours": True}
    )
    tenant.webhook_secrets.append(rotated["signing_secret"])


def _submit(tenant: Tenant) -> None:
    """Jobs over both faces: one full of canaries, and one that is the same for both tenants."""
    own = tenant.planted("over HTTP")
    del own["tenant"]
    tenant.own_key = {name: own[name] for name in SAME_KEY}
    tenant.jobs["own over HTTP"] = tenant.good("POST", LETHE, own)["id"]
    tenant.jobs["same over HTTP"] = tenant.good("POST", LETHE, {**SAME_KEY, "url": RESPONSES, "body": SAME_BODY})["id"]
    body = {**SAME_BODY, "background": True}
    tenant.jobs["same on OpenAI's face"] = tenant.good("POST", OPENAI, body, Idempotency_Key="the-same-key")["id"]


def _messages(tenant: Tenant) -> list[ServiceBusMessage | AmqpAnnotatedMessage]:
    """Signed messages: canaries, the same for both, one that waits, and one that is refused with a reply."""
    same = {"tenant": tenant.name, **SAME_KEY, "custom_id": "order-18", "url": RESPONSES, "body": SAME_BODY}
    refused = {**tenant.planted("refused"), "url": "/v1/other"}
    return [
        tenant.message(tenant.planted("over the queue")),
        tenant.message(same),
        tenant.message(tenant.planted("waiting", "[[status:429:2:3000]]")),
        tenant.message(refused, reply_to=tenant.replies, message_id=str(uuid4())),
        *map(tenant.message, _attempts(tenant)),
    ]


def _attempts(tenant: Tenant) -> list[Json]:
    """Attempts of the same subject, who has the same name with both tenants: one full of canaries, the others the same."""
    own = tenant.planted("an attempt", ATTEMPT)
    own["body"]["safety_identifier"] = SAME_BODY["safety_identifier"]
    said = {"batch": "attempts-of-today", "url": RESPONSES, "body": {**SAME_BODY, "input": f"{ATTEMPT} {SAME}"}}
    return [own, *({"tenant": tenant.name, "custom_id": f"attempt-{number}", **said} for number in range(1, ATTEMPTS))]


def _unbindable(tenant: Tenant) -> AmqpAnnotatedMessage:
    """A message that Azure Functions cannot bind, and that ends as a dead letter."""
    return AmqpAnnotatedMessage(value_body=Planting(flock=tenant.flock, path="a dead letter")("text"))


def place(public_id: str) -> str:
    """Where a job is read."""
    return f"{OPENAI if public_id.startswith('resp_') else LETHE}/{public_id}"
