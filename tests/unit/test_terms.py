"""On which terms a policy lets a request run, whichever way it came, and what it refuses before anything is stored."""

from typing import Any

import pytest

from shared.errors import Reason, RequestRefused
from shared.generation.admit import terms_for
from tests.policies import policy, stamp
from tests.unit.lines import CHAT, EMBEDDINGS, RESPONSES, accepted, line

GROUNDED: dict[str, Any] = {"grounding": [{"content": "c"}]}
LIMIT = 256
LIMITED: dict[str, Any] = {"limits": {"output_tokens_per_request": LIMIT}}
FORBIDDEN: dict[str, Any] = {"grounding": "forbidden"}
STAMP = stamp()
OPTED_OUT = {"mode": "opted_out", "approval": "AOAI-2026-0117", "approved_on": "2026-03-02"}


class Azure:
    """Tells which resources are confirmed, and how often it was asked."""

    def __init__(self, *confirmed: str) -> None:
        self.asked = 0
        self._confirmed = frozenset(confirmed)

    async def __call__(self) -> frozenset[str]:
        self.asked += 1
        return self._confirmed


@pytest.mark.parametrize(
    ("document", "changes"),
    [
        (line(), {}),
        (line(), FORBIDDEN),
        (line(grounding=[]), FORBIDDEN),  # none is no grounding
        (line(**GROUNDED), {}),
        (line(CHAT, **GROUNDED), {}),
        # Up to the limit, and nothing said
        (line(RESPONSES, {"max_output_tokens": LIMIT}), LIMITED),
        (line(RESPONSES, {"max_output_tokens": 1}), LIMITED),
        (line(RESPONSES, {"max_output_tokens": None}), LIMITED),
        (line(CHAT, {"max_completion_tokens": LIMIT}), LIMITED),
        (line(CHAT, {"max_tokens": LIMIT}), LIMITED),
        (line(CHAT, {"max_tokens": LIMIT, "max_completion_tokens": LIMIT}), LIMITED),
        # The stamp's limit, where the policy has none
        (line(RESPONSES, {"max_output_tokens": 16_384}), {}),
        (line(EMBEDDINGS, {"model": "gpt-small"}), LIMITED),
    ],
)
async def test_a_request_within_its_policy_has_terms(document: dict[str, Any], changes: dict[str, Any]) -> None:
    azure = Azure()
    terms = await terms_for(accepted(document), policy(**changes), STAMP, azure)
    assert [one.name for one in terms.deployments] == ["gpt-small-eu"]
    assert azure.asked == 0


async def test_only_for_a_tenant_that_opted_out_is_asked_what_azure_confirms() -> None:
    azure, tenant = Azure("primary"), policy(abuse_monitoring=OPTED_OUT)
    terms = await terms_for(accepted(line()), tenant, STAMP, azure)
    assert ([one.name for one in terms.deployments], azure.asked) == (["gpt-small-eu"], 1)
    with pytest.raises(RequestRefused) as refused:
        await terms_for(accepted(line()), tenant, STAMP, Azure("another"))
    assert (refused.value.reason, refused.value.field) == (Reason.ABUSE_MONITORING_UNCONFIRMED, "body.model")


@pytest.mark.parametrize(
    ("document", "changes", "reason", "field"),
    [
        # Grounding, with each endpoint that takes it
        (line(**GROUNDED), FORBIDDEN, Reason.GROUNDING_FORBIDDEN, "grounding"),
        (line(CHAT, **GROUNDED), FORBIDDEN, Reason.GROUNDING_FORBIDDEN, "grounding"),
        # Output tokens, by each field that asks for them
        (line(RESPONSES, {"max_output_tokens": LIMIT + 1}), LIMITED, Reason.OUTPUT_LIMIT, "body.max_output_tokens"),
        (line(CHAT, {"max_completion_tokens": LIMIT + 1}), LIMITED, Reason.OUTPUT_LIMIT, "body.max_completion_tokens"),
        (line(CHAT, {"max_tokens": LIMIT + 1}), LIMITED, Reason.OUTPUT_LIMIT, "body.max_tokens"),
        (line(CHAT, {"max_tokens": LIMIT + 1, "max_completion_tokens": 1}), LIMITED, Reason.OUTPUT_LIMIT, "body.max_tokens"),
        (line(RESPONSES, {"max_output_tokens": 10**30}), LIMITED, Reason.OUTPUT_LIMIT, "body.max_output_tokens"),
        (line(RESPONSES, {"max_output_tokens": 16_385}), {}, Reason.OUTPUT_LIMIT, "body.max_output_tokens"),
        # What the stamp refuses comes first: who, then what, then how much
        (line(**GROUNDED), FORBIDDEN | {"geography": "us"}, Reason.WRONG_GEOGRAPHY, "tenant"),
        (line(**GROUNDED), FORBIDDEN | {"models": {}}, Reason.UNKNOWN_MODEL, "body.model"),
        (line(**GROUNDED), FORBIDDEN | {"models": {"gpt-small": ["gone"]}}, Reason.RESIDENCY_FORBIDDEN, "body.model"),
        (line(RESPONSES, {"max_output_tokens": 257}, **GROUNDED), FORBIDDEN | LIMITED, Reason.GROUNDING_FORBIDDEN, "grounding"),
    ],
)  # fmt: skip
async def test_a_request_beyond_its_policy_is_refused(
    document: dict[str, Any], changes: dict[str, Any], reason: Reason, field: str
) -> None:
    with pytest.raises(RequestRefused) as refused:
        await terms_for(accepted(document), policy(**changes), STAMP, Azure())
    assert (refused.value.reason, refused.value.field) == (reason, field)
