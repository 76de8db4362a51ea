"""Admission: what a tenant's policy makes of a request, decided before anything is stored."""

from collections.abc import Awaitable, Callable
from secrets import token_hex

from shared.azure.keys import KeyStore
from shared.domain import macs, submission, upstream
from shared.domain.generation import Receipt, Status
from shared.domain.macs import Mac, Purpose
from shared.domain.policy import Submission, TenantPolicy, deadlines, is_tenant_id
from shared.domain.request import GenerationRequest
from shared.domain.stamp import Stamp, Terms
from shared.errors import LeaseLost, Reason, RequestRefused
from shared.generation.delivery import Delivery
from shared.generation.last_resort import first_enqueued
from shared.generation.measured import measure_residency
from shared.generation.services import Services


async def policy_for(request: GenerationRequest, services: Services) -> TenantPolicy:
    """Return the tenant's policy; raises `RequestRefused` when there is no such tenant."""
    policy = await services.policies.get(request.tenant) if is_tenant_id(request.tenant) else None
    if policy is None:
        raise RequestRefused(Reason.UNKNOWN_TENANT, "tenant")
    return policy


type Confirming = Callable[[], Awaitable[frozenset[str]]]
"""Tells which model resources showed lately that Azure keeps nothing of a request (`ContentLogging.confirmed`)."""


async def terms_for(request: GenerationRequest, policy: TenantPolicy, stamp: Stamp, confirming: Confirming) -> Terms:
    """Return the terms on which a request runs, whichever way it came.

    Raises `RequestRefused` for what the policy does not allow: geography, model, residency, an opt-out that Azure does not
    confirm, grounding, output tokens. Only for a tenant that opted out is anything asked; then it may raise `StoreUnavailable`.
    """
    confirmed = await confirming() if policy.abuse_monitoring.opted_out else frozenset[str]()
    try:
        terms = stamp.terms(policy, request.model, confirmed=confirmed)
    except RequestRefused as refusal:
        measure_residency(refusal)
        raise
    measure_residency(None)
    if request.grounding and policy.grounding == "forbidden":
        raise RequestRefused(Reason.GROUNDING_FORBIDDEN, "grounding")
    upstream.check_output_tokens(request, terms.output_tokens)
    return terms


async def admission_time(delivery: Delivery, policy: TenantPolicy, services: Services) -> float:
    """When a job of the queue is admitted, if it was not before: when its message was first enqueued.

    A copy of ours says so in a property, and whoever forges that only shortens deadlines. Where submission is signed, only
    Service Bus and a postmark are believed: a receipt that ends early would let the same signature run a job twice.
    """
    if policy.queue_submission is Submission.SIGNED:
        return await first_enqueued(delivery, policy.tenant_id, services.keys)
    return delivery.admitted_at


async def check_submission(
    request: GenerationRequest, policy: TenantPolicy, own: Receipt, delivery: Delivery, services: Services
) -> None:
    """Let a message of the queue in if the policy does, or if it is our own: admitted over HTTP, or a copy.

    Ours have our ids, and are recognised by the receipt that stands at the job and by the MAC of the content, never by what
    anybody can write: the signature of a copy is of the time before it waited. Raises `RequestRefused`; and `LeaseLost` for
    one whose content is forgotten, by its deadline or a deletion: it cannot be recognised, and must not be kept.
    """
    try:
        await _check_sender(policy, delivery, services)
    except RequestRefused:
        standing = await services.generations.find(own) if delivery.has_id_of(own.job_id) else None
        if standing is not None and standing.content_mac is None:
            raise LeaseLost from None
        if standing is None or not await is_known(request, standing, services.keys):
            raise


async def check_signature(tenant: str, delivery: Delivery, services: Services) -> None:
    """Refuse a message that no secret of the tenant signed for the time at which it was first enqueued."""
    valid = await services.submission_secrets.valid(tenant)
    enqueued_at = await first_enqueued(delivery, tenant, services.keys)
    submission.verify(delivery.body, delivery.properties, signing_secrets=valid, enqueued_at=enqueued_at)


async def _check_sender(policy: TenantPolicy, delivery: Delivery, services: Services) -> None:
    match policy.queue_submission:
        case Submission.SIGNED:
            await check_signature(policy.tenant_id, delivery, services)
        case Submission.FORBIDDEN:
            raise RequestRefused(Reason.SUBMISSION_FORBIDDEN, "tenant")
        case Submission.OPEN:
            pass


async def is_known(request: GenerationRequest, standing: Receipt, keys: KeyStore) -> bool:
    """Whether a receipt is of this content; one whose content is forgotten can say so of none."""
    return standing.content_mac is not None and await is_same_content(request, standing.content_mac, keys)


async def new_receipt(request: GenerationRequest, policy: TenantPolicy, services: Services, *, admitted_at: float) -> Receipt:
    """Write the receipt of a job that this worker claims: MACs in place of every identifier, deadlines fixed."""
    keys, tenant = services.keys, request.tenant
    ends = deadlines(policy.retention, admitted_at=admitted_at, expires_after=request.expires_after)
    now = services.clock()
    return Receipt(
        tenant_id=tenant,
        job_id=macs.job_id(
            await keys.current(tenant, Purpose.JOB_ID), tenant=tenant, batch=request.batch, custom_id=request.custom_id
        ),
        status=Status.IN_PROGRESS,
        endpoint=request.url,
        model=request.model,
        created_at=admitted_at,
        content_expires_at=ends.content,
        expires_at=ends.receipt,
        content_mac=macs.mac(await keys.current(tenant, Purpose.CONTENT), request.content),
        subject=await _subject(request, keys),
        attempt=1,
        attempt_token=services.instance + token_hex(12),
        lease_until=now + services.limits.lease,
        not_before=admitted_at,
        model_calls=0,
        grounding_documents=len(request.grounding),
    )


async def is_same_content(request: GenerationRequest, made: Mac, keys: KeyStore) -> bool:
    """Whether a MAC was made of this content, with the key that made it; a key that is no more cannot say yes."""
    key = await keys.by_id(request.tenant, Purpose.CONTENT, made.kid)
    return key is not None and macs.mac(key, request.content) == made


async def _subject(request: GenerationRequest, keys: KeyStore) -> Mac | None:
    if request.subject is None:
        return None
    return macs.mac(await keys.current(request.tenant, Purpose.SUBJECT), request.subject)
