"""Tenants whose policies refuse, fail or put back what others have answered, and a request for each.

A new rule of policies is one row here: both canary suites send it, over the queue and over HTTP.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.privacy.cases import RESPONSES, Case, Ending, Kind, Planting, request
from tests.privacy.flock import Flock
from tests.privacy.paths import COMPLETED, failed
from tests.system import tenants
from tests.system.http import Http

type Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the tenant's policy says otherwise than the sample one, what is asked of it, and what becomes of that."""

    policy: Json
    ending: Ending
    status: int
    """What the same is answered over HTTP."""
    directive: str = ""
    body: Json = field(default_factory=dict)
    has_place_on_openais_face: bool = True


def _refused(reason: str) -> Ending:
    return Ending(kind=Kind.REJECTED, detail=reason)


RULES: dict[str, Rule] = {
    "northwind": Rule(policy={"geography": "us"}, ending=_refused("wrong_geography"), status=403),
    "tailspin": Rule(policy={"models": {"gpt-small": ["gpt-small-world"]}}, ending=_refused("residency_forbidden"), status=403),
    "wingtip": Rule(
        policy={"grounding": "forbidden"},
        ending=_refused("grounding_forbidden"),
        status=403,
        has_place_on_openais_face=False,
    ),
    "litware": Rule(
        policy={"limits": {"output_tokens_per_request": 256}},
        body={"max_output_tokens": 257},
        ending=_refused("output_limit_exceeded"),
        status=400,
    ),
    "proseware": Rule(
        policy={"content_filter": "required"},
        directive="[[unfiltered]]",
        ending=failed("content_filter_unavailable", sealed="unfiltered"),
        status=202,
    ),
}
"""Tenant: its rule."""

CROWDED = "adventure"
"""A tenant with one place and a few requests a minute."""
ADMITTED_A_MINUTE = 3
_LIMITS = {"requests_in_flight": 1, "requests_per_minute": ADMITTED_A_MINUTE}


def join(http: Http) -> dict[str, str]:
    """Let the tenants join a running stack; return a token for each."""
    policies = {name: rule.policy for name, rule in RULES.items()} | {CROWDED: {"limits": _LIMITS}}
    return {name: tenants.add(http, name, **changes) for name, changes in policies.items()}


def asked(planted: Planting, tenant: str, rule: Rule) -> Json:
    """The request that a rule is about."""
    envelope = request(planted, RESPONSES, rule.directive, tenant=tenant)
    return {**envelope, "body": envelope["body"] | rule.body}


def by_queue(flock: Flock) -> list[Case]:
    """A message for each rule."""
    cases = []
    for tenant, rule in RULES.items():
        planted = Planting(flock=flock, path=f"the policy of {tenant}")
        cases.append(planted.case(asked(planted, tenant, rule), rule.ending, custom_id=planted("custom_id")))
    return cases


def crowd(flock: Flock) -> list[Case]:
    """Two messages for one place: one of them is put back, as a copy, and comes again."""
    cases = []
    for path in ("one of a crowd", "another of a crowd"):
        planted = Planting(flock=flock, path=path)
        body = request(planted, RESPONSES, "[[delay:1500]]", tenant=CROWDED)
        cases.append(planted.case(body, COMPLETED, custom_id=planted("custom_id")))
    return cases


def over_http(planted: Planting, tenant: str, rule: Rule) -> bytes:
    """The same for Lethe's own face."""
    return json.dumps({name: value for name, value in asked(planted, tenant, rule).items() if name != "tenant"}).encode()
