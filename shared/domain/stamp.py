"""A stamp: one installation of Lethe in one geography, with the deployments that it may call and the limits it sets."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.domain.policy import Alias, Filtering, TenantPolicy
from shared.domain.residency import REGIONS, Geography, Sku, Unusable, unusable
from shared.errors import Reason, RequestRefused

_PATH = r"(/[A-Za-z0-9._~-]+)*/?"
_LABEL = r"(?!xn--)[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_AZURE_OPENAI = re.compile(
    rf"https://{_LABEL}\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)(:443)?{_PATH}", re.ASCII | re.IGNORECASE
)
"""A base URL of an Azure OpenAI resource, in the public and the sovereign clouds; OpenAI's own service is none of them.

It says whole what a URL may be, for two parsers could read two hosts in anything else, and letters of other scripts look alike.
"""
_LOOPBACK = re.compile(rf"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{{1,5}})?{_PATH}")


def _is_resource(url: str) -> str:
    """Let only the base URL of an Azure OpenAI resource pass; http is for loopback, which production refuses."""
    if _AZURE_OPENAI.fullmatch(url) or _LOOPBACK.fullmatch(url):
        return url
    raise ValueError("must be the base URL of an Azure OpenAI resource")


ARM_ID = r"^/subscriptions/[A-Za-z0-9._()/-]+/[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Id of a resource in Azure Resource Manager; its last part, the resource's name, can stand in logs and evidence."""

type ArmId = Annotated[str, Field(pattern=ARM_ID)]


@dataclass(frozen=True, kw_only=True)
class StampLimits:
    """What each tenant may use at once where its policy names no limit of its own."""

    requests_in_flight: int
    output_tokens_per_request: int
    requests_per_minute: int


class Deployment(BaseModel):
    """A deployment of one of the customer's Azure OpenAI resources; its name is its own among all of the stamp."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Alias
    endpoint: Annotated[str, AfterValidator(_is_resource)]
    resource_id: ArmId
    region: str
    geography: Geography
    sku: Sku
    model: Annotated[str, Field(min_length=1, max_length=100)]

    @property
    def resource(self) -> str:
        """Name of the model resource that has the deployment."""
        return self.resource_id.rpartition("/")[2]

    @model_validator(mode="after")
    def _region_is_in_geography(self) -> Self:
        if self.region not in REGIONS[self.geography]:
            raise ValueError("region must be one of the geography")
        return self


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On which terms a request runs: deployments in order, output tokens at the most, and what the filter must have seen."""

    deployments: tuple[Deployment, ...]
    output_tokens: int
    content_filter: Filtering


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What an installation has: its geography, its deployments by name, and a limit for whatever a policy leaves open."""

    geography: Geography
    deployments: Mapping[str, Deployment]
    limits: StampLimits

    def unusable(self, name: str, policy: TenantPolicy) -> Unusable | None:
        """Decide why a policy cannot use a listed deployment; None when it can. Raises KeyError for one not listed."""
        deployment = self.deployments[name]
        return unusable(sku=deployment.sku, region=deployment.region, geography=policy.geography, residency=policy.residency)

    def usable(self, policy: TenantPolicy, alias: str) -> tuple[Deployment, ...]:
        """Return the deployments that may serve a model alias, in the policy's order; others that it names are passed over."""
        listed = (name for name in policy.models[alias] if name in self.deployments)
        return tuple(self.deployments[name] for name in listed if self.unusable(name, policy) is None)

    def limits_of(self, policy: TenantPolicy) -> StampLimits:
        """Return a tenant's limits, with the stamp's where the policy names none."""
        return replace(self.limits, **policy.limits.model_dump(exclude_none=True))

    def terms(self, policy: TenantPolicy, alias: str, *, confirmed: Collection[str] = frozenset()) -> Terms:
        """Return the terms for a model alias.

        A deployment that the policy names and residency forbids is passed over; raises `RequestRefused` when none is left.
        ``confirmed`` are the model resources that showed lately that Azure keeps nothing of a request: a tenant that opted out
        of abuse monitoring is served by these only.
        """
        if policy.geography is not self.geography:
            raise RequestRefused(Reason.WRONG_GEOGRAPHY, "tenant")
        if alias not in policy.models:
            raise RequestRefused(Reason.UNKNOWN_MODEL, "body.model")
        usable = self.usable(policy, alias)
        if not usable:
            raise RequestRefused(Reason.RESIDENCY_FORBIDDEN, "body.model")
        if policy.abuse_monitoring.opted_out:
            usable = tuple(each for each in usable if each.resource in confirmed)
            if not usable:
                raise RequestRefused(Reason.ABUSE_MONITORING_UNCONFIRMED, "body.model")
        return Terms(
            deployments=usable,
            output_tokens=self.limits_of(policy).output_tokens_per_request,
            content_filter=policy.content_filter,
        )
