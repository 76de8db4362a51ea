"""Receipts as documents: what they count of grounding data, of which nothing else is kept."""

from dataclasses import replace
from typing import Any

import pytest

from shared.azure.documents import of_receipt, to_receipt
from shared.domain.bodies import Endpoint
from shared.domain.generation import Receipt, Status
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
