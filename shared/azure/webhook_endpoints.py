"""Webhook endpoints: documents of container ``webhook-endpoints``, partition key tenant. Secrets are never in them."""

from collections.abc import Callable
from dataclasses import dataclass

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    Answered,
    Document,
    find_document,
    foreign_errors,
    query_rows,
)
from shared.azure.remembered import Remembered
from shared.clock import Clock
from shared.domain.signing import Signing
from shared.domain.webhook_endpoint import DisabledReason, WebhookEndpoint
from shared.domain.webhook_schedule import Failing
from shared.errors import StoreUnavailable, UnknownEndpoint
from shared.patience import patient

CACHE_SECONDS = 60.0

_ALL = "SELECT * FROM c WHERE c.tenantId = @tenant"

type Change = Callable[[WebhookEndpoint], WebhookEndpoint]
"""What becomes of an endpoint: a pure function, called again when somebody else wrote meanwhile. It may raise."""


@dataclass(frozen=True, kw_only=True)
class _Stored:
    endpoint: WebhookEndpoint
    etag: str


class WebhookEndpoints:
    """The endpoints of all tenants. A change is seen by other processes within `CACHE_SECONDS`, by this one at once."""

    def __init__(self, container: ContainerProxy, *, clock: Clock) -> None:
        self._container = container
        self._active = Remembered(self._ask, seconds=CACHE_SECONDS, clock=clock)

    async def active(self, tenant: str) -> list[WebhookEndpoint]:
        """Return the endpoints to which events of a tenant go; cached."""
        return await self._active.of(tenant)

    @patient
    async def all(self, tenant: str) -> list[WebhookEndpoint]:
        """Return all endpoints of a tenant, the newest first; there are few."""
        endpoints = map(_to_endpoint, await query_rows(self._container, _ALL, {"tenant": tenant}, key=tenant))
        return sorted(endpoints, key=lambda endpoint: (endpoint.created_at, endpoint.id), reverse=True)

    async def get(self, tenant: str, endpoint_id: str) -> WebhookEndpoint:
        """Read an endpoint; raises `UnknownEndpoint`, for another tenant's too."""
        return (await self._read(tenant, endpoint_id)).endpoint

    @patient
    async def create(self, endpoint: WebhookEndpoint) -> None:
        """Store a new endpoint; its id was never used, so a conflict is the own write."""
        self._active.forget(endpoint.tenant_id)
        try:
            async with foreign_errors():
                await self._container.create_item(_of_endpoint(endpoint), no_response=True)
        except Answered as answer:
            if answer.status != CONFLICT:
                raise StoreUnavailable from None
        self._active.forget(endpoint.tenant_id)

    async def change(self, tenant: str, endpoint_id: str, change: Change) -> WebhookEndpoint:
        """Read, change, and write under the etag until nobody was in between; nothing is written when nothing changes.

        Raises `UnknownEndpoint`, and whatever the change raises. A repeated write of the SDK meets its own and is done once
        more on top of it, so that a change has to be safe to repeat.
        """
        while True:
            stored = await self._read(tenant, endpoint_id)
            changed = change(stored.endpoint)
            if changed == stored.endpoint or await self._replace(changed, stored.etag):
                self._active.forget(tenant)
                return changed

    @patient
    async def delete(self, tenant: str, endpoint_id: str) -> None:
        """Delete an endpoint; one that is gone is no error."""
        try:
            async with foreign_errors():
                await self._container.delete_item(endpoint_id, tenant)
        except Answered as answer:
            if answer.status != NOT_FOUND:
                raise StoreUnavailable from None
        self._active.forget(tenant)

    async def _ask(self, tenant: str) -> list[WebhookEndpoint]:
        return [endpoint for endpoint in await self.all(tenant) if endpoint.active]

    @patient
    async def _read(self, tenant: str, endpoint_id: str) -> _Stored:
        document = await find_document(self._container, endpoint_id, tenant)
        if document is None:
            raise UnknownEndpoint
        return _Stored(endpoint=_to_endpoint(document), etag=document["_etag"])

    @patient
    async def _replace(self, endpoint: WebhookEndpoint, etag: str) -> bool:
        try:
            async with foreign_errors():
                await self._container.replace_item(
                    endpoint.id,
                    _of_endpoint(endpoint),
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                    no_response=True,
                )
        except Answered as answer:
            if answer.status == PRECONDITION_FAILED:
                return False
            if answer.status == NOT_FOUND:
                raise UnknownEndpoint from None
            raise StoreUnavailable from None
        return True


def _of_endpoint(endpoint: WebhookEndpoint) -> Document:
    signing, failing = endpoint.signing, endpoint.failing
    return {
        "id": endpoint.id,
        "tenantId": endpoint.tenant_id,
        "name": endpoint.name,
        "url": endpoint.url,
        "event_types": list(endpoint.event_types),
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
        "signing": {
            "current": signing.current,
            "previous": signing.previous,
            "previous_until": signing.previous_until,
        },
        "signing_secret_hint": endpoint.signing_secret_hint,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
        "failing_since": failing and failing.since,
        "failed_last_at": failing and failing.last_at,
        "tests": list(endpoint.tests),
    }


def _to_endpoint(document: Document) -> WebhookEndpoint:
    signing, reason, since = document["signing"], document["disabled_reason"], document["failing_since"]
    return WebhookEndpoint(
        id=document["id"],
        tenant_id=document["tenantId"],
        name=document["name"],
        url=document["url"],
        event_types=tuple(document["event_types"]),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        signing=Signing(current=signing["current"], previous=signing["previous"], previous_until=signing["previous_until"]),
        signing_secret_hint=document["signing_secret_hint"],
        disabled_at=document["disabled_at"],
        disabled_reason=DisabledReason(reason) if reason else None,
        failing=None if since is None else Failing(since=since, last_at=document["failed_last_at"]),
        tests=tuple(document["tests"]),
    )
