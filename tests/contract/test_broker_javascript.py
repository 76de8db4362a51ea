"""The JavaScript SDK as a second opinion on the wire: whatever it sees must be what the Python SDK sees."""

from pathlib import Path

import pytest

from tests.contract.broker import fresh_broker
from tests.contract.javascript import run


def test_the_javascript_sdk_sees_a_service_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fresh_broker(tmp_path, monkeypatch) as broker:
        seen = run("servicebus.mjs", CONNECTION_STRING=broker.connection_string().removesuffix(";"))
    assert seen == {
        "sent": {
            "body": {"text": "Grüße"},
            "messageId": "m-1",
            "subject": "s",
            "contentType": "application/json",
            "correlationId": "c-1",
            "timeToLive": 300000,
            "applicationProperties": {"number": 7, "flag": True},
            "sequenceNumber": "1",
            "deliveryCount": 0,
        },
        "renewed": True,
        "abandoned": {"deliveryCount": 1, "tried": "once"},
        "deadLettered": {"body": "abandoned", "reason": "code", "description": "why"},
        "peeked": ["a", "b", "c"],
        "received": ["a", "b", "c"],
        "scheduled": ["scheduled", "scheduled"],
        "cancelled": True,
        "deferred": "deferred",
        "empty": True,
        "tooLarge": "MessageSizeExceeded",
        "unknown": "MessagingEntityNotFound",
    }
