"""Receipts as documents: what they keep of grounding data and of the filter, in counts and codes."""

from dataclasses import replace
from typing import Any

import pytest

from shared.azure.documents import of_receipt, of_result, to_receipt
from shared.domain.bodies import Endpoint
from shared.domain.filter_outcome import of_chat_completion
from shared.domain.generation import EXPIRED, Outcome, Receipt, Status
from shared.domain.macs import Mac

RECEIPT = Receipt(
    tenant_id="contoso",
    job_id="a" * 64,
    status=Status.QUEUED,
    endpoint=Endpoint.RESPONSES,
    model="gpt-small",
    created_at=1000.0,
    content_expires_at=1060.0,
    expires_at=1600.0,
    content_mac=Mac(kid="k1", mac="5" * 64),
    subject=None,
    attempt=1,
    attempt_token="t",
    lease_until=1000.0,
    not_before=1000.0,
    model_calls=0,
)


@pytest.mark.parametrize("count", [0, 1, 17])
def test_a_receipt_keeps_the_number_of_its_grounding_documents(count: int) -> None:
    receipt = replace(RECEIPT, grounding_documents=count)
    document = of_receipt(receipt, now=1000.0, grace=15)
    assert document["grounding_documents"] == count
    assert to_receipt(document) == receipt


def test_a_receipt_of_before_they_were_counted_has_none() -> None:
    document: dict[str, Any] = of_receipt(RECEIPT, now=1000.0, grace=15)
    del document["grounding_documents"]
    assert to_receipt(document) == RECEIPT


def test_a_receipt_keeps_of_the_filter_its_verdict_and_codes_and_no_text() -> None:
    results = {
        "violence": {"filtered": False, "severity": "low"},
        "custom_blocklists": {"filtered": True, "details": [{"id": "secret-project", "filtered": True}]},
        "protected_material_code": {"detected": True, "citation": {"URL": "https://secret", "license": "secret"}},
        "secret category": {"detected": True},
    }
    body = {
        "prompt_filter_results": [{"content_filter_results": results}],
        "choices": [{"message": {}, "content_filter_results": results}],
    }
    result = of_result(Outcome(status=Status.COMPLETED, content_filter=of_chat_completion(body)))
    codes = ["custom_blocklists:filtered", "other:detected", "protected_material_code:detected", "violence:detected:low"]
    assert (result["filter_outcome"], result["filter_codes"]) == ("annotated", codes)
    assert "secret" not in str(result)


def test_a_receipt_of_a_job_that_no_filter_saw_has_no_codes() -> None:
    assert (of_result(EXPIRED)["filter_outcome"], of_result(EXPIRED)["filter_codes"]) == (None, [])
