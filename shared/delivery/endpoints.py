"""What a tenant does with its webhook endpoints. Every operation sees the tenant's own endpoints only.

Those who run the service have theirs in the same way, under `STAMP` in place of a tenant. ``actor`` is then which of them it
is: what they do is recorded, or not done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from secrets import token_hex

from shared.delivery.endpoint_evidence import record
from shared.delivery.post import post
from shared.delivery.services import Webhooks
from shared.domain.evidence import Kind
from shared.domain.json_document import Json
from shared.domain.policy import STAMP
from shared.domain.principal import Principal
from shared.domain.signing import Signing, hint_of, new_secret
from shared.domain.webhook import ENDPOINT_DISABLED, EVENT_TYPES, OPERATOR_EVENT_TYPES, PROMISE_VIOLATED
from shared.domain.webhook_endpoint import ENDPOINT_ID, WebhookEndpoint, new_endpoint_id, secret_name
from shared.domain.webhook_url import check_url
from shared.errors import Refusal, UnknownEndpoint, WebhookRefused

MAX_ENDPOINTS = 20
LONGEST_NAME = 200
TESTS_PER_MINUTE = 5
_MINUTE = 60.0
_SAMPLE_JOB = "0" * 40
_SAMPLE_PROMISE = "sample"
"""No promise's id, so that a test alarms nobody."""


@dataclass(frozen=True, kw_only=True)
class WithSecret:
    """An endpoint and its new signing secret, which is shown this once."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)

    def as_json(self) -> Json:
        """Write the OpenAI client's ``WebhookEndpointWithSecret``."""
        return {**self.endpoint.as_json(), "signing_secret": self.secret}


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of endpoints, the newest first."""

    endpoints: Sequence[WebhookEndpoint]
    has_more: bool

    def as_json(self) -> Json:
        """Write the OpenAI client's ``WebhookEndpointList``."""
        return {
            "object": "list",
            "data": [endpoint.as_json() for endpoint in self.endpoints],
            "first_id": self.endpoints[0].id if self.endpoints else None,
            "last_id": self.endpoints[-1].id if self.endpoints else None,
            "has_more": self.has_more,
        }


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What an update sets; None leaves as it is."""

    name: str | None = None
    url: str | None = None
    event_types: Sequence[str] | None = None


async def create_endpoint(
    tenant: str,
    *,
    name: str,
    url: str,
    event_types: Sequence[str],
    webhooks: Webhooks,
    actor: Principal | None = None,
) -> WithSecret:
    """Register an endpoint; raises `WebhookRefused`.

    The secret is stored before the document that refers to it: a crash in between leaves a secret that nothing uses. Two
    requests at the same moment can pass the limit by one, which harms nobody.
    """
    _check_name(name)
    _check_event_types(tenant, event_types)
    await _check_url(tenant, url, webhooks)
    if len(await webhooks.endpoints.all(tenant)) >= MAX_ENDPOINTS:
        raise WebhookRefused(Refusal.TOO_MANY_ENDPOINTS)
    endpoint_id, secret, now = new_endpoint_id(), new_secret(), webhooks.clock()
    kid = await webhooks.secrets.put(secret_name(tenant, endpoint_id), secret)
    endpoint = WebhookEndpoint(
        id=endpoint_id,
        tenant_id=tenant,
        name=name,
        url=url,
        event_types=tuple(dict.fromkeys(event_types)),
        created_at=now,
        updated_at=now,
        signing=Signing(current=kid),
        signing_secret_hint=hint_of(secret),
    )
    await record(Kind.ENDPOINT_REGISTERED, endpoint, actor, webhooks)
    await webhooks.endpoints.create(endpoint)
    return WithSecret(endpoint=endpoint, secret=secret)


async def list_endpoints(tenant: str, *, after: str | None, limit: int, webhooks: Webhooks) -> Page:
    """Return the endpoints after one of them; raises `UnknownEndpoint` when that one is not there."""
    endpoints = await webhooks.endpoints.all(tenant)
    if after is not None:
        ids = [endpoint.id for endpoint in endpoints]
        if after not in ids:
            raise UnknownEndpoint
        endpoints = endpoints[ids.index(after) + 1 :]
    return Page(endpoints=endpoints[:limit], has_more=len(endpoints) > limit)


async def get_endpoint(tenant: str, endpoint_id: str, webhooks: Webhooks) -> WebhookEndpoint:
    """Read an endpoint; raises `UnknownEndpoint`."""
    return await webhooks.endpoints.get(tenant, _checked(endpoint_id))


async def update_endpoint(
    tenant: str, endpoint_id: str, changes: Changes, webhooks: Webhooks, *, actor: Principal | None = None
) -> WebhookEndpoint:
    """Change an endpoint; raises `WebhookRefused` and `UnknownEndpoint`.

    An update of a disabled endpoint enables it again, even one that changes nothing: its owner looked at it.
    """
    if changes.name is not None:
        _check_name(changes.name)
    if changes.event_types is not None:
        _check_event_types(tenant, changes.event_types)
    if changes.url is not None:
        await _check_url(tenant, changes.url, webhooks)
    now = webhooks.clock()

    def updated(current: WebhookEndpoint) -> WebhookEndpoint:
        changed = replace(
            current,
            name=current.name if changes.name is None else changes.name,
            url=current.url if changes.url is None else changes.url,
            event_types=current.event_types if changes.event_types is None else tuple(dict.fromkeys(changes.event_types)),
        )
        if not current.active:
            changed = replace(changed, disabled_at=None, disabled_reason=None, failing=None)
        return changed if changed == current else replace(changed, updated_at=now)

    if tenant == STAMP:
        current = await webhooks.endpoints.get(tenant, _checked(endpoint_id))
        if (wanted := updated(current)) != current:
            await record(Kind.ENDPOINT_CHANGED, wanted, actor, webhooks)
    return await webhooks.endpoints.change(tenant, _checked(endpoint_id), updated)


async def delete_endpoint(tenant: str, endpoint_id: str, webhooks: Webhooks, *, actor: Principal | None = None) -> None:
    """Delete an endpoint and its secrets; raises `UnknownEndpoint`. Events that wait for it go nowhere.

    The secrets go first: after a crash in between nothing is signed any more, and the same call deletes the rest.
    """
    endpoint = await webhooks.endpoints.get(tenant, _checked(endpoint_id))
    await record(Kind.ENDPOINT_DELETED, endpoint, actor, webhooks)
    await webhooks.secrets.delete(secret_name(tenant, endpoint_id))
    await webhooks.endpoints.delete(tenant, endpoint_id)


async def rotate_secret(
    tenant: str, endpoint_id: str, *, keep_old: bool, webhooks: Webhooks, actor: Principal | None = None
) -> WithSecret:
    """Give an endpoint a new secret; the old one signs beside it for 24 hours, or no more. Raises `UnknownEndpoint`.

    What signs no more leaves the key store last: a crash before that leaves a secret that nothing uses.
    """
    found = await webhooks.endpoints.get(tenant, _checked(endpoint_id))
    await record(Kind.ENDPOINT_ROTATED, found, actor, webhooks, keeps_old=keep_old)
    secret, now = new_secret(), webhooks.clock()
    name = secret_name(tenant, endpoint_id)
    kid = await webhooks.secrets.put(name, secret)
    replaced: set[str] = set()

    def rotated(current: WebhookEndpoint) -> WebhookEndpoint:
        if current.signing.current == kid:
            return current
        signing = current.signing.rotated(kid, now=now, keep_old=keep_old)
        replaced.update(current.signing.ids)
        return replace(current, signing=signing, signing_secret_hint=hint_of(secret), updated_at=now)

    endpoint = await webhooks.endpoints.change(tenant, endpoint_id, rotated)
    for retired in replaced - endpoint.signing.ids:
        await webhooks.secrets.retire(name, retired)
    return WithSecret(endpoint=endpoint, secret=secret)


async def send_test(tenant: str, endpoint_id: str, *, event_type: str, webhooks: Webhooks) -> int:
    """Send a sample event at once and return the endpoint's status code.

    Raises `WebhookRefused` (unknown type, too many tests, nobody answered) and `UnknownEndpoint`. A disabled endpoint can be
    tested, so that its owner sees whether it works before enabling it.
    """
    _check_event_types(tenant, [event_type])
    now = webhooks.clock()

    def counted(current: WebhookEndpoint) -> WebhookEndpoint:
        if current.tests[-1:] == (now,):
            return current  # the own write, repeated
        recent = tuple(at for at in current.tests if 0 <= now - at < _MINUTE)
        if len(recent) >= TESTS_PER_MINUTE:
            raise WebhookRefused(Refusal.TOO_MANY_TESTS)
        return replace(current, tests=(*recent, now))

    endpoint = await webhooks.endpoints.change(tenant, _checked(endpoint_id), counted)
    sent = await post(
        endpoint,
        webhooks,
        event_id=f"evt_{token_hex(16)}",
        event_type=event_type,
        created_at=now,
        source_id={ENDPOINT_DISABLED: endpoint.id, PROMISE_VIOLATED: _SAMPLE_PROMISE}.get(event_type, _SAMPLE_JOB),
    )
    if sent.status is None:
        raise WebhookRefused(Refusal.UNREACHABLE)
    return sent.status


def _checked(endpoint_id: str) -> str:
    if not ENDPOINT_ID.fullmatch(endpoint_id):
        raise UnknownEndpoint
    return endpoint_id


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise WebhookRefused(Refusal.NAME_INVALID)


def _check_event_types(tenant: str, event_types: Sequence[str]) -> None:
    known = OPERATOR_EVENT_TYPES if tenant == STAMP else EVENT_TYPES
    if not event_types or not known.issuperset(event_types):
        raise WebhookRefused(Refusal.EVENT_TYPES_INVALID)


async def _check_url(tenant: str, url: str, webhooks: Webhooks) -> None:
    check_url(url, hosts=await webhooks.hosts(tenant), allow_loopback=webhooks.allow_loopback)
